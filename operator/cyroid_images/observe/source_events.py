"""Hears when the images of a source engine change, and has the engine looked at then.

One thread per source engine holds one long answer of it. What it tells only says that
something changed: the look finds out what. An answer that ends is asked for again, with a
growing pause; meanwhile, and where an engine tells nothing, the observer looks by its schedule.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

from cyroid_images.defects import defect_in
from cyroid_images.errors import Cancelled, TransferError
from cyroid_images.model.clock import Clock
from cyroid_images.model.engine import ImageListener
from cyroid_images.observe.observer import Observer
from cyroid_images.observe.places import EnginePlace
from cyroid_images.scheduling.cancel_scope import CancelScope
from cyroid_images.scheduling.threads import Threads

_log = logging.getLogger(__name__)

SETTLE_SECONDS = 0.3
"""From a change to its look: a build or load tells of several."""
LEAST_SECONDS = 2.0
"""Between the end of a look and the next one for a change."""
SHARE = 10.0
"""A look is followed by at least so many times its duration without one: a containerd store
works 12 ms for each image that it lists."""
SURE_SECONDS = 10.0
"""Engines remember their last 256 events; of a longer time than this some may be lost."""
SKEW_SECONDS = 60.0
"""By which the clocks of an engine and of ours may differ; what is told twice costs a look."""
FIRST_SECONDS = 1.0
CAP_SECONDS = 60.0
"""The first and the longest pause after an answer that ended."""
LASTING_SECONDS = 60.0
"""An answer that lasted so long has not failed."""

Listen = Callable[[ImageListener, CancelScope], None]


class Watcher(Protocol):
    """How one listens to an engine."""

    def party(self, place: EnginePlace, /) -> str:
        """Whose share of the threads it takes."""
        ...

    async def prepare(self, place: EnginePlace, /) -> Listen:
        """What listens, to run in a thread; raises TransferError as that does."""
        ...


@dataclass(slots=True, eq=False)
class _Followed:
    owner: Hashable
    ours: frozenset[str]
    covered: float
    """Until when it is known what happened; a moment of the event loop's clock."""
    scope: CancelScope = field(default_factory=CancelScope)
    task: asyncio.Task[None] | None = None
    live_since: float | None = None
    changed_at: float = 0.0
    is_told: bool = False
    """A change is on its way from the thread to the loop: more of them say nothing more."""
    timer: asyncio.TimerHandle | None = None
    complaint: str = ""
    """What was last said in the log."""


