// What a state looks like: a shape and a word, so that nothing is told by colour alone.

const SVG = "http://www.w3.org/2000/svg";
const PATHS = {
  good: "M8 1.5a6.5 6.5 0 1 0 0 13a6.5 6.5 0 0 0 0-13z",
  half: "M8 1.5a6.5 6.5 0 1 0 0 13z M8 1.5v1.7a4.8 4.8 0 0 1 0 9.6v1.7a6.5 6.5 0 0 0 0-13z",
  detour: "M8 1.5 15 14H1z",
  bad: "M3.8 1.7 8 5.9l4.2-4.2 2.1 2.1L10.1 8l4.2 4.2-2.1 2.1L8 10.1l-4.2 4.2-2.1-2.1L5.9 8 1.7 3.8z",
  paused: "M3 2h3.5v12H3z M9.5 2H13v12H9.5z",
  unknown: "M8 1.5a6.5 6.5 0 1 0 0 13a6.5 6.5 0 0 0 0-13z M8 3.2a4.8 4.8 0 1 1 0 9.6a4.8 4.8 0 0 1 0-9.6z",
};

/** The shape of a state, for eyes only: a word stands beside it. */
export function shape(state) {
  const svg = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("focusable", "false");
  path.setAttribute("fill-rule", "evenodd");
  svg.append(path);
  turn(svg, state);
  return svg;
}

/** Another state for a shape that is there. */
export function turn(svg, state) {
  svg.setAttribute("class", `shape ${state}`);
  svg.firstElementChild.setAttribute("d", PATHS[state] ?? PATHS.unknown);
}

/** How a range is: its shape, and the word for it. */
export function rangeState(row) {
  if (row.suspended) return { shape: "paused", word: "Suspended" };
  if (row.ready === null || row.ready === undefined) return { shape: "unknown", word: "Unknown" };
  if (row.ready) return row.fallback ? { shape: "detour", word: "Ready by tar" } : { shape: "good", word: "Ready" };
  if (row.images_failed > 0) return { shape: "bad", word: row.reason ?? "Failed" };
  return { shape: "half", word: row.reason ?? "On its way" };
}
