// Where the page begins: sign-in, then the view that the address names.

import { ask, onSignedOut } from "./api.js";
import { h } from "./dom.js";
import { event, events } from "./page_events.js";
import { health } from "./page_health.js";
import { importing } from "./page_import.js";
import { range } from "./page_range.js";
import { ranges } from "./page_ranges.js";
import { registry } from "./page_registry.js";
import { sources } from "./page_sources.js";
import { sentence } from "./parts.js";
import { newScope } from "./scope.js";
import { chosenCache, token } from "./session.js";
import { shell } from "./shell.js";
import { signIn } from "./signin.js";

const NAME = "cyroid-images";
const VIEWS = { registry, ranges, events, sources, import: importing, health };
let frame = null;
let me = null;
let scope = null;

/** What a view may use: who looks, at which cache, and the title of the window. */
function context() {
  return {
    me,
    rights: me.rights,
    cache: chosenCache.get(),
    go: (path) => go(path),
    title: (words, figures = "") => {
      document.title = `${figures ? `(${figures}) ` : ""}${words} · ${NAME}`;
    },
  };
}

function go(path) {
  history.pushState(null, "", path);
  open({ isMove: true });
}

function open({ isMove = false } = {}) {
  scope?.leave();
  scope = newScope();
  const [page, ...names] = location.pathname.split("/").filter(Boolean).map(decodeURIComponent);
  const name = page ?? "registry";
  frame.place(name);
  const view = chosen(name, names);
  const app = context();
  const content = me.rights.read ? view(scope, app, names) : noRight(app);
  frame.main.replaceChildren(...content);
  if (!isMove) return;
  scrollTo(0, 0);
  frame.main.querySelector("h1")?.focus({ preventScroll: true });
}

function chosen(name, names) {
  if (name === "ranges" && names.length === 2) return range;
  if (name === "events" && names.length === 1) return event;
  return (names.length === 0 && Object.hasOwn(VIEWS, name) && VIEWS[name]) || missing;
}

function missing(_scope, app) {
  app.title("No such page");
  return [h("h1", { tabindex: "-1" }, "There is no such page"),
    h("p", {}, h("a", { href: "/registry" }, "To the registry"))];
}

function noRight(app) {
  app.title("No right to read");
  return [h("h1", { tabindex: "-1" }, "You may not read this"),
    h("p", {}, `You are signed in as ${me.user}, whom the cluster does not let read image caches. `,
      "Ask an administrator for a role that reads ", h("code", {}, "imagecaches"), " and ",
      h("code", {}, "rangeimages"), "; evaluators have one."),
    h("p", {}, h("button", { type: "button", on: { click: start } }, "Look again"))];
}

function askForToken(why = "") {
  scope?.leave();
  token.forget();
  frame = me = null;
  document.title = `Sign in · ${NAME}`;
  const form = signIn(enter, why);
  document.body.replaceChildren(form.element);
  form.field.focus();
}

function enter(person) {
  me = person;
  frame = shell(me, { signOut: () => askForToken(), cacheChanged: start });
  document.body.replaceChildren(frame.element);
  open();
}

/** Who is it? A token that is no longer taken asks for another; no answer is told as that. */
async function start() {
  if (!token.get()) {
    askForToken();
    return;
  }
  try {
    enter(await ask("me", { query: { cache: chosenCache.get() } }));
  } catch (error) {
    if (error.status !== 401) unknown(error);
  }
}

function unknown(error) {
  document.title = `No answer · ${NAME}`;
  const again = h("button", { type: "button", class: "primary", on: { click: start } }, "Try again");
  document.body.replaceChildren(h("main", { id: "main" }, h("div", { class: "signin" },
    h("h1", {}, "The API does not say who you are"),
    h("p", { role: "alert" }, sentence(error.message)), again)));
}

document.addEventListener("click", (click) => {
  const link = click.target.closest?.("a[href^='/']");
  const isPlain = click.button === 0 && !(click.ctrlKey || click.metaKey || click.shiftKey || click.altKey);
  if (!link || !isPlain || !frame || click.defaultPrevented || link.pathname.startsWith("/api/")) return;
  click.preventDefault();
  go(link.pathname + link.search);
});
addEventListener("popstate", () => frame && open({ isMove: true }));
onSignedOut((message) => {
  const isAsked = document.querySelector("form.signin") !== null; // the form tells it itself
  if (token.get() && !isAsked) askForToken(sentence(message));
});

start();
