// Ranges at a glance: tiles where there are few, a table in pages beyond, the worst first, followed
// as they change.

import { ask } from "./api.js";
import { calmly, h, keep, show, text } from "./dom.js";
import { bar, pager, region, table } from "./parts.js";
import { follow } from "./stream.js";
import { changeRow, changeTile, HEADS, keyOf, makeRow, makeTile, worstFirst } from "./range_rows.js";

const MOST_TILES = 60;

/** `query()` says which ranges; `counted({ready, total})` hears how many there are. */
export function rangeList(scope, { what, query, streamQuery, counted, emptyWords }) {
  const tiles = h("ul", { class: "tiles", "aria-label": "Ranges" });
  const rows = table("Ranges", HEADS);
  const empty = h("p", { class: "empty" });
  const pages = pager(() => list.refresh(), MOST_TILES);
  const words = h("p", { class: "sum", role: "status" });
  const progress = bar("Ranges that are ready");
  const head = h("div", { class: "overall" }, words, progress.element);
  const body = h("div", {}, head, tiles, rows.element, empty, pages.element);
  let shown = [];
  const list = region(scope, {
    what,
    load: (signal) => ask("ranges", { signal, query: { ...query(), limit: MOST_TILES, offset: pages.offset() } }),
    draw: (page) => {
      shown = page.items;
      if (pages.set(page.total, page.total === 1 ? "range" : "ranges")) {
        list.refresh();
        return;
      }
      count(page);
      draw(page.total);
    },
    body,
  });
  const soon = calmly(() => list.refresh(), 400, 1200);

  function count({ ready, total }) {
    text(words, `${ready} of ${total} ranges ready`);
    progress.set(ready, total);
    counted({ ready, total });
  }

  function draw(total) {
    const isFew = total <= MOST_TILES;
    shown.sort(worstFirst);
    keep(tiles, isFew ? shown : [], { key: keyOf, make: makeTile, change: changeTile });
    keep(rows.body, isFew ? [] : shown, { key: keyOf, make: makeRow, change: changeRow });
    show(tiles, isFew && total > 0);
    show(rows.element, !isFew);
    show(empty, total === 0);
    show(head, total > 0);
    text(empty, emptyWords());
  }

  /** What is shown changes at once; which ones are on this page is asked a moment later. */
  function changes({ changed, removed }) {
    const now = new Map(changed.map((row) => [keyOf(row), row]));
    const gone = new Set(removed);
    if (!body.hidden && !list.element.querySelector("[role=alert]:not([hidden])")) {
      shown = shown.filter((row) => !gone.has(keyOf(row))).map((row) => now.get(keyOf(row)) ?? row);
      draw(Math.max(shown.length, rows.element.hidden ? shown.length : MOST_TILES + 1));
    }
    soon();
  }

  follow("ranges/events", { query: streamQuery, signal: scope.signal, listeners: { ranges: changes } });
  scope.every(60_000, list.refresh);
  scope.signal.addEventListener("abort", soon.stop);
  list.refresh();
  return {
    element: list.element,
    refresh: list.refresh,
    search: calmly(() => {
      pages.first();
      list.refresh();
    }, 200),
  };
}
