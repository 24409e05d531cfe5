"""Tells people what became of an object: a line in the log at once, and an event when it can.

Events never stand in the way of a pass: to record one is a matter of microseconds. They wait
in a bounded queue and go out one by one, behind every status (`kube/api.py`). What is
delivered within a few seconds is one event.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from cyroid_images.errors import AccessDenied, ApiUnavailable, Mark, Reason
from cyroid_images.model.event import EventNote, EventType
from cyroid_images.model.fault import Route
from cyroid_images.plan.status.delivery_summary import Arrival, sameness, summary
from cyroid_images.report.audit import fields_of_event
from cyroid_images.report.event_queue import MOST, MOST_PER_OBJECT, EventQueue
from cyroid_images.store.keys import Key

_log = logging.getLogger(__name__)

SUMMARY_SECONDS = 5.0
"""From the first delivery that was not told yet: a range is filled within some seconds."""
PAUSES = (1.0, 4.0, 16.0)
"""Seconds between tries of one event, while the API server does not take it."""

_WARNINGS = frozenset(
    {
        Reason.STATUS_REJECTED,
        Reason.HOST_NETWORK_REFUSED,
        Reason.INSECURE_ENDPOINT,
        Reason.REGISTRY_TAG_DRIFT,
        Reason.PARTIAL_PLATFORM_IMAGE,
    }
)
"""Of the reasons that stand in events only: somebody should look at these."""


def event_type(reason: Reason) -> EventType:
    """Normal for what is as asked, in progress or waited for; Warning for the rest."""
    is_normal = reason.mark in (Mark.GOOD, Mark.WAITING, Mark.EVENT) and reason not in _WARNINGS
    return EventType.NORMAL if is_normal else EventType.WARNING


@dataclass(slots=True)
class _Untold:
    """The deliveries of one object that no event has told yet."""

    due: float
    arrivals: dict[Arrival, None] = field(default_factory=dict)


class EventRecorder:
    """One per process, used from the event loop only; nothing but `run` ever waits."""

    def __init__(
        self,
        sink: Callable[[EventNote], Awaitable[None]],
        clock: Callable[[], float] = lambda: asyncio.get_running_loop().time(),
    ) -> None:
        """`sink` writes one event, or raises ApiUnavailable; the clock counts seconds."""
        self._sink = sink
        self._clock = clock
        self._queue = EventQueue()
        self._untold: dict[tuple[Key, str], _Untold] = {}
        self._news = asyncio.Event()
        self._is_dropping = False
        self.dropped = 0
        """Events that were never written, since the start."""

    def record(self, key: Key, uid: str, reason: Reason, message: str, *, about: str) -> None:
        """An event on the object; `about` tells events of one reason apart (a digest, a pod)."""
        note = _note(key, uid, reason, message, about)
        level = logging.INFO if note.type is EventType.NORMAL else logging.WARNING
        _log.log(level, "%s: %s: %s", key, reason, message, extra=fields_of_event(reason))
        self.tell(note)

    def delivered(  # noqa: PLR0913 - the four words of one delivery
        self, key: Key, uid: str, *, image: str, pod: str, route: Route, why: str = ""
    ) -> None:
        """An image has come into a pod; `why` it went by tar. Told with others of these seconds."""
        each = Arrival(image, pod, route, why)
        said = (key, Reason.IMAGE_DELIVERED, summary([each]))
        _log.info("%s: %s: %s", *said, extra=fields_of_event(Reason.IMAGE_DELIVERED))
        untold = self._untold.setdefault((key, uid), _Untold(self._clock() + SUMMARY_SECONDS))
        untold.arrivals[each] = None
        self._news.set()

    def tell(self, note: EventNote) -> None:
        """An event without a line in the log."""
        if self._queue.put(note) is not None:
            self.dropped += 1
            if not self._is_dropping:
                self._is_dropping = True
                _log.warning(
                    "events dropped: more than %d queued, or %d for one object; see the log",
                    MOST,
                    MOST_PER_OBJECT,
                )
        self._news.set()

    def forget(self, key: Key) -> None:
        """The object is gone: nothing more is told of it."""
        self._untold = {each: untold for each, untold in self._untold.items() if each[0] != key}
        self._queue.forget(key.kind, key.namespace, key.name)

    async def run(self) -> None:
        """Write what is recorded, for ever."""
        while True:
            self._sum_up()
            note = self._queue.take()
            if note is not None:
                await self._send(note)
                continue
            self._is_dropping = False
            await self._wait()

    def _sum_up(self) -> None:
        """Make events of the deliveries whose time has come."""
        now = self._clock()
        for whose in [each for each, untold in self._untold.items() if untold.due <= now]:
            told = self._untold.pop(whose).arrivals
            self.tell(_note(*whose, Reason.IMAGE_DELIVERED, summary(told), sameness(told)))

    async def _wait(self) -> None:
        """Until something is recorded, or deliveries are due."""
        self._news.clear()
        due = min((untold.due for untold in self._untold.values()), default=None)
        pause = None if due is None else max(0.0, due - self._clock())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await self._news.wait()

    async def _send(self, note: EventNote) -> None:
        """Write it, in some tries; what cannot be written is lost, and nobody stops for it."""
        why = ""
        for pause in PAUSES:
            try:
                await self._sink(note)
            except AccessDenied as exc:
                why = str(exc)
                break
            except ApiUnavailable as exc:
                why = str(exc)
                await asyncio.sleep(max(pause, exc.retry_after or 0.0))
            except Exception as exc:  # an event is not worth the process
                _log.exception("event %s on %s %s failed", note.reason, note.kind, note.name)
                why = f"{type(exc).__name__}: {exc}"
                break
            else:
                return
        self.dropped += 1
        where = f"{note.namespace}/{note.name}" if note.namespace else note.name
        _log.warning(
            "cannot write event %s on %s %s: %s; not retried", note.reason, note.kind, where, why
        )


def _note(key: Key, uid: str, reason: Reason, message: str, about: str) -> EventNote:
    return EventNote(
        kind=key.kind,
        namespace=key.namespace,
        name=key.name,
        uid=uid,
        reason=reason,
        message=message,
        type=event_type(reason),
        key=about,
    )
