// What the registry holds: a row per tag, and deletion for those who may.

import { ask } from "./api.js";
import { calmly, h, keep, show, text } from "./dom.js";
import { bytes, count, shortDigest } from "./format.js";
import { badge, cell, pager, region, saying, section, sentence, table } from "./parts.js";
import { question } from "./dialog.js";

const SIZE = 50;

/** The table; `refresh()` asks for the page that is shown. */
export function tags(scope, app, { changed }) {
  const filter = h("input", { id: "tag-filter", type: "search", placeholder: "name or tag", autocomplete: "off" });
  const unused = h("input", { id: "tag-unused", type: "checkbox" });
  const heads = ["Image", "Tag", "Digest", { name: "Size", class: "number" }, "Platform", "Used by"];
  if (app.rights.delete) heads.push("");
  const rows = table("Tags in the registry", heads.map((head) => (head === "" ? { name: actionsHead() } : head)));
  const empty = h("p", { class: "empty" });
  const pages = pager(() => list.refresh(), SIZE);
  const line = saying();
  const body = h("div", {}, rows.element, empty, pages.element);
  const list = region(scope, {
    what: "the tags",
    load: (signal) => ask("registry/tags", { signal, query: {
      cache: app.cache, filter: filter.value.trim(), unused: unused.checked || null, limit: SIZE, offset: pages.offset(),
    } }),
    draw,
    body,
  });
  const search = calmly(() => {
    pages.first();
    list.refresh();
  }, 200);
  filter.addEventListener("input", search);
  unused.addEventListener("change", search);

  function draw({ items, total }) {
    if (pages.set(total, total === 1 ? "tag" : "tags")) {
      list.refresh();
      return;
    }
    keep(rows.body, items, {
      key: (row) => row.image ?? `${row.name}:${row.tag}`,
      make: (row) => makeRow(row, app.rights.delete ? (now) => remove(now) : null),
      change: changeRow,
    });
    show(rows.element, items.length > 0);
    show(empty, items.length === 0);
    const isSearch = filter.value.trim() !== "" || unused.checked;
    text(empty, isSearch ? "No tag is like this." : "The registry is empty. A push fills it, an import does, and the first range that asks for an image of a source.");
  }

  async function remove(row) {
    const isDone = await question(removal(row, async () => {
      const said = await ask(`registry/images/${pathOf(row)}`, { method: "DELETE", query: { cache: app.cache } });
      line.say(sentence(said?.message ?? `${row.name}:${row.tag} is deleted`));
    }));
    if (!isDone) return;
    list.refresh();
    changed();
    filter.focus(); // the row that had the focus goes away
  }

  const tools = h("div", { class: "row tools" },
    h("label", { for: "tag-filter" }, "Filter"), filter,
    h("label", { class: "check" }, unused, "Unused only"));
  return { element: section("Images", tools, list.element, line.element), refresh: () => list.refresh() };
}

function actionsHead() {
  return h("span", { class: "unseen" }, "Delete");
}

function makeRow(row, remove) {
  const line = h("tr", {},
    cell("Image", h("span", { class: "name" })), cell("Tag"), cell("Digest", h("code", {})), cell("Size"), cell("Platform"),
    cell("Used by", h("span", {})));
  line.cells[3].className = "number";
  if (remove) {
    const button = h("button", { type: "button", class: "small danger", "aria-label": `Delete ${row.name}:${row.tag}` }, "Delete");
    button.addEventListener("click", () => remove(line.row));
    line.append(cell("", button));
  }
  return line;
}

function changeRow(line, row) {
  line.row = row;
  const [image, tag, digest, size, platform, used] = line.cells;
  text(image.firstChild, row.name);
  text(tag, row.tag);
  text(digest.firstChild, shortDigest(row.digest));
  digest.firstChild.title = row.digest ?? row.message ?? "";
  text(size, bytes(row.size_bytes));
  text(platform, row.platform ?? "unknown");
  text(used.firstChild, row.used_by_count === 0 ? "no range" : count(row.used_by_count, "range"));
  used.firstChild.title = (row.used_by ?? []).join("\n");
  used.querySelector(".badge")?.remove();
  if (row.reason) used.append(badge(row.reason, "bad", row.message));
  else if (row.listed) used.append(badge("listed", "", "The image cache lists it: it is kept."));
}

/** Each part of the name as a part of the path; the API reads the rest of it as one name. */
function pathOf(row) {
  const image = row.image ?? `${row.name}:${row.tag}`;
  return image.split("/").map(encodeURIComponent).join("/");
}

function removal(row, act) {
  const name = `${row.name}:${row.tag}`;
  const isUsed = row.used_by_count > 0 || row.used_by_count === null;
  const more = row.used_by_count - (row.used_by?.length ?? 0);
  const ranges = (row.used_by ?? []).map((each) => h("li", {}, each));
  if (more > 0) ranges.push(h("li", {}, `and ${count(more, "range")} more`));
  const used = [
    h("p", {}, `${count(row.used_by_count, "range")} ${row.used_by_count === 1 ? "wants" : "want"} it:`),
    h("ul", { class: "names" }, ranges),
    h("p", {}, "What a range wants stays: take it off their images first. If they do not want it any more, the API says so now."),
  ];
  const free = [h("p", {}, `No range wants it. The tag goes, and what no other tag needs goes with the next collection (${bytes(row.size_bytes)} at most).`)];
  const listed = row.listed ? [h("p", {}, "The image cache lists it: it is taken from the list, too.")] : [];
  return { title: `Delete ${name}?`, body: [...(isUsed ? used : free), ...listed], verb: isUsed ? "Ask to delete" : "Delete", isDangerous: true, act };
}