class SourceEvents:
    """Used from the event loop only; whoever listens does so in a thread."""

    def __init__(
        self,
        watcher: Watcher | None,
        threads: Threads,
        looks: Observer[EnginePlace, Any],
        wake: Callable[[Hashable], None],
        clock: Clock,
    ) -> None:
        """Without a watcher nobody listens. `wake` is told of a beginning and of an end."""
        self._watcher = watcher
        self._threads = threads
        self._looks = looks
        self._wake = wake
        self._clock = clock
        self._followed: dict[EnginePlace, _Followed] = {}
        self._is_closed = False

    def follow(self, owner: Hashable, places: Mapping[EnginePlace, frozenset[str]]) -> None:
        """Listen to exactly these for this owner; by place: hosts of names of our own."""
        if self._is_closed or self._watcher is None:
            return
        for place, held in list(self._followed.items()):
            if held.owner == owner and places.get(place) != held.ours:
                self._leave(place, held)
        for place, ours in places.items():
            if place not in self._followed:
                last, now = self._looks.at(place), asyncio.get_running_loop().time()
                held = _Followed(owner, ours, last.began if last is not None else now)
                self._followed[place] = held
                self._start(place, held, self._watcher)

    def is_live(self, place: EnginePlace) -> bool:
        """Does this engine tell of every change just now?"""
        held = self._followed.get(place)
        return held is not None and held.live_since is not None

    def close(self) -> None:
        """Listen no more."""
        self._is_closed = True
        for place, held in list(self._followed.items()):
            self._leave(place, held)
        self._threads.close()

    def _start(self, place: EnginePlace, held: _Followed, watcher: Watcher) -> None:
        held.task = asyncio.create_task(self._keep(place, held, watcher))
        held.task.add_done_callback(lambda _: self._ended(place, held, watcher))

    def _ended(self, place: EnginePlace, held: _Followed, watcher: Watcher) -> None:
        """No task of a place that is followed ends unseen, or for good."""
        if self._followed.get(place) is held and held.task is not None:
            error = None if held.task.cancelled() else held.task.exception()
            defect_in(f"listening to {place.url}", error or asyncio.CancelledError())
            self._over(held)
            loop = asyncio.get_running_loop()
            loop.call_later(CAP_SECONDS, self._start_again, place, held, watcher)

    def _start_again(self, place: EnginePlace, held: _Followed, watcher: Watcher) -> None:
        if self._followed.get(place) is held:
            self._start(place, held, watcher)

    def _leave(self, place: EnginePlace, held: _Followed) -> None:
        del self._followed[place]
        held.scope.cancel()
        if held.timer is not None:
            held.timer.cancel()
        if held.task is not None:
            held.task.cancel()

    async def _keep(self, place: EnginePlace, held: _Followed, watcher: Watcher) -> None:
        """For as long as it is followed: listen, and ask again when an answer has ended."""
        failures = 0
        while self._followed.get(place) is held:
            try:
                await self._listen(place, held, watcher)
                why = "the engine ended its answer"
            except TransferError as exc:
                why = exc.message
            except Cancelled:
                return
            except Exception as exc:  # costs this place its events for a while, nothing else
                why = defect_in(f"listening to {place.url}", exc).message
            lasted = self._over(held)
            failures = 0 if lasted >= LASTING_SECONDS else failures + 1
            self._complain(place, held, why if failures else "")
            doublings = max(0, min(failures, 16) - 1)
            await asyncio.sleep(min(FIRST_SECONDS * 2.0**doublings, CAP_SECONDS))

    async def _listen(self, place: EnginePlace, held: _Followed, watcher: Watcher) -> None:
        loop = asyncio.get_running_loop()
        listen = await watcher.prepare(place)
        since = self._clock.now().timestamp() - (loop.time() - held.covered) - SKEW_SECONDS

        def tell(call: Callable[[EnginePlace, _Followed], None]) -> None:
            try:
                loop.call_soon_threadsafe(call, place, held)
            except RuntimeError:
                return  # the loop has ended: nobody is told any more

        def changed() -> None:
            if not held.is_told:
                held.is_told = True
                tell(self._changed)

        listener = ImageListener(since, held.ours, partial(tell, self._begun), changed)
        await self._threads.run(partial(listen, listener, held.scope), watcher.party(place))

    def _over(self, held: _Followed) -> float:
        """Nobody tells any more; for how long somebody did, in seconds."""
        if held.live_since is None:
            return 0.0
        now, since = asyncio.get_running_loop().time(), held.live_since
        held.live_since, held.covered = None, now
        self._wake(held.owner)
        return now - since

    def _complain(self, place: EnginePlace, held: _Followed, why: str) -> None:
        if why and why != held.complaint:
            _log.info("image events of %s are not heard; will retry: %s", place.url, why)
        held.complaint = why

    def _begun(self, place: EnginePlace, held: _Followed) -> None:
        if self._followed.get(place) is not held:
            return
        held.live_since = now = asyncio.get_running_loop().time()
        if now - held.covered > SURE_SECONDS:
            self._looks.refresh(place, is_awaited=False)
        self._wake(held.owner)

    def _changed(self, place: EnginePlace, held: _Followed) -> None:
        held.is_told = False
        if self._followed.get(place) is not held:
            return
        loop = asyncio.get_running_loop()
        held.changed_at = loop.time()
        if held.timer is None:
            held.timer = loop.call_at(self._due(place, loop.time()), self._refresh, place, held)

    def _due(self, place: EnginePlace, now: float) -> float:
        last = self._looks.at(place)
        if last is None:
            return now + SETTLE_SECONDS
        rest = max(LEAST_SECONDS, SHARE * (last.ended - last.began))
        return max(now + SETTLE_SECONDS, last.ended + rest)

    def _refresh(self, place: EnginePlace, held: _Followed) -> None:
        held.timer = None
        self._looks.refresh(place, held.changed_at, is_awaited=False)
