// The figures of a registry. Its health has three states: what could not be asked is unknown.

import { ask } from "./api.js";
import { attribute, h, show, text } from "./dom.js";
import { bytes, clock } from "./format.js";
import { sentence } from "./parts.js";
import { shape, turn } from "./shapes.js";

/** `refresh()` asks anew; `follow(stats)` takes what a stream says, true where figures changed. */
export function cards(scope, app, { refreshAll }) {
  const mark = shape("unknown");
  const word = h("strong", {}, "Asking…");
  const why = h("p", { class: "quiet" });
  const retry = h("button", { type: "button", class: "small", on: { click: refreshAll } }, "Refresh");
  const health = card("Health", h("p", { class: "figure", role: "status" }, mark, word), why, retry);
  const images = figure("Images");
  const tags = figure("Tags");
  const stored = figure("Stored");
  const disk = h("meter", { "aria-label": "Disk of the registry in use", min: 0, hidden: true });
  stored.element.append(disk);
  let before = "";
  let lastGood = null;
  let asked = 0;

  function draw(stats) {
    lastGood = new Date();
    asked += 1; // an older answer comes too late
    const state = stats.healthy === true ? "good" : stats.healthy === false ? "bad" : "unknown";
    turn(mark, state);
    text(word, { good: "Healthy", bad: "Unhealthy", unknown: "Unknown" }[state]);
    text(why, reasonOf(stats, state));
    text(retry, "Refresh");
    images.set(stats.image_count);
    tags.set(stats.tag_count);
    stored.set(bytes(stats.stored_bytes), stats.capacity_bytes ? `of ${bytes(stats.capacity_bytes)}` : "");
    show(disk, Boolean(stats.capacity_bytes && stats.used_bytes !== null));
    attribute(disk, "max", stats.capacity_bytes);
    attribute(disk, "value", stats.used_bytes);
    attribute(disk, "high", stats.capacity_bytes ? stats.capacity_bytes * 0.9 : null);
    const now = `${stats.image_count} ${stats.tag_count} ${stats.stored_bytes}`;
    const isChanged = before !== "" && now !== before;
    before = now;
    return isChanged;
  }

  function unknown(problem) {
    turn(mark, "unknown");
    text(word, "Unknown");
    const last = lastGood ? ` Last known at ${clock(lastGood)}.` : "";
    text(why, `${sentence(problem.message)}${last}`);
    text(retry, "Try again");
    if (!lastGood) for (const each of [images, tags, stored]) each.set(null);
  }

  async function refresh() {
    const mine = ++asked;
    try {
      const stats = await ask("registry/stats", { query: { cache: app.cache }, signal: scope.signal });
      if (mine === asked) draw(stats);
    } catch (problem) {
      if (mine === asked && !scope.signal.aborted) unknown(problem);
    }
  }

  const element = h("div", { class: "cards" }, health, images.element, tags.element, stored.element);
  return { element, refresh, follow: draw };
}

function reasonOf(stats, state) {
  const said = sentence(stats.message ?? "");
  if (state === "good") return stats.since ? `since ${clock(new Date(stats.since))}` : said;
  if (state === "bad") return said || "The registry does not answer as it should.";
  return said || "Nobody could ask the registry.";
}

function card(title, ...children) {
  return h("div", { class: "card" }, h("h2", {}, title), ...children);
}

function figure(title) {
  const number = h("strong", {}, "…");
  const more = h("span", { class: "quiet" });
  const element = card(title, h("p", { class: "figure" }, number, more));
  return { element, set: (value, note = "") => {
    text(number, value === null || value === undefined ? "unknown" : value.toLocaleString("en"));
    text(more, note);
  } };
}
