// Requests to the API: the token as a header, an end after 30 s, and every failure in words.

import { token } from "./session.js";

export const SECONDS = 30;

/** A request that did not give what it was made for; `message` says so to a person. */
export class Refused extends Error {
  constructor(message, status = null) {
    super(message);
    this.status = status;
  }
}

const gone = new Set();
/** Calls `listener(message)` when the token is no longer taken. */
export function onSignedOut(listener) {
  gone.add(listener);
}

/** The JSON at this path; null for an answer without a body. */
export async function ask(path, options = {}) {
  return (await askFully(path, options)).data;
}

/** The JSON at this path, and how many there are in all (header X-Total-Count), or null. */
export async function askFully(path, { method = "GET", query = {}, body, signal, seconds = SECONDS } = {}) {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), seconds * 1000);
  const signals = signal ? [signal, late.signal] : [late.signal];
  const headers = { Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  try {
    const response = await fetch(address(path, query), {
      method,
      headers: { ...headers, ...authorization() },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.any(signals),
      credentials: "omit",
      cache: "no-store",
    });
    if (!response.ok) throw await refusal(response);
    const total = response.headers.get("X-Total-Count");
    const said = await response.text();
    return { data: said ? JSON.parse(said) : null, total: total === null ? null : Number(total) };
  } catch (error) {
    if (signal?.aborted) throw error; // the page was left: nobody is told
    throw inWords(error, late.signal, method, seconds);
  } finally {
    clearTimeout(timer);
  }
}

/** Path and query as the API reads them; what is null or empty is left out. */
export function address(path, query = {}) {
  const pairs = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== "");
  const search = new URLSearchParams(pairs.map(([name, value]) => [name, String(value)])).toString();
  return `/api/v1/${path}${search ? `?${search}` : ""}`;
}

export function authorization() {
  const value = token.get();
  return value ? { Authorization: `Bearer ${value}` } : {};
}

/** What the API answered instead, in its own words where it has some. */
export async function refusal(response) {
  const detail = detailOf(await response.text().catch(() => ""));
  return refused(response.status, detail);
}

/** The words for a status, and the end of the session where the token is no longer taken. */
export function refused(status, detail) {
  if (status === 401) {
    const message = detail || "The API does not take this token: it has ended, or it is not of this cluster.";
    for (const listener of gone) listener(message);
    return new Refused(message, 401);
  }
  const words = {
    403: "Your rights do not allow this. Ask an administrator of the cluster for the role.",
    404: "The API knows nothing of that name.",
    413: "It is larger than the API takes.",
    503: "The API answers, but what it needs does not.",
  };
  return new Refused(detail || words[status] || `The API failed (HTTP ${status}). Its log says why.`, status);
}

/** `detail` of a problem+json, or of CYROID's form of it. */
export function detailOf(said) {
  try {
    const problem = JSON.parse(said);
    if (typeof problem.detail === "string") return problem.detail;
    return typeof problem.title === "string" ? problem.title : "";
  } catch {
    return ""; // a proxy answered with a page of its own
  }
}

function inWords(error, late, method, seconds) {
  if (error instanceof Refused) return error;
  const doubt = method === "GET" ? "" : " Whether it took effect is not known: look before you try again.";
  if (late.aborted) return new Refused(`The API did not answer within ${seconds} s.${doubt}`);
  if (error instanceof SyntaxError) return new Refused("What answered is not the API: it sent no JSON.");
  return new Refused(`The API cannot be reached from this browser.${doubt}`);
}
