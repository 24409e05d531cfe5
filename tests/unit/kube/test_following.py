"""One kind, followed: what is told, and that the watch goes on whatever the API server does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import pytest

from cyroid_images.errors import ApiUnavailable
from cyroid_images.kube.api import ApiResponse
from cyroid_images.kube.following import IDLE_SECONDS, LONGEST_PAUSE, WATCH_SECONDS, Following
from tests.unit.reconcile.clock import run


def named(name: str, version: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "resourceVersion": version}}


class FakeApi:
    """Lists and watches as a test says; what it was asked stands in `asked`."""

    def __init__(self, *script: Any) -> None:
        self.script = list(script)
        self.asked: list[str] = []

    async def get(self, path: str, **query: str) -> ApiResponse:  # noqa: ARG002 - as the real one
        self.asked.append(f"list {query.get('continue', '')}".strip())
        step = self.script.pop(0)
        if isinstance(step, Exception):
            raise step
        assert isinstance(step, ApiResponse)
        return step

    async def lines(  # as the real one
        self,
        path: str,  # noqa: ARG002
        *,
        idle_seconds: float,  # noqa: ARG002
        **query: str,
    ) -> AsyncIterator[Mapping[str, Any]]:
        self.asked.append(f"watch from {query['resourceVersion']}")
        assert query["allowWatchBookmarks"] == "true"
        if not self.script:
            await asyncio.sleep(3600)
        for line in self.script.pop(0):
            if isinstance(line, Exception):
                raise line
            yield line


class Told:
    """What a follower heard."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def replaced(self, items: Sequence[Mapping[str, Any]]) -> None:
        self.heard.append("all " + " ".join(each["metadata"]["name"] for each in items))

    def changed(self, item: Mapping[str, Any]) -> None:
        self.heard.append(f"changed {item['metadata']['name']}")

    def removed(self, item: Mapping[str, Any]) -> None:
        self.heard.append(f"removed {item['metadata']['name']}")

    def in_contact(self) -> None:
        if self.heard[-1:] != ["contact"]:
            self.heard.append("contact")

    def lost(self, why: str) -> None:
        self.heard.append(f"lost {why}")


def page(version: str, *names: str, more: str = "") -> ApiResponse:
    items = [named(name, "1") for name in names]
    return ApiResponse(
        200, {"items": items, "metadata": {"resourceVersion": version, "continue": more}}
    )


def line(kind: str, name: str, version: str) -> dict[str, Any]:
    return {"type": kind, "object": named(name, version)}


GONE = {"type": "ERROR", "object": {"code": 410, "message": "too old"}}


def followed(*script: Any, seconds: float = 60.0) -> tuple[list[str], list[str]]:
    """What was asked, and what was heard, without words of contact."""
    api, told = FakeApi(*script), Told()

    async def main() -> None:
        following = Following(api, "ImageCache", told)  # type: ignore[arg-type]
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(seconds):
                await following.run()

    run(main())
    return api.asked, [each for each in told.heard if each != "contact"]


def test_pages_are_told_as_one_and_the_watch_goes_on_from_them() -> None:
    asked, heard = followed(page("7", "a", more="t"), page("7", "b"), [line("ADDED", "c", "8")])
    assert asked == ["list", "list t", "watch from 7", "watch from 8"]
    assert heard == ["all a b", "changed c"]


def test_a_watch_that_ends_or_breaks_goes_on_where_it_was() -> None:
    asked, heard = followed(
        page("7"),
        [line("MODIFIED", "a", "8"), line("DELETED", "a", "9")],
        [line("BOOKMARK", "", "20")],
        [ApiUnavailable("cut")],
    )
    assert asked == ["list", "watch from 7", "watch from 9", "watch from 20", "watch from 20"]
    assert heard == ["all ", "changed a", "removed a", "lost cut"]


@pytest.mark.parametrize("lines", [[GONE], [line("ADDED", "a", "8"), GONE]])
def test_a_version_that_is_forgotten_is_listed_anew(lines: list[Any]) -> None:
    asked, heard = followed(page("7"), lines, page("30", "b"))
    assert asked[:3] == ["list", "watch from 7", "list"]
    assert asked[-1] == "watch from 30"
    assert heard[-1] == "all b"
    assert not [each for each in heard if each.startswith("lost")]


def test_an_error_in_a_watch_is_told_and_tried_again() -> None:
    error = {"type": "ERROR", "object": {"code": 500, "message": "etcd is away"}}
    asked, heard = followed(page("7"), [error])
    assert asked == ["list", "watch from 7", "watch from 7"]
    assert heard[-1] == "lost watch ImageCache: etcd is away"


def test_an_api_server_that_is_away_is_asked_again_with_growing_pauses() -> None:
    away = [ApiUnavailable("away") for _ in range(200)]
    asked, heard = followed(*away, seconds=600)
    assert 600 / LONGEST_PAUSE < len(asked) < 100
    assert set(heard) == {"lost away"}


def test_a_watch_may_be_silent_from_its_begin_to_its_end() -> None:
    """The API server sends no bookmark before a first event: seen on a quiet cluster, where
    the ranges were told to be lost every 90 seconds."""
    assert IDLE_SECONDS > WATCH_SECONDS + 10
