// A range in a list: as a tile, or as a row of a table where there are many.

import { attribute, h, text } from "./dom.js";
import { amount, rate } from "./format.js";
import { badge, bar, cell } from "./parts.js";
import { rangeState, shape, turn } from "./shapes.js";

/** Needs somebody, not ready, by tar, by name: as the API orders them. */
export function worstFirst(one, other) {
  return rank(one) - rank(other) || compare(one.namespace, other.namespace) || compare(one.name, other.name);
}

function rank(row) {
  return (row.images_failed > 0 ? 0 : 4) + (row.ready === true ? 2 : 0) + (row.fallback ? 0 : 1);
}

function compare(one, other) {
  return one < other ? -1 : Number(one > other);
}

export function keyOf(row) {
  return `${row.namespace}/${row.name}`;
}

export function pathOf(row) {
  return `/ranges/${encodeURIComponent(row.namespace)}/${encodeURIComponent(row.name)}`;
}

/** What happens to it now, or what keeps it. */
export function why(row) {
  const moving = (row.transfers ?? []).find((each) => !each.is_waiting);
  if (row.ready === null) return "not looked at since its last change";
  if (row.suspended) return "nothing is transferred until it is resumed";
  if (!row.ready && moving && row.images_failed === 0) return progressOf(moving, row);
  if (row.ready && row.fallback) return `${row.fallback_reason ?? ""}: ${row.fallback_message ?? ""}`.replace(/^: /, "");
  return row.ready ? "" : row.message ?? "";
}

function progressOf(moving, row) {
  const share = moving.total_bytes ? ` ${Math.floor((100 * moving.done_bytes) / moving.total_bytes)} %` : "";
  const more = row.transfers.length - 1 + (row.transfers_omitted ?? 0);
  return `pulling ${moving.image}${share}${more > 0 ? `, ${more} more` : ""}`;
}

export function routeBadges(row) {
  const badges = (row.route ?? "").split("+").filter(Boolean).map((route) => badge(route, route));
  if (row.fallback) badges.push(badge("fallback", "detour", row.fallback_message));
  return badges;
}

export function makeTile(row) {
  const name = h("span", { class: "name" });
  const ratio = h("span", { class: "ratio" });
  const word = h("span", { class: "word" });
  const badges = h("span", { class: "badges" });
  const reason = h("span", { class: "why" });
  const mark = shape("unknown");
  const link = h("a", { href: pathOf(row) },
    h("span", { class: "line" }, mark, name, ratio), h("span", { class: "line" }, word, badges), reason);
  const item = h("li", { class: "tile" }, link);
  item.parts = { name, ratio, word, badges, reason, mark, link };
  return item;
}

export function changeTile(item, row) {
  const { name, ratio, word, badges, reason, mark, link } = item.parts;
  const state = rangeState(row);
  turn(mark, state.shape);
  text(name, row.name);
  text(ratio, `${row.images_present}/${row.images_desired}`);
  text(word, state.word);
  setBadges(badges, row, []);
  text(reason, why(row));
  attribute(item, "data-state", state.shape);
  attribute(link, "title", `${keyOf(row)}: ${state.word}${why(row) ? `, ${why(row)}` : ""}`);
}

function setBadges(element, row, none) {
  const routes = `${row.route} ${row.fallback} ${row.fallback_message}`;
  if (element.dataset.routes === routes) return;
  element.replaceChildren(...(row.route ? routeBadges(row) : none));
  element.dataset.routes = routes;
}

export const HEADS = ["State", "Range", "Images", "Engines", "Route", "Why"];

export function makeRow(row) {
  const mark = shape("unknown");
  const word = h("span");
  const link = h("a", { href: pathOf(row) });
  const space = h("span", { class: "quiet" });
  const cells = [
    cell("State", h("span", { class: "state" }, mark, word)), cell("Range", link, space), cell("Images"), cell("Engines"),
    cell("Route"), cell("Why"),
  ];
  const line = h("tr", {}, cells);
  line.parts = { mark, word, link, space, cells };
  return line;
}

export function changeRow(line, row) {
  const { mark, word, link, space, cells } = line.parts;
  const state = rangeState(row);
  turn(mark, state.shape);
  text(word, state.word);
  text(link, row.name);
  text(space, ` in ${row.namespace}`);
  text(cells[2], `${row.images_present}/${row.images_desired}`);
  text(cells[3], `${row.targets_ready}/${row.targets_matched}`);
  setBadges(cells[4], row, ["none yet"]);
  text(cells[5], why(row));
}

/** A line per transfer under way, with a bar. */
export const transferRows = {
  key: (row) => `${row.image} ${row.pod} ${row.route}`,
  make: (row) => {
    const progress = bar(`${row.image} into ${row.pod ?? "the registry"}`);
    const item = h("li", {}, h("span", { class: "name" }, row.image), progress.element, h("span", { class: "numbers" }),
      h("span", { class: "state" }));
    item.progress = progress;
    return item;
  },
  change: (item, row) => {
    item.progress.set(row.total_bytes ? row.done_bytes : null, row.total_bytes);
    const speed = row.is_waiting ? "waits for its turn" : rate(row.bytes_per_second);
    text(item.children[2], [amount(row.done_bytes, row.total_bytes), speed].filter(Boolean).join(", "));
    text(item.children[3], `${row.pod ?? "registry"}, by ${row.route.toLowerCase()}`);
  },
};
