// One range: how far it is, by which route, what is missing and why, its engines and its YAML.

import { ask } from "./api.js";
import { attribute, calmly, h, keep, show, text } from "./dom.js";
import { count } from "./format.js";
import { badge, cell, copyButton, pressed, region, saying, section, sentence, setTime, table, time } from "./parts.js";
import { keyOf, routeBadges, transferRows } from "./range_rows.js";
import { rangeState, shape, turn } from "./shapes.js";
import { follow } from "./stream.js";

/** The page of the range of this namespace and name. */
export function range(scope, app, [namespace, name]) {
  const path = `ranges/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`;
  app.title(name);
  const parts = [summary(), moving(), missing(), targets(), wanted()];
  const line = saying();
  const actions = buttons(path, line, () => part.refresh());
  const body = h("div", {}, parts.map((each) => each.element));
  const part = region(scope, {
    what: `the range ${name}`,
    load: (signal) => ask(path, { signal }),
    draw: (row) => {
      for (const each of parts) each.draw(row);
      actions.draw(row);
      app.title(name, `${row.images_present}/${row.images_desired}`);
    },
    body,
  });
  const soon = calmly(part.refresh, 200, 1000);
  follow("ranges/events", { signal: scope.signal, listeners: { ranges: ({ changed, removed }) => {
    const key = `${namespace}/${name}`;
    if (removed.includes(key) || changed.some((row) => keyOf(row) === key)) soon();
  } } });
  scope.every(60_000, part.refresh);
  part.refresh();
  return [
    h("p", { class: "crumbs" }, h("a", { href: "/ranges" }, "Ranges")),
    h("h1", { tabindex: "-1" }, name, h("span", { class: "quiet" }, ` in ${namespace}`)),
    ...(app.rights.push || app.rights.create_ranges ? [actions.element] : []), line.element, part.element,
  ];
}

function buttons(path, line, refresh) {
  const again = h("button", { type: "button" }, "Reconcile");
  const hold = h("button", { type: "button" }, "Suspend");
  let isSuspended = false;
  const act = (button, verb) => pressed(button, line, async () => {
    const { message } = await ask(`${path}/${verb}`, { method: "POST" });
    line.say(sentence(message));
    refresh();
  });
  again.addEventListener("click", () => act(again, "reconcile"));
  hold.addEventListener("click", () => act(hold, isSuspended ? "resume" : "suspend"));
  return {
    element: h("div", { class: "row" }, again, hold),
    draw: (row) => {
      isSuspended = row.suspended;
      text(hold, isSuspended ? "Resume" : "Suspend");
    },
  };
}

function summary() {
  const mark = shape("unknown");
  const word = h("strong");
  const since = time(null);
  const images = h("dd");
  const engines = h("dd");
  const routes = h("dd", { class: "badges" });
  const belongs = h("dd");
  const message = h("p", { class: "why" });
  const detour = h("p", { class: "notice detour", hidden: true });
  const element = h("div", { class: "panel" },
    h("p", { class: "figure", role: "status" }, mark, word), h("p", { class: "quiet" }, "since ", since), message, detour,
    h("dl", { class: "facts" },
      h("div", {}, h("dt", {}, "Images"), images), h("div", {}, h("dt", {}, "Engines"), engines),
      h("div", {}, h("dt", {}, "Route"), routes), h("div", {}, h("dt", {}, "Cache, event"), belongs)));
  return { element, draw: (row) => {
    const state = rangeState(row);
    turn(mark, state.shape);
    text(word, state.word);
    setTime(since, row.since);
    text(message, row.ready ? "" : sentence(row.message ?? "No pass has looked at it since its last change."));
    text(images, `${row.images_present} of ${row.images_desired}${row.images_failed ? `, ${row.images_failed} failed` : ""}${row.images_via_tar ? `, ${row.images_via_tar} by tar` : ""}`);
    text(engines, `${row.targets_ready} of ${row.targets_matched} hold all of them`);
    routes.replaceChildren(...(row.route ? routeBadges(row) : ["none yet"]));
    belongs.replaceChildren(row.cache, ", ", row.event ? h("a", { href: `/events/${encodeURIComponent(row.event)}` }, row.event) : "no event");
    show(detour, Boolean(row.fallback_reason));
    text(detour, row.fallback_reason ? `By tar: ${row.fallback_reason}. ${sentence(row.fallback_message ?? "")}` : "");
  } };
}

