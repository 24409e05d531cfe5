// The life of one view: its requests, streams and timers end when it is left.

/** `signal` ends everything that the view began; `every` repeats while the page can be seen. */
export function newScope() {
  const ends = new AbortController();
  const { signal } = ends;
  return {
    signal,
    leave: () => ends.abort(),
    every: (milliseconds, work) => {
      const timer = setInterval(() => {
        if (!document.hidden) work();
      }, milliseconds);
      signal.addEventListener("abort", () => clearInterval(timer));
    },
  };
}
