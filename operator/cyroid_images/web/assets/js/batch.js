// "Push all missing": i of n are in the registry, and which ones failed.

import { h, show, text } from "./dom.js";
import { bar } from "./parts.js";

/** One batch at a time; its element is hidden until the first begins. */
export function newBatch() {
  const words = h("span", {});
  const progress = bar("All missing images");
  const element = h("div", { class: "batch", hidden: true }, h("p", { role: "status" }, words), progress.element);
  let rows = [];

  function draw() {
    const number = (state) => rows.filter((row) => row.state === state).length;
    const [done, failed, waiting] = [number("done"), number("failed"), number("new")];
    progress.set(done, rows.length);
    const trouble = failed ? `, ${failed} failed` : "";
    const asking = waiting ? `, asking for ${rows.length - waiting + 1} of ${rows.length}` : "";
    text(words, `${done} of ${rows.length} in the registry${trouble}${asking}`);
    show(element, rows.length > 0);
  }

  return {
    element,
    begin: (images) => {
      rows = images.map((image) => ({ image, state: "new", operation: null, why: "" }));
      draw();
    },
    /** The API took the wish to push this image. */
    asked: (image, operation) => {
      Object.assign(find((row) => row.image === image), { state: "asked", operation });
      draw();
    },
    /** It did not. */
    refused: (image, why) => {
      Object.assign(find((row) => row.image === image), { state: "failed", why });
      draw();
    },
    troubles: () => rows.filter((row) => row.why).map((row) => `${row.image}: ${row.why}`).join(" "),
    /** What is still to be heard of. */
    open: () => rows.filter((row) => row.state === "asked").map((row) => row.operation),
    /** Pushes as the API tells them. */
    follow: (pushes) => {
      const states = { completed: "done", failed: "failed" };
      for (const each of pushes) {
        const row = find((one) => one.operation === each.operation_id);
        if (row) row.state = states[each.status] ?? "asked";
      }
      if (rows.length) draw();
    },
  };

  function find(is) {
    return rows.find(is);
  }
}
