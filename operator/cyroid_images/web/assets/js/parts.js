// What pages are made of: regions with their states in words, times, bars, things to copy.

import { attribute, h, show, text } from "./dom.js";
import { ago, exact } from "./format.js";

/**
 * A part of a page that is loaded: it says that it loads, shows what came, and where asking
 * failed says so and offers to try again. What was shown stays, marked as of when it is.
 * `draw(data)` fills `body`; `refresh()` asks again and never shows an older answer over a newer.
 */
export function region(scope, { what, load, draw, body, failed = () => {} }) {
  const words = h("p", { class: "quiet" }, `Loading ${what}…`);
  const message = h("p");
  const retry = h("button", { type: "button", on: { click: () => refresh({ isAsked: true }) } }, "Try again");
  const error = h("div", { class: "notice bad", role: "alert", hidden: true }, message, retry);
  const element = h("div", { class: "region", "aria-busy": "true" }, words, error, body);
  let asked = 0;
  let lastGood = null;
  show(body, false);

  async function refresh({ isAsked = false } = {}) {
    const mine = ++asked;
    attribute(element, "aria-busy", "true");
    if (isAsked) attribute(retry, "disabled", true);
    try {
      const data = await load(scope.signal);
      if (mine !== asked || scope.signal.aborted) return;
      lastGood = new Date();
      draw(data);
      show(body, true);
      show(error, false);
    } catch (problem) {
      if (mine !== asked || scope.signal.aborted) return;
      const since = lastGood ? ` What is shown is as of ${exact(lastGood)}.` : "";
      text(message, `${sentence(problem.message)}${since}`);
      show(error, true);
      failed(problem, lastGood);
    }
    show(words, false);
    attribute(element, "aria-busy", "false");
    attribute(retry, "disabled", false);
  }

  return { element, refresh };
}

/** Begins with a capital, unless with a name, and ends with a stop. */
export function sentence(said) {
  const trimmed = String(said ?? "").trim();
  if (!trimmed) return "";
  const isWord = /^[a-z]+[ ,;.]/.test(trimmed);
  const whole = isWord ? trimmed[0].toUpperCase() + trimmed.slice(1) : trimmed;
  return /[.!?]$/.test(whole) ? whole : `${whole}.`;
}

const times = new Set();
setInterval(() => {
  for (const reference of times) {
    const element = reference.deref();
    if (!element) times.delete(reference);
    else if (element.isConnected) text(element, ago(new Date(element.dateTime)));
  }
}, 5000);

/** A moment as how long ago it was, the exact one on hover; it goes on by itself. */
export function time(moment) {
  const element = h("time");
  times.add(new WeakRef(element));
  setTime(element, moment);
  return element;
}

export function setTime(element, moment) {
  if (!moment) {
    attribute(element, "datetime", null);
    attribute(element, "title", null);
    text(element, "unknown");
    return;
  }
  const at = new Date(moment);
  attribute(element, "datetime", moment);
  attribute(element, "title", exact(at));
  text(element, ago(at));
}

/** A bar for eyes and ears; `set(value, max)` moves it, and null means: of unknown length. */
export function bar(label) {
  const element = h("progress", { "aria-label": label, max: 1 });
  const set = (value, max) => {
    attribute(element, "max", max || 1);
    attribute(element, "value", value === null || value === undefined ? null : Math.min(value, max || 1));
  };
  return { element, set };
}

/** A button that copies `read()`, and says that it did. Where that is forbidden it selects it. */
export function copyButton(label, read, fallback) {
  const button = h("button", { type: "button", class: "small" }, label);
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(read());
      text(button, "Copied");
    } catch {
      if (fallback) getSelection().selectAllChildren(fallback);
      text(button, "Selected: press Ctrl+C");
    }
    setTimeout(() => text(button, label), 2500);
  });
  return button;
}

/** A badge: a short word about a thing, with why on hover and for ears. */
export function badge(word, kind = "", why = null) {
  return h("span", { class: `badge ${kind}`.trim(), title: why }, word);
}

/** A table with these heads; a wide one scrolls inside its own frame. */
export function table(caption, heads) {
  const cells = heads.map((head) => h("th", { scope: "col", class: head.class }, head.name ?? head));
  const body = h("tbody");
  const element = h(
    "div",
    { class: "frame", role: "region", "aria-label": caption, tabindex: "0" },
    h("table", {}, h("caption", { class: "unseen" }, caption), h("thead", {}, h("tr", {}, cells)), body),
  );
  return { element, body };
}

/** A cell, and the head that a narrow window shows beside it. */
export function cell(head, ...children) {
  return h("td", { "data-head": head }, ...children);
}

/** Earlier and later pages of a long list; hidden where one page holds all. */
export function pager(onMove, size) {
  const where = h("span", { "aria-live": "polite" });
  const earlier = h("button", { type: "button", class: "small" }, "Previous");
  const later = h("button", { type: "button", class: "small" }, "Next");
  const element = h("div", { class: "pager", role: "group", "aria-label": "Pages" }, where, earlier, later);
  let offset = 0;
  let total = 0;
  const move = (step) => {
    offset = Math.max(0, offset + step * size);
    onMove();
  };
  earlier.addEventListener("click", () => move(-1));
  later.addEventListener("click", () => move(1));
  return {
    element,
    offset: () => offset,
    first: () => {
      offset = 0;
    },
    /** Says where we are; true where this page is past the end, since things went away. */
    set: (count, what) => {
      total = count;
      if (offset >= total && offset > 0) {
        offset = Math.max(0, Math.floor((total - 1) / size) * size);
        return true;
      }
      const last = Math.min(offset + size, total);
      text(where, total ? `${offset + 1} to ${last} of ${total.toLocaleString("en")} ${what}` : `No ${what}`);
      const isOne = total <= size;
      show(earlier, !isOne);
      show(later, !isOne);
      attribute(earlier, "disabled", offset === 0);
      attribute(later, "disabled", last >= total);
      return false;
    },
  };
}

/** A line that says what was done, read out when it changes; its place is kept while it is empty. */
export function saying() {
  const element = h("p", { class: "saying", role: "status" });
  return {
    element,
    say: (words, isBad = false) => {
      element.classList.toggle("bad", isBad);
      text(element, words);
    },
  };
}

/** Runs `work` with the button held, and says how it failed. */
export async function pressed(button, line, work) {
  attribute(button, "aria-disabled", true);
  if (button.dataset.busy) return;
  button.dataset.busy = "1";
  try {
    await work();
  } catch (problem) {
    line.say(sentence(problem.message), true);
  } finally {
    delete button.dataset.busy;
    attribute(button, "aria-disabled", null);
  }
}

/** A heading and what stands under it. */
export function section(title, ...children) {
  const id = `part-${title.toLowerCase().replaceAll(/[^a-z]+/g, "-")}`;
  return h("section", { "aria-labelledby": id }, h("h2", { id }, title), ...children);
}
