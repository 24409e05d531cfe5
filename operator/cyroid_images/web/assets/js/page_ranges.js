// All ranges, of every event or of one namespace.

import { h } from "./dom.js";
import { rangeList } from "./range_list.js";

/** The page of all ranges. */
export function ranges(scope, app) {
  app.title("Ranges");
  const namespace = h("input", { id: "range-namespace", type: "search", placeholder: "all", autocomplete: "off" });
  const list = rangeList(scope, {
    what: "the ranges",
    query: () => ({ namespace: namespace.value.trim() }),
    streamQuery: {},
    counted: ({ ready, total }) => app.title("Ranges", total ? `${ready}/${total}` : ""),
    emptyWords: () => (namespace.value.trim()
      ? `There is no range in the namespace ${namespace.value.trim()}.`
      : "There is no range yet. A RangeImages object makes one: `kubectl cyroid blueprint` writes it."),
  });
  namespace.addEventListener("input", list.search);
  return [
    h("h1", { tabindex: "-1" }, "Ranges"),
    h("div", { class: "row tools" }, h("label", { for: "range-namespace" }, "Namespace"), namespace),
    list.element,
  ];
}
