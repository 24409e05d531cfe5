"""Several threads on one task: the first that fails, or a cut from above, ends them all.

What lives here knows nothing of blobs; `copy_upstream.py` is its user.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import TypeVar

from cyroid_images.errors import Cancelled
from cyroid_images.model.cancellation import Cancellation

Item = TypeVar("Item")


def together(
    work: Callable[[Item, Cancellation], None],
    items: Sequence[Item],
    cancellation: Cancellation,
    *,
    most: int,
) -> None:
    """Do this for every item, in this order, at most so many at a time.

    Returns when all threads have ended; raises what the canceller said, else what the
    first failed one raised.
    """
    cancellation.raise_if_cancelled()
    crew = _Crew(cancellation)
    detach = cancellation.attach(crew.stop)
    try:
        with ThreadPoolExecutor(most, thread_name_prefix="crew") as pool:
            futures = [pool.submit(work, item, crew) for item in items]
            first, _ = wait(futures, return_when=FIRST_EXCEPTION)
            crew.stop()
            pool.shutdown(wait=True, cancel_futures=True)
    finally:
        detach()
    cancellation.raise_if_cancelled()
    for future in first:
        future.result()


class _Crew:
    """The Cancellation of the threads: cut from above, or when one of them has failed."""

    def __init__(self, above: Cancellation) -> None:
        self._above = above
        self._lock = threading.Lock()
        self._cuts: dict[int, Callable[[], None]] = {}
        self._number = 0
        self._is_over = False

    def stop(self) -> None:
        """Cut everything that is attached, and whatever will be."""
        with self._lock:
            self._is_over = True
            cuts = list(self._cuts.values())
            self._cuts.clear()
        for cut in cuts:
            cut()

    def attach(self, cut: Callable[[], None]) -> Callable[[], None]:
        with self._lock:
            self._number += 1
            number = self._number
            if not self._is_over:
                self._cuts[number] = cut
                return lambda: self._detach(number)
        cut()
        return lambda: None

    def raise_if_cancelled(self) -> None:
        if self._is_over:
            self._above.raise_if_cancelled()
            raise Cancelled("another part of the same work failed")

    def _detach(self, number: int) -> None:
        with self._lock:
            self._cuts.pop(number, None)
