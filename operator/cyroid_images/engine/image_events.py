"""What an engine tells of changes to its images: one long answer, an object for each.

`GET /events` (Engine API 1.41 and newer; seen on 20.10, 26.1, 28.5 and 29). `Action` and `Actor`
are read, since 29 leaves out `status` and `id`. The answer is silent while nothing happens; an
engine that talks without end is read slowly and holds one thread.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cyroid_images.engine.classify import Operation
from cyroid_images.engine.events import Decoder
from cyroid_images.engine.faults import Phase, told
from cyroid_images.engine.streams import Ask, Wire, allow_silence
from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.engine import ImageListener
from cyroid_images.scheduling.rate_limiter import RateLimiter

BEGIN_SECONDS = 20.0
"""Until the head of the answer has come, in all."""
IDLE_SECONDS = 600.0
"""Of silence; then it is asked anew. A peer that is gone is noticed by the kernel sooner."""
LIFE_SECONDS = 3600.0
"""Of one answer, however lively."""

CHUNKS_PER_SECOND, CHUNKS_AT_ONCE = 100.0, 1000
"""That are read: an engine sends each event as a chunk, some hundred bytes."""
CHUNK_BYTES = 1024
"""A larger chunk counts as several."""

_CHANGE_NOTHING = frozenset({"push", "save", "mount", "unmount"})
MOST_CARRIED = 256
"""Images under names of ours at a time; more would only cost a look."""


def events_ask(api: str, since: float) -> Ask:
    """The Ask for the events of images, those since then (Unix seconds) first."""
    return Ask(
        Operation.CONTROL,
        "GET",
        f"{api}/events",
        "follow the events of images",
        params={"since": f"{since:.9f}", "filters": json.dumps({"type": ["image"]})},
    )


def listen(wire: Wire, ask: Ask, listener: ImageListener) -> None:
    """Tell of changes until the engine ends its answer; raises TransferError."""
    late = TransferError(Reason.TIMEOUT, f"{ask.what}: no response after {BEGIN_SECONDS:g} s")
    over = TransferError(Reason.TIMEOUT, f"{ask.what}: asked anew after {LIFE_SECONDS:g} s")
    phase, decoder, changes = Phase(), Decoder(), Changes(listener.ours)
    pace = RateLimiter(CHUNKS_PER_SECOND, CHUNKS_AT_ONCE)
    with wire.cancellation.within(BEGIN_SECONDS, late) as scope:
        watched = replace(wire, cancellation=scope)
        with told(wire.dialler.endpoint, scope, phase), watched.send(ask) as response:
            phase.begun = True
            scope.postpone(LIFE_SECONDS, over)
            allow_silence(response, IDLE_SECONDS)
            listener.began()
            for chunk in response.iter_raw():
                for document in decoder.documents(chunk):
                    if changes.is_news(document):
                        listener.changed()
                pause = _take(pace, len(chunk))
                if pause > 0:
                    scope.wait(pause)


class Changes:
    """Which events tell that somebody else changed the images."""

    def __init__(self, ours: frozenset[str]) -> None:
        self._ours = ours
        self._carried: Counter[str] = Counter()
        """By image: names of ours that it was given. A classic store does not tell which name
        was taken away again."""

    def is_news(self, event: Mapping[str, Any]) -> bool:
        """Is a look worth it? Unknown actions are: who knows what they change."""
        action, actor = event.get("Action"), _dict(event.get("Actor"))
        if event.get("Type") != "image" or not isinstance(action, str) or action in _CHANGE_NOTHING:
            return False
        image, name = str(actor.get("ID")), str(_dict(actor.get("Attributes")).get("name"))
        is_ours = name.partition("/")[0] in self._ours
        if action == "tag" and is_ours:
            self._carry(image)
            return False
        if action != "untag":
            return True
        if not is_ours and (name != image or not self._carried[image]):
            return True
        self._carried[image] -= 1
        return False

    def _carry(self, image: str) -> None:
        if len(self._carried) >= MOST_CARRIED:
            self._carried = +self._carried  # without those that carry nothing any more
        if len(self._carried) < MOST_CARRIED:
            self._carried[image] += 1


def _take(pace: RateLimiter, size: int) -> float:
    """Seconds to wait after a chunk of so many bytes."""
    now = time.monotonic()
    return max([pace.take(now) for _ in range(1 + size // CHUNK_BYTES)])


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
