"""When a request is sent again: which failures pass by themselves, and the wait for that.

An upstream is far away and serves everybody: a reset, a 503 or a "try again in two
seconds" is no reason to start a copy of gigabytes anew. Of our own registry only that it
is busy is borne, for about a second (a proxy before it may be restarting, too); any other
failure is told at once, and attempts are counted by whoever asks.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx

from cyroid_images.errors import Reason, TransferError
from cyroid_images.registry.errors import RegistryResponse, pause_of
from cyroid_images.scheduling.cancel_scope import CancelScope

LONGEST_WAIT = 10.0
"""Seconds; who is told to wait longer gives back the thread and says so above."""


def _wait(seconds: float, scope: CancelScope) -> None:
    scope.wait(seconds)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """When to ask again what only reads; asking again changes nothing there."""

    pauses: tuple[float, ...] = (1.0, 3.0, 9.0)
    """Seconds before the second and each further try."""
    wait: Callable[[float, CancelScope], None] = field(default=_wait, repr=False)
    clock: Callable[[], float] = field(default=time.monotonic, repr=False)


OUR_OWN = RetryPolicy((0.3, 0.7))
"""Three tries in all of our own registry, where it answers one of BUSY."""
BUSY = frozenset({429, 502, 503, 504})
"""Not 500, which is how a full disk answers: it will be full in a second, too."""


def jittered(seconds: float) -> float:
    """About as long: many who were refused together must not come again together."""
    chance = time.monotonic_ns() // 1000 % 1000 / 1000  # what the clock shows at its far end
    return seconds * (0.7 + 0.6 * chance)


def pause_after_response(response: httpx.Response, planned: float) -> float | None:
    """Seconds until the same request may fare better; None: this is the response."""
    status = response.status_code
    if status not in (408, 429) and status < 500:
        return None
    asked = pause_of(RegistryResponse(status, response.headers))
    return _obeyed(asked, planned, is_limit=status == 429)


def pause_after_failure(exc: Exception, planned: float) -> float | None:
    """The same for a request that broke before its response; None: no further try."""
    if isinstance(exc, TransferError):  # the token server's refusal
        is_limit = exc.reason is Reason.RATE_LIMITED
        if not is_limit and exc.reason is not Reason.SERVER_ERROR:
            return None
        return _obeyed(exc.retry_after, planned, is_limit=is_limit)
    was_reset = isinstance(exc, (httpx.ReadError, httpx.WriteError))
    # httpcore says so when the peer closes before the first byte of an answer.
    was_closed = isinstance(exc, httpx.RemoteProtocolError) and "disconnected" in str(exc)
    return planned if was_reset or was_closed else None


def _obeyed(asked: float | None, planned: float, *, is_limit: bool) -> float | None:
    """A limit without a short time is for the caller: who asks on is locked out for longer."""
    if asked is None:
        return None if is_limit else planned
    return max(asked, planned) if asked <= LONGEST_WAIT else None
