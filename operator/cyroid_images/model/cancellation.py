"""What a blocking call needs of whoever may want to stop it: a Protocol, no machinery.

The implementation is `execute/cancellation.py`. A leaf hands over a `cut` for every
socket *before* it sends a request; cutting means shutting the socket down, which wakes
the blocked thread (closing it from another thread does not).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Cancellation(Protocol):
    """Stops blocking work from another thread."""

    def attach(self, cut: Callable[[], None]) -> Callable[[], None]:
        """Call `cut` when cancelled, at once if that already happened; returns the undo."""
        ...

    def raise_if_cancelled(self) -> None:
        """Raise what the canceller gave as cause: Cancelled, or a TransferError (Timeout)."""
        ...


class Never:
    """A Cancellation for calls that their own time-out bounds well enough."""

    def attach(self, cut: Callable[[], None]) -> Callable[[], None]:  # noqa: ARG002 - the Protocol
        return lambda: None

    def raise_if_cancelled(self) -> None:
        return None


NEVER: Cancellation = Never()
