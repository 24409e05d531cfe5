// Health: every precondition of the installation, and what to do where one does not hold.

import { ask } from "./api.js";
import { h, keep, text } from "./dom.js";
import { count } from "./format.js";
import { cell, region, setTime, table, time } from "./parts.js";
import { shape, turn } from "./shapes.js";

const STATES = {
  ok: { shape: "good", word: "ok" },
  warn: { shape: "detour", word: "warning" },
  no: { shape: "bad", word: "no" },
  unknown: { shape: "unknown", word: "unknown" },
};
const PERIOD = 15_000;

/** The doctor's table, live. */
export function health(scope, app) {
  app.title("Health");
  const rows = table("Checks of the installation", ["Check", "Result", "What was seen", "What to do"]);
  const words = h("p", { role: "status", class: "sum" });
  const at = time(null);
  const part = region(scope, {
    what: "the checks",
    load: (signal) => ask("doctor", { query: { cache: app.cache }, signal }),
    draw: (checks) => {
      keep(rows.body, checks, { key: (row) => row.check, make: makeRow, change: changeRow });
      const open = checks.filter((row) => row.result !== "ok").length;
      text(words, open ? `${count(open, "check")} of ${checks.length} ${open === 1 ? "needs" : "need"} a look` : `All ${checks.length} checks are ok`);
      app.title("Health", open ? String(open) : "");
      setTime(at, new Date().toISOString());
    },
    body: h("div", {}, words, h("p", { class: "quiet" }, "Looked at ", at, ", again every 15 s."), rows.element),
  });
  scope.every(PERIOD, part.refresh);
  part.refresh();
  return [h("h1", { tabindex: "-1" }, "Health"), part.element];
}

function makeRow() {
  const mark = shape("unknown");
  const word = h("span");
  const line = h("tr", {}, cell("Check"), cell("Result", h("span", { class: "state" }, mark, word)), cell("What was seen"), cell("What to do"));
  line.parts = { mark, word };
  return line;
}

function changeRow(line, row) {
  const state = STATES[row.result] ?? STATES.unknown;
  turn(line.parts.mark, state.shape);
  text(line.parts.word, state.word);
  text(line.cells[0], row.check);
  text(line.cells[2], row.what);
  text(line.cells[3], row.todo || "nothing");
}
