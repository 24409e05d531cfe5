// Events: how many of the ranges of each are ready, and one of them in full.

import { ask } from "./api.js";
import { calmly, h, keep, show, text } from "./dom.js";
import { count } from "./format.js";
import { bar, badge, region } from "./parts.js";
import { rangeList } from "./range_list.js";
import { follow } from "./stream.js";

/** The page of all events. */
export function events(scope, app) {
  app.title("Events");
  const list = h("ul", { class: "events" });
  const empty = h("p", { class: "empty" }, "No range carries the label ", h("code", {}, "cyroid.io/event"), ": it makes an event of ranges.");
  const part = region(scope, {
    what: "the events",
    load: (signal) => ask("events", { signal }),
    draw: (rows) => {
      keep(list, rows, { key: (row) => row.event, make: makeEvent, change: changeEvent });
      show(empty, rows.length === 0);
      show(list, rows.length > 0);
      const [ready, total] = [sum(rows, "ready"), sum(rows, "total")];
      app.title("Events", total ? `${ready}/${total}` : "");
    },
    body: h("div", {}, list, empty),
  });
  follow("ranges/events", { signal: scope.signal, listeners: { ranges: calmly(part.refresh, 400, 1200) } });
  scope.every(60_000, part.refresh);
  part.refresh();
  return [h("h1", { tabindex: "-1" }, "Events"), part.element];
}

function sum(rows, name) {
  return rows.reduce((all, row) => all + row[name], 0);
}

function makeEvent(row) {
  const progress = bar(`Ranges of ${row.event} that are ready`);
  const item = h("li", {}, h("a", { href: `/events/${encodeURIComponent(row.event)}` }, row.event),
    h("span", { class: "numbers" }), progress.element);
  item.progress = progress;
  return item;
}

function changeEvent(item, row) {
  text(item.children[1], `${row.ready} of ${count(row.total, "range")} ready`);
  item.progress.set(row.ready, row.total);
}

/** The page of one event. */
export function event(scope, app, [name]) {
  app.title(`Event ${name}`);
  const facts = h("p", { class: "badges" });
  const list = rangeList(scope, {
    what: `the ranges of ${name}`,
    query: () => ({ event: name }),
    streamQuery: { event: name },
    counted: ({ ready, total }) => {
      app.title(`Event ${name}`, `${ready}/${total}`);
      tell();
    },
    emptyWords: () => `No range carries the label cyroid.io/event=${name}.`,
  });

  async function tell() {
    try {
      drawFacts(await ask(`events/${encodeURIComponent(name)}`, { signal: scope.signal }));
    } catch {
      facts.replaceChildren(); // the list says what is wrong
    }
  }

  function drawFacts(view) {
    const words = [[`${view.images_present} of ${view.images_desired} images where they are wanted`, ""]];
    if (view.by_tar) words.push([`${count(view.by_tar, "range")} by tar`, "detour"]);
    if (view.needs_somebody) words.push([`${count(view.needs_somebody, "range")} ${view.needs_somebody === 1 ? "needs" : "need"} somebody`, "bad"]);
    facts.replaceChildren(...words.map(([word, kind]) => badge(word, kind)));
  }

  return [
    h("p", { class: "crumbs" }, h("a", { href: "/events" }, "Events")),
    h("h1", { tabindex: "-1" }, `Event ${name}`), facts, list.element,
  ];
}
