// What came of a bundle: its images one by one, what was left out and why, and its blueprint.

import { h } from "./dom.js";
import { bytes, count } from "./format.js";
import { cell, copyButton, section, table } from "./parts.js";

/** The sections below the form of Import. */
export function bundleResult(said) {
  const parts = [result(said)];
  if (said.blueprint) parts.push(blueprint(said.blueprint));
  return parts;
}

function result(said) {
  const pushed = new Set(said.pushed ?? []);
  const sizes = new Map((said.details ?? []).map((row) => [row.image, row]));
  const rows = [
    ...said.loaded.map((image) => ["loaded", image, loadedWords(image, sizes, pushed)]),
    ...said.skipped.map((row) => ["skipped", row.image, row.why]),
    ...said.failed.map((row) => ["failed", row.image, row.why]),
  ];
  const list = table("Images of the bundle", ["Image", "Result", "Why"]);
  list.body.append(...rows.map(([word, image, why]) => h("tr", {},
    cell("Image", h("span", { class: "name" }, image)), cell("Result", word), cell("Why", why))));
  const plain = rows.map((row) => row.join("\t")).join("\n");
  const copy = copyButton("Copy the list", () => `${said.name}\n${plain}\n`, list.element);
  const parts = rows.length ? [list.element, h("div", { class: "row" }, copy)] : [h("p", {}, "The bundle holds no image.")];
  if (said.message) parts.unshift(h("p", { class: "notice detour" }, said.message));
  if (pushed.size) parts.push(h("p", {}, "How far the pushes are: ", h("a", { href: "/registry" }, "Registry")));
  return section("Result", ...parts);
}

function loadedWords(image, sizes, pushed) {
  const row = sizes.get(image);
  const what = row ? [row.platform, bytes(row.size_bytes)] : [];
  return [...what, pushed.has(image) ? "is pushed now" : "is pushed when a range asks for it"].join(", ");
}

function blueprint(report) {
  const images = table("Images of the blueprint", ["Image", "Where it is", { name: "Size", class: "number" }, "Machines", "Why"]);
  images.body.append(...report.images.map((row) => {
    const line = h("tr", {}, cell("Image", h("span", { class: "name" }, row.image)), cell("Where it is", row.where),
      cell("Size", bytes(row.size_bytes)), cell("Machines", String(row.machines)), cell("Why", row.message ?? ""));
    line.cells[2].className = "number";
    return line;
  }));
  const refused = (report.refused ?? []).map((row) => h("li", {}, `${row.machine} (${row.wanted}): ${row.why}`));
  const odd = (report.warnings ?? []).map((words) => h("li", {}, words));
  return section("Blueprint",
    h("p", {}, `${report.name}, version ${report.version}: ${count(report.machines, "machine")}.`),
    images.element,
    ...(refused.length ? [h("h3", {}, "Machines whose image cannot be delivered"), h("ul", { class: "names" }, refused)] : []),
    ...(odd.length ? [h("h3", {}, "Odd about it"), h("ul", {}, odd)] : []));
}
