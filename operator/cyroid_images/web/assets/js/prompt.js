// An image was built at a source and is not in the registry: an offer to push it, once per person.

import { h, show, text } from "./dom.js";
import { bytes } from "./format.js";
import { pressed, saying, setTime, time } from "./parts.js";
import { dismissed } from "./session.js";

const RECENT = 24 * 3600 * 1000;

/** `offer(rows)` takes what sources have and the registry lacks. */
export function prompt(app, { push }) {
  const words = h("span", { class: "name" });
  const at = time(null);
  const rest = h("span", {});
  const yes = h("button", { type: "button", class: "primary small" }, "Push");
  const no = h("button", { type: "button", class: "small" }, "Dismiss");
  const line = saying();
  const element = h("div", { class: "prompt", role: "region", "aria-label": "Image built", hidden: true },
    h("p", {}, words, at, rest), yes, no, line.element);
  let seen = null;
  let rows = [];
  let current = null;

  function draw() {
    const fresh = rows.filter((row) => !dismissed.has(idOf(row)) && isNew(row))
      .sort((one, other) => String(other.created ?? "").localeCompare(String(one.created ?? "")));
    current = fresh[0] ?? null;
    show(element, app.rights.push && current !== null);
    if (!current) return;
    text(words, `${current.image} was built in ${current.source} `);
    setTime(at, current.created);
    const more = fresh.length > 1 ? ` ${fresh.length - 1} more like it.` : "";
    text(rest, ` (${bytes(current.size_bytes)}) and is not in the registry.${more}`);
  }

  /** Built within a day, or come while somebody looked. */
  function isNew(row) {
    const isRecent = row.created && Date.now() - new Date(row.created).getTime() < RECENT;
    return isRecent || !seen.has(idOf(row));
  }

  function dismiss() {
    if (current) dismissed.add(idOf(current));
    line.say("");
    draw();
  }

  yes.addEventListener("click", () => pressed(yes, line, async () => {
    await push(current.image);
    dismiss();
  }));
  no.addEventListener("click", dismiss);

  return { element, offer: (unpushed) => {
    rows = unpushed;
    seen ??= new Set(rows.map(idOf));
    draw();
  } };
}

function idOf(row) {
  return `${row.source}/${row.image}@${row.id}`;
}
