// Import: a bundle is sent to the API as it is read from the disk, and what became of each of its
// images is listed.

import { attribute, h, show, text } from "./dom.js";
import { amount, bytes, count, rate } from "./format.js";
import { bar, saying, sentence } from "./parts.js";
import { bundleResult } from "./bundle.js";
import { upload } from "./upload.js";

const NAMES = ".zip,.tar,.tar.gz,.tgz";

/** The page to import a bundle; only for those who may. */
export function importing(scope, app) {
  app.title("Import");
  const head = h("h1", { tabindex: "-1" }, "Import");
  if (!app.rights.delete) {
    return [head, h("p", {}, "You may not import: it needs the right to delete image caches, which administrators have.")];
  }
  const file = h("input", { id: "bundle", type: "file", accept: NAMES, "aria-describedby": "bundle-help" });
  const chosen = h("p", { role: "status", class: "saying" });
  const push = h("input", { type: "checkbox", id: "bundle-push" });
  const send = h("button", { type: "submit", class: "primary" }, "Import");
  const stop = h("button", { type: "button", hidden: true }, "Stop");
  const progress = bar("Upload");
  const numbers = h("span", { class: "numbers" });
  const moving = h("div", { class: "batch", hidden: true }, progress.element, numbers);
  const line = saying();
  const result = h("div", {});
  const drop = h("div", { class: "drop" },
    h("label", { for: "bundle" }, "Bundle: a blueprint's zip, or a catalog folder as tar.gz"), file,
    h("p", { id: "bundle-help", class: "quiet" }, "Choose one, or drop it here. Only images that the bundle declares are taken. A cut or a too large one leaves nothing."));
  const form = h("form", { class: "import", on: { submit } }, drop, chosen,
    h("label", { class: "check" }, push, "Push its images to the registry now"),
    h("p", { class: "quiet" }, "Otherwise each is pushed when the first range asks for it."),
    h("div", { class: "row" }, send, stop), moving, line.element);
  let picked = null;
  let running = null;

  function pick(one) {
    picked = one ?? null;
    text(chosen, picked ? `${picked.name}, ${bytes(picked.size)}` : "");
    line.say("");
  }

  async function submit(event) {
    event.preventDefault();
    if (running) return;
    if (!picked) {
      line.say("Choose a bundle first.", true);
      file.focus();
      return;
    }
    running = new AbortController();
    begin();
    try {
      drawResult(await upload("bundles", { query: { cache: app.cache, push: push.checked, name: picked.name }, file: picked, moved,
        signal: AbortSignal.any([running.signal, scope.signal]) }));
    } catch (problem) {
      line.say(sentence(problem.message), true);
    }
    running = null;
    end();
  }

  let began = 0;
  function moved(done, total) {
    progress.set(done, total);
    const seconds = (performance.now() - began) / 1000;
    const isSent = done === total;
    text(numbers, isSent ? `${bytes(total)} sent, the API checks and loads it…`
      : [amount(done, total), rate(seconds > 0.5 ? done / seconds : 0)].filter(Boolean).join(", "));
    if (isSent) progress.set(null, 1);
  }

  function begin() {
    began = performance.now();
    line.say(`Importing ${picked.name}.`);
    result.replaceChildren();
    progress.set(0, picked.size);
    text(numbers, "");
    show(moving, true);
    show(stop, true);
    attribute(send, "aria-disabled", true);
  }

  function end() {
    show(moving, false);
    show(stop, false);
    attribute(send, "aria-disabled", null);
  }

  function drawResult(said) {
    line.say(`${said.name}: ${count(said.loaded.length, "image")} loaded, ${said.skipped.length} skipped, ${said.failed.length} failed.`);
    result.replaceChildren(...bundleResult(said));
  }

  file.addEventListener("change", () => pick(file.files[0]));
  stop.addEventListener("click", () => running?.abort());
  for (const name of ["dragenter", "dragover"]) drop.addEventListener(name, (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    pick(event.dataTransfer.files[0]);
  });
  return [head, form, result];
}
