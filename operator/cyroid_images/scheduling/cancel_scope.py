"""The one way in which blocking work is stopped: a scope with a parent, a deadline and a cause.

Whoever blocks hands the scope a `cut` for what it blocks on *before* it begins: for a socket,
shutting it down (closing it from another thread does not wake the reader). Whoever is cut
asks the scope why, and raises that. A child is cancelled with its parent, so a call may have
a shorter deadline than the work that it is part of, and threads that work together may end
each other without ending what is around them.

Read time-outs are no deadline: a header that grows by a byte every nine seconds would hold
a thread for days. One thread in all watches every deadline of the process.
"""

from __future__ import annotations

import itertools
import logging
import math
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from cyroid_images.errors import Cancelled, Reason, TransferError
from cyroid_images.scheduling.computing import aside

_log = logging.getLogger(__name__)


class CancelScope:
    """Thread safe; once cancelled it stays so, and cuts whatever is attached later at once.

    `deadline` is a moment of `time.monotonic()`, `late` what is raised from then on. With
    `grace` the parent's end comes that many seconds later here: time to end in good order.
    Used as a `with` block, or closed, it lets go of its parent and of its deadline.
    """

    def __init__(
        self,
        parent: CancelScope | None = None,
        *,
        deadline: float | None = None,
        late: BaseException | None = None,
        grace: float = 0.0,
    ) -> None:
        self._parent = parent
        self._grace = grace
        self._deadline = math.inf
        self._late = late or TransferError(Reason.TIMEOUT, "not complete in time")
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        self._cuts: dict[int, Callable[[], None]] = {}
        self._cause: BaseException | None = None
        self._leave_parent = parent.attach(self._follow) if parent else _nothing
        if deadline is not None:
            self._expire_at(deadline)

    def __enter__(self) -> Self:
        """Raises at once what it is cancelled with: nothing is begun for nobody."""
        try:
            self.raise_if_cancelled()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Neither the parent nor the deadline cancels it from now on."""
        self._leave_parent()
        self._deadline = math.inf
        _DEADLINES.forget(self)

    def within(self, seconds: float, late: BaseException) -> CancelScope:
        """A child that is cancelled in so many seconds, with `late`."""
        return CancelScope(self, deadline=time.monotonic() + seconds, late=late)

    def postpone(self, seconds: float, late: BaseException | None = None) -> None:
        """Be late in so many seconds from now instead, sooner or later than before."""
        if late is not None:
            self._late = late
        self._expire_at(time.monotonic() + seconds)

    def attach(self, cut: Callable[[], None]) -> Callable[[], None]:
        """Call `cut` when cancelled, at once if that already happened; returns the undo."""
        with self._lock:
            number = next(self._numbers)
            if self._cause is None:
                self._cuts[number] = cut
                return lambda: self._detach(number)
        cut()
        return _nothing

    def cancel(self, cause: BaseException | None = None) -> None:
        """Cut everything attached; the work raises `cause`, or Cancelled without one.

        The first cause stays.
        """
        with self._lock:
            if self._cause is not None:
                return
            self._cause = cause or Cancelled("no longer wanted")
            cuts = tuple(self._cuts.values())
            self._cuts.clear()
        for cut in cuts:
            try:
                cut()
            except Exception:
                _log.exception("cutting off cancelled work failed")

    @property
    def cause(self) -> BaseException | None:
        """What it is cancelled with; that of the parent comes first."""
        above = self._parent.cause if self._parent and not self._grace else None
        return above or self._cause

    def raise_if_cancelled(self) -> None:
        """Raise the cause, as it was given."""
        if (cause := self.cause) is not None:
            raise cause

    def wait(self, seconds: float) -> None:
        """Let time pass; raises the cause as soon as it is cancelled."""
        cut = threading.Event()
        detach = self.attach(cut.set)
        try:
            with aside():
                cut.wait(seconds)
        finally:
            detach()
        self.raise_if_cancelled()

    def expire(self) -> None:
        """Cancel it if its deadline has passed; for the thread that watches."""
        if self._deadline <= time.monotonic():
            self.cancel(self._late)

    def _expire_at(self, moment: float) -> None:
        self._deadline = moment
        _DEADLINES.watch(self, moment)

    def _follow(self) -> None:
        """The parent was cancelled."""
        cause = self._parent.cause if self._parent else None
        if self._grace and cause:
            self._late = cause
            self._expire_at(min(self._deadline, time.monotonic() + self._grace))
        else:
            self.cancel(cause)

    def _detach(self, number: int) -> None:
        with self._lock:
            self._cuts.pop(number, None)


class _Never(CancelScope):
    """Nothing that is attached is ever cut, or even kept."""

    def attach(self, cut: Callable[[], None]) -> Callable[[], None]:  # noqa: ARG002
        return _nothing

    def cancel(self, cause: BaseException | None = None) -> None:
        raise TypeError("NEVER is shared by everybody") from cause


class _Deadlines:
    """One thread for the deadlines of all scopes; it begins with the first of them."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._moments: dict[CancelScope, float] = {}
        self._wakes = math.inf
        self._thread: threading.Thread | None = None

    def watch(self, scope: CancelScope, moment: float) -> None:
        with self._changed:
            self._moments[scope] = moment
            if moment == math.inf:
                del self._moments[scope]
            elif self._thread is None:
                self._thread = threading.Thread(target=self._run, name="deadlines", daemon=True)
                self._thread.start()
            elif moment < self._wakes:  # a later one is found by whoever wakes at the old one
                self._changed.notify()

    def forget(self, scope: CancelScope) -> None:
        with self._changed:
            self._moments.pop(scope, None)

    def _run(self) -> None:
        while True:
            for scope in self._due():
                scope.expire()

    def _due(self) -> tuple[CancelScope, ...]:
        """Those whose moment has come, after a wait for the next one."""
        with self._changed:
            self._wakes = min(self._moments.values(), default=math.inf)
            left = self._wakes - time.monotonic()
            if left > 0:
                self._changed.wait(min(left, threading.TIMEOUT_MAX))
            now = time.monotonic()
            due = tuple(scope for scope, moment in self._moments.items() if moment <= now)
            for scope in due:
                del self._moments[scope]
            return due


def _nothing() -> None:
    """Undo nothing."""


_DEADLINES = _Deadlines()
NEVER: CancelScope = _Never()
"""For calls that their own deadline bounds well enough."""
