"""One kind as it is: listed in pages, then watched, without end.

A watch that ends or breaks goes on from the last version that was seen; only where the API
server has forgotten that one (410) everything is listed again. Bookmarks keep the version young
while nothing changes. However many people read, this is one connection per kind.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from cyroid_images.errors import ApiUnavailable
from cyroid_images.kube.api import Api, success
from cyroid_images.kube.resources import RESOURCES

_log = logging.getLogger(__name__)

PAGE = "100"
MOST_PAGES = 1000
"""100,000 objects; a paging that never ends is cut."""
WATCH_SECONDS = 60
"""The API server ends a watch then, and the next one goes on from there."""
IDLE_SECONDS = 75.0
"""Longer than a watch: one of a kind that nobody changes is silent to its end, since bookmarks
come only after a first event. After more silence the connection is dead."""
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 10.0

_GONE = 410

Item = Mapping[str, Any]


class Follower(Protocol):
    """Who is told what became of the objects of one kind."""

    def replaced(self, items: Sequence[Item]) -> None:
        """These are all that there are."""
        ...

    def changed(self, item: Item) -> None:
        """This one is new or has changed."""
        ...

    def removed(self, item: Item) -> None:
        """This one is gone."""
        ...

    def in_contact(self) -> None:
        """The API server answered just now: what was told is current."""
        ...

    def lost(self, why: str) -> None:
        """It did not; what was told may be old."""
        ...


class _Expired(Exception):  # never leaves this module
    """The version to go on from is forgotten."""


class Following:
    """Keeps a follower told of one kind."""

    def __init__(self, api: Api, kind: str, follower: Follower) -> None:
        self._api = api
        self._kind = kind
        self._path = RESOURCES[kind].path()
        self._follower = follower
        self._version = ""
        """Where to go on; empty: list everything."""
        self._is_followed = False
        """Does a watch stand? Without one an API server that answers tells of no change."""

    async def run(self) -> None:
        """Until cancelled; whatever the API server does is told and tried again."""
        pause = FIRST_PAUSE
        while True:
            try:
                if not self._version:
                    await self._list()
                await self._watch()
                pause = FIRST_PAUSE
            except _Expired:
                self._version = ""
            except ApiUnavailable as exc:
                self._is_followed = False
                _log.warning("%s are not followed: %s; again in %.1f s", self._kind, exc, pause)
                self._follower.lost(str(exc))
                await asyncio.sleep(max(pause, exc.retry_after or 0) * random.uniform(0.8, 1.2))  # noqa: S311 - spreads, hides nothing
                pause = min(2 * pause, LONGEST_PAUSE)

    async def _list(self) -> None:
        items: list[Item] = []
        token, version = "", ""
        for _ in range(MOST_PAGES):
            query = {"limit": PAGE, **({"continue": token} if token else {})}
            answer = await self._api.get(self._path, **query)
            if answer.code == _GONE:
                raise _Expired
            body = success(answer, f"list {self._kind}")
            metadata = body.get("metadata") or {}
            items += body.get("items") or ()
            version = str(metadata.get("resourceVersion", ""))
            token = metadata.get("continue", "")
            if not token:
                break
        else:
            raise ApiUnavailable(f"list {self._kind}: more than {MOST_PAGES} pages")
        self._follower.replaced(items)
        self._version = version
        self._follower.in_contact()

    async def _watch(self) -> None:
        """One watch; it ends by itself after some minutes."""
        lines = self._api.lines(
            self._path,
            idle_seconds=IDLE_SECONDS,
            watch="true",
            allowWatchBookmarks="true",
            opened=self._stands,
            resourceVersion=self._version,
            timeoutSeconds=str(WATCH_SECONDS),
        )
        async for event in lines:
            self._tell(str(event.get("type")), event.get("object") or {})
            self._follower.in_contact()

    def _stands(self) -> None:
        self._is_followed = True
        self._follower.in_contact()

    def _tell(self, kind: str, item: Item) -> None:
        if kind == "ERROR":
            if item.get("code") == _GONE:
                raise _Expired
            raise ApiUnavailable(f"watch {self._kind}: {item.get('message', 'failed')}")
        if kind in ("ADDED", "MODIFIED"):
            self._follower.changed(item)
        elif kind == "DELETED":
            self._follower.removed(item)
        self._version = str((item.get("metadata") or {}).get("resourceVersion", self._version))

    async def look(self, seconds: float) -> None:
        """Ask whether the API server still answers, again and again; until cancelled.

        A connection that hangs tells nothing, neither of changes nor of their absence.
        """
        while True:
            await asyncio.sleep(seconds)
            try:
                success(await self._api.get(self._path, limit="1", resourceVersion="0"), "look")
            except ApiUnavailable as exc:
                self._follower.lost(str(exc))
            else:
                if self._is_followed:
                    self._follower.in_contact()
