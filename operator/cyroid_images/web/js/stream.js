// Server-sent events by fetch, since EventSource cannot send the token as a header. A stream that
// is lost is opened again by itself, later and later, and whoever looks is told since when.

import { address, authorization, refusal } from "./api.js";

const FIRST_PAUSE = 1000;
const LONGEST_PAUSE = 15_000;
const SILENCE = 45_000;
/** The API sends at least a comment this often; a stream that says less is dead. */
const MOST_TEXT = 8 << 20;

const streams = new Map();
const watchers = new Set();

/** Calls `watch({state, since})` at once and on each change; state is "none", "live" or "lost". */
export function onLive(watch) {
  watchers.add(watch);
  watch(overall());
}

function overall() {
  const all = [...streams.values()];
  if (!all.length) return { state: "none", since: null };
  const lost = all.filter((each) => each.since !== null);
  if (!lost.length) return { state: "live", since: null };
  return { state: "lost", since: new Date(Math.min(...lost.map((each) => each.since))) };
}

function tell() {
  for (const watch of watchers) watch(overall());
}

/**
 * Follows a stream until `signal` ends it. `listeners` holds a function per event name; `open` is
 * called each time it is opened: what happened in between is read anew then.
 */
export function follow(path, { query = {}, listeners, open = () => {}, signal }) {
  const own = { since: null };
  streams.set(own, own);
  signal.addEventListener("abort", () => {
    streams.delete(own);
    tell();
  });
  run(path, query, { listeners, open, signal, own });
}

async function run(path, query, { listeners, open, signal, own }) {
  let pause = FIRST_PAUSE;
  while (!signal.aborted) {
    let isRefused = false;
    try {
      await once(path, query, { listeners, signal, opened: () => {
        pause = FIRST_PAUSE;
        own.since = null;
        tell();
        open();
      } });
    } catch (error) {
      isRefused = error.status === 401 || error.status === 403;
    }
    if (signal.aborted || isRefused) break;
    own.since ??= Date.now();
    tell();
    await rest(pause * (0.75 + Math.random() / 2), signal);
    pause = Math.min(2 * pause, LONGEST_PAUSE);
  }
}

async function once(path, query, { listeners, signal, opened }) {
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
    const parser = eventParser((name, data) => listeners[name]?.(data));
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
