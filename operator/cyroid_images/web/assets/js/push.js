// Push one image that a source has and the registry lacks, or all of them; and see how far each is.

import { ask } from "./api.js";
import { attribute, h, keep, show, text } from "./dom.js";
import { ago, amount, bytes, count, rate } from "./format.js";
import { bar, pressed, region, saying, section, sentence } from "./parts.js";
import { newBatch } from "./batch.js";

const WORDS = {
  starting: "starting", pushing: "pushing", verifying: "verifying", cleaning: "cleaning up",
  completed: "in the registry", failed: "failed",
};
const MOST_SHOWN = 50;

/** The part of the page about pushes; `start(image)` pushes one. */
export function push(scope, app) {
  const query = { cache: app.cache };
  const select = h("select", { id: "push-image" });
  const one = h("button", { type: "submit", class: "primary" }, "Push to registry");
  const all = h("button", { type: "button" }, "Push all missing");
  const about = h("p", {});
  const line = saying();
  const form = h("form", { class: "row push-one", on: { submit: (event) => {
    event.preventDefault();
    pressed(one, line, () => start(select.value));
  } } }, h("label", { for: "push-image" }, "Image of a source"), select, one);
  const allRow = h("div", { class: "row" }, about, all);
  const batch = newBatch();
  const running = h("ul", { class: "pushes", "aria-label": "Pushes" });
  const listeners = [];
  let unpushed = [];
  let active = [];
  let told = 0;
  all.addEventListener("click", () => pressed(all, line, startAll));

  async function start(image) {
    const said = await begin(image);
    line.say(`${said.image_tag}: ${said.message}.`);
    await refreshActive();
  }

  async function startAll() {
    const images = [...new Set(unpushed.map((row) => row.image))];
    batch.begin(images);
    for (const image of images) {
      try {
        batch.asked(image, (await begin(image)).operation_id);
      } catch (error) {
        if (scope.signal.aborted) return;
        batch.refused(image, sentence(error.message));
      }
    }
    line.say(batch.troubles(), true);
    await refreshActive();
  }

  function begin(image) {
    return ask("registry/push", { method: "POST", query, body: { image_tag: image }, signal: scope.signal });
  }

  async function refreshActive() {
    const before = told;
    const { pushes } = await ask("registry/pushes/active", { query, signal: scope.signal });
    if (told === before) followPushes(pushes); // else the stream said something newer meanwhile
  }

  /** Takes pushes as a stream tells them; true where one of them came to its end. */
  function followPushes(rows) {
    told += 1;
    const now = new Set(rows.filter((row) => !isOver(row)).map((row) => row.operation_id));
    const ended = active.some((row) => !now.has(row.operation_id));
    batch.follow(rows);
    askForEnded(batch.open().filter((id) => !now.has(id) && !rows.some((row) => row.operation_id === id)));
    active = rows.filter((row) => !isOver(row));
    const failed = rows.filter((row) => row.status === "failed");
    const shown = [...active, ...failed].slice(0, MOST_SHOWN);
    keep(running, shown, { key: (row) => row.operation_id, make: makePush, change: changePush });
    show(running, shown.length > 0);
    if (ended) parts.refresh();
    return ended;
  }

  /** The list holds those that go on: how the others ended is asked. */
  async function askForEnded(ids) {
    for (const id of ids) {
      const row = await ask(`registry/push/${id}/status`, { query, signal: scope.signal }).catch(() => null);
      if (row) batch.follow([row]);
    }
  }

  function drawUnpushed(rows) {
    unpushed = rows;
    const chosen = select.value;
    keep(select, rows, {
      key: (row) => `${row.source}/${row.image}`,
      make: (row) => h("option", { value: row.image }),
      change: (option, row) => text(option, optionOf(row)),
    });
    if (rows.some((row) => row.image === chosen)) select.value = chosen;
    const images = new Set(rows.map((row) => row.image)).size;
    text(about, images
      ? `${count(images, "image")} of sources ${images === 1 ? "is" : "are"} not in the registry.`
      : "The registry has every image that the engines of the sources hold.");
    show(form, app.rights.push && images > 0);
    show(all, app.rights.push && images > 0);
    for (const listener of listeners) listener(rows);
  }

  const hint = h("p", { class: "quiet", hidden: app.rights.push }, "You may look; pushing needs the right to change image caches.");
  const body = h("div", {}, form, allRow, hint);
  const parts = region(scope, {
    what: "what the sources have",
    load: (signal) => ask("registry/unpushed", { query, signal }),
    draw: drawUnpushed,
    body,
  });
  show(running, false);
  return {
    element: section("Push", parts.element, batch.element, running, line.element),
    refresh: () => {
      parts.refresh();
      refreshActive().catch(() => {}); // the cards say that nothing answers
    },
    start: (image) => start(image),
    follow: followPushes,
    followUnpushed: (rows) => {
      if (!body.hidden) drawUnpushed(rows);
      else parts.refresh();
    },
    onUnpushed: (listener) => listeners.push(listener),
  };
}

export function isOver(row) {
  return row.status === "completed" || row.status === "failed";
}

function optionOf(row) {
  const built = row.created ? `, built ${ago(new Date(row.created))}` : "";
  return `${row.image}  (${row.source}${built}, ${bytes(row.size_bytes)})`;
}

function makePush(row) {
  const progress = bar(`Push of ${row.image_tag}`);
  const item = h("li", {}, h("span", { class: "name" }, row.image_tag), progress.element,
    h("span", { class: "numbers" }), h("span", { class: "state" }), h("p", { class: "why" }));
  item.progress = progress;
  return item;
}

function changePush(item, row) {
  const [, progress, numbers, state, why] = item.children;
  if (row.status === "failed") show(progress, false);
  else if (row.total_bytes) item.progress.set(row.done_bytes, row.total_bytes);
  else item.progress.set(row.progress_percent || null, 100);
  text(numbers, [amount(row.done_bytes, row.total_bytes), rate(row.bytes_per_second)].filter(Boolean).join(", "));
  text(state, WORDS[row.status] ?? row.status);
  attribute(item, "class", row.status === "failed" ? "bad" : null);
  text(why, row.status === "failed" ? `${row.reason ? `${row.reason}: ` : ""}${sentence(row.error_message ?? "no reason is known")}` : "");
}
