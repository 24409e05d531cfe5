"""Tasks that must run for ever: the end of one is told, and ends the process.

A process in which one of them has died is alive and does nothing, or not all: nobody sees
that from outside. Whoever starts it again sees the reason in the log.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

_log = logging.getLogger(__name__)


class Supervisor:
    """Of the tasks of one process; used from the event loop only."""

    def __init__(self, failed: Callable[[str], None]) -> None:
        """`failed` is told "NAME: REASON", once, of the first task that ends."""
        self._failed = failed
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_stopping = self._has_failed = False

    def start(self, name: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run this until `stop`; that it ends by itself is a failure, whatever the way."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        if self._is_stopping:
            task.cancel()
        return task

    async def stop(self, timeout: float) -> None:
        """Cancel all of them, and wait so many seconds at most until they have ended."""
        self._is_stopping = True
        for task in self._tasks:
            task.cancel()
        if not self._tasks:
            return
        _, late = await asyncio.wait(self._tasks, timeout=timeout)
        for task in late:
            _log.warning("task %s has not ended %.0f s after its stop", task.get_name(), timeout)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        name, error = task.get_name(), None if task.cancelled() else task.exception()
        if self._is_stopping:
            if error is not None:
                _log.warning("task %s failed at its stop", name, exc_info=error)
            return
        reason = _reason(task, error)
        _log.error("task %s ended: %s", name, reason, exc_info=error)
        if not self._has_failed:
            self._has_failed = True
            self._failed(f"{name}: {reason}")


def _reason(task: asyncio.Task[None], error: BaseException | None) -> str:
    if task.cancelled():
        return "it was cancelled"
    if error is None:
        return "it returned"
    return f"{type(error).__name__}: {error}".removesuffix(": ")
