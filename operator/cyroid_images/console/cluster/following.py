"""Objects of one collection as they change. A watch that is lost is asked for again, with a
growing pause, and that is said; what was refused (401, 403) ends it.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from cyroid_images.console.cluster.api_server import ApiObject, ApiServer, NotThere, WatchExpired
from cyroid_images.console.cluster.objects import listed
from cyroid_images.errors import AccessDenied, ApiUnavailable, CyroidError

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 15.0
TOGETHER = 0.2
"""Seconds in which changes are gathered to one picture."""

ObjectName = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Tick:
    """The state of the collection, when it changed or after a while without a change."""

    objects: Mapping[ObjectName, ApiObject]
    """By namespace and name. The same mapping each time: look, and keep nothing."""
    changed: frozenset[ObjectName] | None
    """What is new or another; None: anything may be."""


def follow(
    api: ApiServer,
    path: str,
    query: Mapping[str, str],
    tell: Callable[[str], None],
    *,
    every: float = 1.0,
) -> Iterator[Tick]:
    """A Tick first, at each change, and at least once in `every` seconds."""
    changes: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
    state = _State(changes, tell)
    thread = threading.Thread(
        target=_watch, args=(api, path, dict(query), state), name="watch", daemon=True
    )
    thread.start()
    while True:
        if (tick := state.gathered(every)) is not None:
            yield tick


class _State:
    """What the thread of the watch saw; only the caller's thread changes it."""

    def __init__(
        self, changes: queue.SimpleQueue[Callable[[], None]], tell: Callable[[str], None]
    ) -> None:
        self._changes, self._tell = changes, tell
        self._objects: dict[ObjectName, ApiObject] = {}
        self._touched: set[ObjectName] = set()
        self._is_new, self._is_listed = False, False

    # -- of the watching thread: each puts what is to be done -----------------------------

    def replace(self, bodies: list[ApiObject]) -> None:
        self._changes.put(lambda: self._replaced(bodies))

    def put(self, kind: str, body: ApiObject) -> None:
        self._changes.put(lambda: self._put(kind, body))

    def say(self, line: str) -> None:
        self._changes.put(lambda: self._tell(line))

    def fail(self, exc: CyroidError) -> None:
        def again() -> None:
            raise exc

        self._changes.put(again)

    # -- of the caller ------------------------------------------------------------------

    def gathered(self, every: float) -> Tick | None:
        """The next Tick; None while there was no list yet."""
        deadline = time.monotonic() + every
        try:
            self._changes.get(timeout=every)()
            deadline = min(deadline, time.monotonic() + TOGETHER)
            while (left := deadline - time.monotonic()) > 0:
                self._changes.get(timeout=left)()
        except queue.Empty:
            pass
        if not self._is_listed:
            return None
        touched = None if self._is_new else frozenset(self._touched)
        self._touched.clear()
        self._is_new = False
        return Tick(self._objects, touched)

    def _replaced(self, bodies: list[ApiObject]) -> None:
        self._objects.clear()
        self._objects.update({_key(body): body for body in bodies})
        self._is_new = self._is_listed = True

    def _put(self, kind: str, body: ApiObject) -> None:
        key = _key(body)
        self._touched.add(key)
        if kind == "DELETED":
            self._objects.pop(key, None)
        else:
            self._objects[key] = body


def _watch(api: ApiServer, path: str, query: Mapping[str, str], state: _State) -> None:
    """The thread: list, watch, and begin again; ends where asking again is of no use."""
    pause, is_lost = FIRST_PAUSE, False
    while True:
        try:
            bodies, version = listed(api, path, query)
            state.replace(bodies)
            if is_lost:
                state.say("the Kubernetes API answers again")
            pause, is_lost = FIRST_PAUSE, False
            while True:  # a watch ends by itself after some minutes, and goes on where it was
                version = _one_watch(api, path, version, query, state)
        except WatchExpired:
            continue
        except (AccessDenied, NotThere) as exc:
            state.fail(exc)
            return
        except ApiUnavailable as exc:
            if not is_lost:
                state.say(f"{exc}; what is shown may be old, trying again")
            is_lost = True
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)


def _one_watch(
    api: ApiServer, path: str, version: str, query: Mapping[str, str], state: _State
) -> str:
    """Follow one watch to its end; the version to go on from."""
    for event in api.watch(path, version, query):
        body = event.get("object") or {}
        version = str((body.get("metadata") or {}).get("resourceVersion") or version)
        if event.get("type") != "BOOKMARK":
            state.put(str(event.get("type")), body)
    return version


def _key(body: ApiObject) -> ObjectName:
    metadata = body.get("metadata") or {}
    return str(metadata.get("namespace") or ""), str(metadata.get("name"))
