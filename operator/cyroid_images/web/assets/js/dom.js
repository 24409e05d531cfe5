// Elements made and changed in place. Whatever the server says goes in as text, never as HTML.

/** An element: `on` holds listeners, other properties become attributes; children are nodes or text. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "on") {
      for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    } else {
      attribute(element, name, value);
    }
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Sets an attribute; null, undefined and false take it away, true leaves it without a value. */
export function attribute(element, name, value) {
  if (value === null || value === undefined || value === false) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value === true ? "" : value)) {
    element.setAttribute(name, value === true ? "" : value);
  }
}

/** Text of an element, left alone where it is the same: a selection of it lives on. */
export function text(element, value) {
  const wanted = value === null || value === undefined ? "" : String(value);
  if (element.textContent !== wanted) element.textContent = wanted;
}

/** Shows or hides. */
export function show(element, isShown) {
  element.hidden = !isShown;
}

/**
 * Children of `parent`, one per item in this order: those that are there are changed in place.
 * `make(item)` gives an element; `change(element, item)` is called for new and old ones.
 */
export function keep(parent, items, { key, make, change }) {
  const old = new Map(Array.from(parent.children, (child) => [child.dataset.key, child]));
  let place = parent.firstElementChild;
  for (const item of items) {
    const name = String(key(item));
    let element = old.get(name);
    old.delete(name);
    if (!element) {
      element = make(item);
      element.dataset.key = name;
    }
    change(element, item);
    if (element === place) place = place.nextElementSibling;
    else parent.insertBefore(element, place);
  }
  for (const element of old.values()) element.remove();
}

/** Calls `work` once things have been quiet for `pause` ms, and at least every `most` ms. */
export function calmly(work, pause = 250, most = 1500) {
  let timer = null;
  let first = 0;
  const run = () => {
    timer = null;
    first = 0;
    work();
  };
  const ask = () => {
    const now = Date.now();
    first ||= now;
    clearTimeout(timer);
    timer = setTimeout(run, Math.max(0, Math.min(pause, first + most - now)));
  };
  ask.stop = () => clearTimeout(timer);
  return ask;
}
