// Server-sent events by fetch, since EventSource cannot send the token as a header. A stream that
// is lost is opened again by itself, later and later, and whoever looks is told since when.

import { address, authorization, refusal } from "./api.js";

const FIRST_PAUSE = 1000;
const LONGEST_PAUSE = 15_000;
const SILENCE = 30_000;
/** The API says something every 15 s, if only that it is there; a stream that does not is dead. */
const MOST_TEXT = 8 << 20;

const streams = new Map();
const watchers = new Set();

/**
 * Calls `watch({state, since, why})` at once and on each change; state is "none", "opening",
 * "live" or "lost".
 * `why` is what the API says where it answers but is not told of the cluster itself.
 */
export function onLive(watch) {
  watchers.add(watch);
  watch(overall());
}

function overall() {
  const all = [...streams.values()];
  if (!all.length) return { state: "none", since: null, why: null };
  const lost = all.filter((each) => each.since !== null);
  const state = all.every((each) => each.isOpen) ? "live" : "opening";
  if (!lost.length) return { state, since: null, why: null };
  const since = new Date(Math.min(...lost.map((each) => each.since)));
  return { state: "lost", since, why: lost.find((each) => each.why)?.why ?? null };
}

function tell() {
  for (const watch of watchers) watch(overall());
}

/**
 * Follows a stream until `signal` ends it. `listeners` holds a function per event name; `open` is
 * called each time it is opened: what happened in between is read anew then.
 */
export function follow(path, { query = {}, listeners, open = () => {}, signal }) {
  const own = { since: null, why: null, isOpen: false };
  streams.set(own, own);
  tell();
  signal.addEventListener("abort", () => {
    streams.delete(own);
    tell();
  });
  run(path, query, { listeners, open, signal, own });
}

async function run(path, query, { listeners, open, signal, own }) {
  let pause = FIRST_PAUSE;
  const state = (since, why = null) => {
    if (own.isOpen && own.since === since && own.why === why) return;
    Object.assign(own, { since, why, isOpen: own.isOpen || since === null });
    tell();
  };
  const hear = (name, data) => {
    if (name === "problem") state(own.since ?? Date.now(), String(data.detail ?? "unknown"));
    else state(null);
    try {
      listeners[name]?.(data);
    } catch (defect) {
      reportError(defect); // a defect of the page is no fault of the stream
    }
  };
  const opened = () => {
    pause = FIRST_PAUSE;
    state(null);
    open();
  };
  while (!signal.aborted) {
    let why = null;
    try {
      await once(path, query, { hear, signal, opened });
    } catch (error) {
      if (error.status === 401) break; // the page asks for another token
      why = error.status ? error.message : null;
    }
    if (signal.aborted) break;
    state(own.since ?? Date.now(), why);
    await rest(pause * (0.75 + Math.random() / 2), signal);
    pause = Math.min(2 * pause, LONGEST_PAUSE);
  }
}

async function once(path, query, { hear, signal, opened }) {
  const silence = new AbortController();
  let timer = setTimeout(() => silence.abort(), SILENCE);
  try {
    const response = await fetch(address(path, query), {
      headers: { Accept: "text/event-stream", ...authorization() },
      signal: AbortSignal.any([signal, silence.signal]),
      credentials: "omit",
      cache: "no-store",
    });
    if (!response.ok) throw await refusal(response);
    opened();
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    const parser = eventParser(hear);
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), SILENCE);
      parser(value);
    }
  } finally {
    clearTimeout(timer);
  }
}

/** A function that takes text as it comes and calls `emit(event, JSON)` per whole event. */
export function eventParser(emit) {
  let rest = "";
  let name = "message";
  let data = [];
  return (piece) => {
    rest += piece;
    if (rest.length > MOST_TEXT) throw new Error("an event without an end");
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop();
    for (const line of lines) {
      if (line === "") {
        if (data.length) emit(name, JSON.parse(data.join("\n")));
        name = "message";
        data = [];
      } else if (line.startsWith("event:")) name = line.slice(6).trim();
      else if (line.startsWith("data:")) data.push(line.slice(5).replace(/^ /, ""));
    }
  };
}

function rest(milliseconds, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    const now = () => {
      clearTimeout(timer);
      resolve();
    };
    signal.addEventListener("abort", now, { once: true });
    addEventListener("online", now, { once: true, signal });
  });
}
