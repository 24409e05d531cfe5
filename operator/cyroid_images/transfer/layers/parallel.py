"""Several threads on one task: the first that fails, or a cut from above, ends them all.

What lives here knows nothing of blobs; `copy_upstream.py` is its user.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from cyroid_images.scheduling.cancel_scope import CancelScope

_Item = TypeVar("_Item")


def in_parallel(
    work: Callable[[_Item, CancelScope], None],
    items: Sequence[_Item],
    scope: CancelScope,
    *,
    most: int,
) -> None:
    """Do this for every item, in this order, at most so many at a time.

    Returns when all threads have ended; raises what the scope was cancelled with, else what
    the first failed one raised.
    """
    with CancelScope(scope) as group:

        def one(item: _Item) -> None:
            if group.cause is None:  # else nothing more begins
                try:
                    work(item, group)
                except BaseException as exc:
                    group.cancel(exc)
                    raise

        with ThreadPoolExecutor(most, thread_name_prefix="parallel") as pool:
            futures = [pool.submit(one, item) for item in items]
        group.raise_if_cancelled()
        for future in futures:
            future.result()
