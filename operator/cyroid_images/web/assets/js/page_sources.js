// Sources: which images the engines hold that registries are filled from, and which of them the
// registry lacks.

import { ask } from "./api.js";
import { calmly, h, keep, show, text } from "./dom.js";
import { bytes, count, shortDigest } from "./format.js";
import { cell, pressed, region, saying, setTime, table, time } from "./parts.js";
import { follow } from "./stream.js";

const MOST = 200;

/** The page of what the sources of the chosen cache hold. */
export function sources(scope, app) {
  app.title("Sources");
  const query = { cache: app.cache };
  const filter = h("input", { id: "source-filter", type: "search", placeholder: "name or source", autocomplete: "off" });
  const heads = ["Image", "Source", "ID", { name: "Size", class: "number" }, "Built", "In the registry"];
  const rows = table("Images of the sources", heads);
  const words = h("p", { class: "quiet" });
  const line = saying();
  let known = [];
  const part = region(scope, {
    what: "what the sources hold",
    load: (signal) => ask("cache/images", { query, signal }),
    draw: (images) => {
      known = images.flatMap((each) => each.tags.map((tag) => ({ ...each, tag })));
      draw();
    },
    body: h("div", {}, words, rows.element),
  });

  function draw() {
    const wanted = filter.value.trim().toLowerCase();
    const found = known.filter((row) => `${row.tag} ${row.source}`.toLowerCase().includes(wanted));
    keep(rows.body, found.slice(0, MOST), {
      key: (row) => `${row.source} ${row.tag}`,
      make: (row) => makeRow(row, app.rights.push ? push : null),
      change: changeRow,
    });
    show(rows.element, found.length > 0);
    const cut = found.length > MOST ? `, the first ${MOST} are shown` : "";
    text(words, !known.length ? "No engine source holds a named image, or none is configured: registries named as sources are asked only for what somebody wants."
      : found.length ? `${count(found.length, "image")}${cut}.` : "No image is like this.");
  }

  function push(button, row) {
    return pressed(button, line, async () => {
      const said = await ask("registry/push", { method: "POST", query, body: { image_tag: row.tag } });
      line.say(`${said.image_tag}: ${said.message}.`);
    });
  }

  filter.addEventListener("input", calmly(draw, 100));
  follow("registry/events", { query, signal: scope.signal, listeners: { unpushed: calmly(part.refresh, 300, 1200) } });
  scope.every(60_000, part.refresh);
  part.refresh();
  return [h("h1", { tabindex: "-1" }, "Sources"),
    h("div", { class: "row tools" }, h("label", { for: "source-filter" }, "Filter"), filter), line.element, part.element];
}

function makeRow(row, push) {
  const built = time(null);
  const state = h("span");
  const button = h("button", { type: "button", class: "small", "aria-label": `Push ${row.tag}`, hidden: true }, "Push");
  button.addEventListener("click", () => push(button, line.row));
  const line = h("tr", {}, cell("Image", h("span", { class: "name" })), cell("Source"), cell("ID", h("code")), cell("Size"),
    cell("Built", built), cell("In the registry", state, " ", push ? button : null));
  line.cells[3].className = "number";
  line.parts = { built, state, button };
  return line;
}

function changeRow(line, row) {
  line.row = row;
  const { built, state, button } = line.parts;
  text(line.cells[0].firstChild, row.tag);
  text(line.cells[1], row.source ?? "unknown");
  text(line.cells[2].firstChild, shortDigest(row.id));
  text(line.cells[3], bytes(row.size_bytes));
  setTime(built, row.created);
  text(state, row.in_registry === true ? "yes" : row.in_registry === false ? "no" : "unknown");
  show(button, row.in_registry === false);
}