function moving() {
  const list = h("ul", { class: "pushes" });
  const more = h("p", { class: "quiet" });
  const element = section("On the way", list, more);
  return { element, draw: (row) => {
    keep(list, row.transfers, transferRows);
    show(element, row.transfers.length > 0);
    text(more, row.transfers_omitted ? `and ${count(row.transfers_omitted, "transfer")} more` : "");
  } };
}

function missing() {
  const rows = table("Missing images", ["Image", "Reason", "Why, and what happens next", "Engines"]);
  const none = h("p", { class: "quiet" });
  const element = section("Missing", rows.element, none);
  return { element, draw: (row) => {
    keep(rows.body, row.missing, {
      key: (each) => each.image,
      make: () => h("tr", {}, cell("Image", h("span", { class: "name" })), cell("Reason"), cell("Why"), cell("Engines")),
      change: (line, each) => {
        text(line.cells[0].firstChild, each.image);
        text(line.cells[1], each.reason);
        text(line.cells[2], each.message);
        text(line.cells[3], `${each.pods}, first ${each.first_pod}`);
      },
    });
    show(rows.element, row.missing.length > 0);
    const isKnown = row.ready !== null && row.images_present === row.images_desired;
    const left = row.missing_omitted ? `and ${count(row.missing_omitted, "image")} more` : "";
    text(none, row.missing.length ? left : isKnown ? "Nothing: every engine has every image." : "It is not known yet what is missing.");
  } };
}

function targets() {
  const rows = table("Engines of the range", ["Pod", "Engine", "Images", "By tar", "State"]);
  const none = h("p", { class: "quiet" });
  const element = section("Engines", rows.element, none);
  return { element, draw: (row) => {
    keep(rows.body, row.targets, {
      key: (each) => each.pod,
      make: () => h("tr", {}, cell("Pod", h("span", { class: "name" })), cell("Engine"), cell("Images"), cell("By tar"), cell("State")),
      change: (line, each) => {
        text(line.cells[0].firstChild, each.pod);
        text(line.cells[1], each.engine ?? "unknown");
        text(line.cells[2], `${each.present} of ${row.images_desired}${each.failed ? `, ${each.failed} failed` : ""}`);
        text(line.cells[3], each.via_tar ? String(each.via_tar) : "none");
        text(line.cells[4], each.reason ? `${each.reason}: ${each.message ?? ""}` : "has every image");
      },
    });
    show(rows.element, row.targets.length > 0);
    text(none, row.targets.length ? (row.targets_omitted ? `and ${count(row.targets_omitted, "engine")} more` : "")
      : row.targets_matched ? "Its engines are not known yet." : "No pod matches: the range is not up, or its selector is wrong.");
  } };
}

function wanted() {
  const list = h("ul", { class: "names" });
  const yaml = h("pre", { tabindex: "0", "aria-label": "YAML of the range" }, h("code"));
  const copy = copyButton("Copy", () => yaml.textContent, yaml);
  const written = h("details", {}, h("summary", {}, "YAML"), copy, yaml);
  const element = section("Wanted images", list, written);
  return { element, draw: (row) => {
    keep(list, [...new Set(row.images)], {
      key: (each) => each,
      make: (each) => h("li", {}, each),
      change: (item, each) => {
        const gap = row.missing.find((one) => one.image === each);
        attribute(item, "class", gap ? "bad" : null);
        if (Boolean(gap) !== Boolean(item.querySelector(".badge"))) {
          if (gap) item.append(" ", badge(gap.reason, "bad", gap.message));
          else item.querySelector(".badge").remove();
        }
      },
    });
    show(written, Boolean(row.yaml));
    text(yaml.firstChild, row.yaml);
  } };
}
