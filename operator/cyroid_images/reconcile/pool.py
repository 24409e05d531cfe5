"""Our own bounded threads for blocking work.

Not `asyncio.to_thread`: its pool is shared with libraries and its threads would hold the
exit of the process. Ours are cut by their Cancellation, so they end when their work does.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


class Pool:
    """At most `size` blocking calls at a time; the others wait their turn."""

    def __init__(self, name: str, size: int) -> None:
        self._threads = ThreadPoolExecutor(size, thread_name_prefix=name)

    async def run(self, call: Callable[[], T]) -> T:
        """The result of the call, or its exception; its log lines are about what ours are."""
        context = contextvars.copy_context()
        return await asyncio.get_running_loop().run_in_executor(self._threads, context.run, call)

    def close(self) -> None:
        """Take no more work; what has not begun is dropped."""
        self._threads.shutdown(wait=False, cancel_futures=True)
