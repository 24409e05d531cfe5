// Registry: how it is, what to push, what it holds, and what it was freed of.

import { follow } from "./stream.js";
import { cards } from "./cards.js";
import { collection } from "./collection.js";
import { calmly, h } from "./dom.js";
import { prompt } from "./prompt.js";
import { push } from "./push.js";
import { tags } from "./tags.js";

/** The page of the registry of the chosen cache. */
export function registry(scope, app) {
  app.title("Registry");
  const list = tags(scope, app, { changed: () => figures.refresh() });
  const figures = cards(scope, app, { refreshAll: () => refreshAll() });
  const pushing = push(scope, app);
  const built = prompt(app, { push: pushing.start });
  const collected = collection(scope, app, { changed: () => list.refresh() });
  const relist = calmly(() => {
    list.refresh();
    collected.refresh();
  });
  pushing.onUnpushed(built.offer);

  function refreshAll() {
    for (const part of [figures, pushing, list, collected]) part.refresh();
  }

  let isFirst = true;
  follow("registry/events", {
    query: { cache: app.cache },
    signal: scope.signal,
    open: () => {
      if (!isFirst) refreshAll(); // what happened while nobody told us
      isFirst = false;
    },
    listeners: {
      pushes: (rows) => {
        if (pushing.follow(rows)) relist();
      },
      stats: (stats) => {
        if (figures.follow(stats)) relist();
      },
      unpushed: pushing.followUnpushed,
    },
  });
  refreshAll();
  scope.every(60_000, refreshAll);
  return [h("h1", { tabindex: "-1" }, "Registry"), figures.element, pushing.element, list.element,
    collected.element, built.element];
}
