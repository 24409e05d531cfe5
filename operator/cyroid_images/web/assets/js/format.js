// Numbers and moments as people read them.

const UNITS = ["bytes", "kB", "MB", "GB", "TB", "PB"];

/** Bytes with three digits, decimal units: 452 MB, 4.25 GB. */
export function bytes(count) {
  if (count === null || count === undefined) return "unknown";
  let value = Number(count);
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  if (unit === 0) return `${value} ${value === 1 ? "byte" : "bytes"}`;
  const digits = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

/** "212 of 450 MB", or what is known of it. */
export function amount(done, total) {
  if (done === null || done === undefined) return "";
  if (total === null || total === undefined) return bytes(done);
  const [left, unit] = bytes(done).split(" ");
  const whole = bytes(total);
  return whole.endsWith(` ${unit}`) ? `${left} of ${whole}` : `${left} ${unit} of ${whole}`;
}

/** Bytes a second; nothing where nothing moves. */
export function rate(perSecond) {
  return perSecond ? `${bytes(perSecond)}/s` : "";
}

/** "1 range", "17 ranges". */
export function count(number, one, many = `${one}s`) {
  if (number === null || number === undefined) return `unknown number of ${many}`;
  return `${Number(number).toLocaleString("en")} ${number === 1 ? one : many}`;
}

/** A digest as it is told apart: its first twelve digits. */
export function shortDigest(digest) {
  if (!digest) return "unknown";
  const [kind, hex] = String(digest).split(":");
  return hex ? `${kind}:${hex.slice(0, 12)}` : kind.slice(0, 12);
}

const STEPS = [
  [60, 1, "s"],
  [3600, 60, "min"],
  [86400, 3600, "h"],
  [Infinity, 86400, "d"],
];

/** How long ago: "5 s ago", "2 h ago"; a moment ahead of this clock is "now". */
export function ago(moment, now = Date.now()) {
  const seconds = Math.max(0, (now - moment.getTime()) / 1000);
  if (!Number.isFinite(seconds)) return "unknown";
  if (seconds < 2) return "now";
  const [, size, unit] = STEPS.find(([below]) => seconds < below);
  return `${Math.floor(seconds / size)} ${unit} ago`;
}

/** The exact moment, in this person's clock. */
export function exact(moment) {
  return Number.isFinite(moment.getTime()) ? moment.toLocaleString() : "unknown";
}

/** Hours and minutes, or the date too where it was not today. */
export function clock(moment) {
  const isToday = moment.toDateString() === new Date().toDateString();
  return isToday ? moment.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }) : exact(moment);
}
