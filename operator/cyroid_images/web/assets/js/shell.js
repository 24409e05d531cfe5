// What stands around every page: navigation, the cache that is looked at, who is signed in, and
// whether the page follows what happens.

import { ask } from "./api.js";
import { attribute, h, keep, text } from "./dom.js";
import { clock } from "./format.js";
import { chosenCache } from "./session.js";
import { onLive } from "./stream.js";

const PAGES = [
  ["registry", "Registry"],
  ["ranges", "Ranges"],
  ["events", "Events"],
  ["sources", "Sources"],
  ["import", "Import"],
  ["health", "Health"],
];

/** The frame for this person; `place(page)` marks where we are. */
export function shell(me, { signOut, cacheChanged }) {
  const links = PAGES.filter(([path]) => path !== "import" || me.rights.delete)
    .map(([path, name]) => h("a", { href: `/${path}` }, name));
  const main = h("main", { id: "main" });
  const element = h("div", { class: "shell" },
    h("a", { class: "skip", href: "#main", on: { click: skip } }, "Skip to the content"),
    h("header", {},
      h("a", { class: "brand", href: "/registry" }, "cyroid-images"),
      cacheSelector(cacheChanged), live(), person(me, signOut)),
    h("nav", { "aria-label": "Pages" }, links),
    main);

  function skip(event) {
    event.preventDefault();
    main.querySelector("h1")?.focus();
  }

  return {
    element,
    main,
    place: (page) => {
      for (const link of links) attribute(link, "aria-current", link.pathname === `/${page}` ? "page" : null);
    },
  };
}

function cacheSelector(changed) {
  const select = h("select", { id: "cache", on: { change: () => {
    chosenCache.set(select.value);
    changed();
  } } });
  fillCaches(select, changed);
  return h("div", { class: "cache" }, h("label", { for: "cache" }, "Cache"), select);
}

/** Those that there are; the chosen one stays in the list, so that it can be seen to be gone. */
async function fillCaches(select, changed) {
  const chosen = chosenCache.get();
  const fill = (rows) => {
    keep(select, rows, {
      key: (row) => row.name,
      make: (row) => h("option", { value: row.name }),
      change: (option, row) => text(option, row.note ? `${row.name} (${row.note})` : row.name),
    });
    select.value = chosen;
  };
  fill([{ name: chosen }]);
  try {
    const caches = await ask("caches");
    const isThere = caches.some((row) => row.name === chosen);
    if (!isThere && caches.length && !chosenCache.isChosen()) {
      chosenCache.set(caches[0].name); // nobody chose yet, and there is no "default"
      changed();
      return;
    }
    fill(isThere ? caches : [{ name: chosen, note: "there is none" }, ...caches]);
  } catch {
    fill([{ name: chosen, note: "others unknown" }]);
  }
}

function live() {
  const dot = h("span", { class: "dot", "aria-hidden": "true" });
  const words = h("span", {});
  const element = h("div", { class: "live", role: "status" }, dot, words);
  onLive(({ state, since, why }) => {
    element.dataset.state = state;
    const lost = why ? "Not current" : "Reconnecting";
    text(words, { live: "Live", opening: "Connecting…", lost: since && `${lost} since ${clock(since)}`, none: "" }[state]);
    attribute(element, "title", why);
  });
  return element;
}

function person(me, signOut) {
  const name = me.user.replace(/^system:serviceaccount:/, "");
  return h("div", { class: "person" },
    h("span", { class: "name", title: me.user }, name),
    h("span", { class: "quiet role" }, roleOf(me.rights)),
    h("button", { type: "button", class: "small", on: { click: signOut } }, "Sign out"));
}

function roleOf(rights) {
  if (rights.delete) return "may push and delete";
  if (rights.push) return "may push";
  return rights.read ? "may read" : "may not read";
}

