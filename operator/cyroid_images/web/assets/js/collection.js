// Collection: what the registry's disk was freed of, and what a collection now would free.

import { ask } from "./api.js";
import { h, text } from "./dom.js";
import { bytes, count } from "./format.js";
import { pressed, region, saying, section, sentence, setTime, time } from "./parts.js";
import { question } from "./dialog.js";

const PATIENCE = 120_000;
/** So long it is asked anew whether the operator began what it was asked for. */

/** The last run, and buttons for those who may. */
export function collection(scope, app, { changed }) {
  const query = { cache: app.cache };
  const words = h("span", {});
  const at = time(null);
  const why = h("p", { class: "why" });
  const last = h("p", {}, words, at);
  const line = saying();
  const dry = h("button", { type: "button" }, "Dry run");
  const real = h("button", { type: "button" }, "Collect");
  let isRunning = false;
  let asked = null;
  const body = h("div", {}, last, why);
  const part = region(scope, {
    what: "the last collection",
    load: (signal) => ask("registry/gc", { query, signal }),
    draw,
    body,
  });

  function draw(run) {
    const wasRunning = isRunning;
    isRunning = Boolean(run?.running);
    if (asked && run?.requested !== asked.before) asked = null;
    if (wasRunning && !isRunning) changed();
    text(words, run?.started ? said(run) : "Nothing was collected yet.");
    at.hidden = !run?.started;
    setTime(at, run?.finished ?? run?.started ?? null);
    text(why, run?.reason ? `${run.reason}: ${sentence(run.message ?? "")}` : "");
  }

  async function collect(isDry) {
    const { requested } = (await ask("registry/gc", { query })) ?? {};
    const { message } = await ask("registry/gc", { method: "POST", query, body: { dry_run: isDry } });
    asked = { before: requested, until: Date.now() + PATIENCE };
    line.say(sentence(message));
    await part.refresh();
  }

  dry.addEventListener("click", () => pressed(dry, line, () => collect(true)));
  real.addEventListener("click", () => question({
    title: "Collect now?",
    body: [h("p", {}, "What no tag needs any more leaves the disk of the registry. Pushes wait while it lasts; ranges go on pulling.")],
    verb: "Collect",
    act: () => collect(false),
  }));
  scope.every(3000, () => {
    if (isRunning || (asked && Date.now() < asked.until)) part.refresh();
  });
  const buttons = app.rights.delete ? [h("div", { class: "row" }, dry, real)] : [];
  return { element: section("Collection", part.element, ...buttons, line.element), refresh: part.refresh };
}

function said(run) {
  const kind = run.dry_run ? "dry run" : "collection";
  if (!run.finished) return `A ${kind} is under way, begun `;
  if (run.reason) return `The last ${kind} failed `;
  const what = `${bytes(run.freed_bytes)}${run.blobs === null || run.blobs === undefined ? "" : ` in ${count(run.blobs, "blob")}`}`;
  return run.dry_run ? `A collection would free ${what}, as the dry run found ` : `The last collection freed ${what} `;
}
