"""What an engine holds, asked over its own socket, without a line of the product's code."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from tests.parts.engines import EnginePart

ANSWER_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Content:
    """What makes an image the same image in every store: layers, platform, command."""

    layers: tuple[str, ...]
    platform: str
    command: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Held:
    """One image of an engine."""

    id: str
    content: Content
    tags: tuple[str, ...]
    by_digest: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Holding:
    """All images of an engine at one moment."""

    images: tuple[Held, ...]

    def named(self) -> Mapping[str, Held]:
        """By name and tag."""
        return {tag: image for image in self.images for tag in image.tags}

    def names(self) -> frozenset[str]:
        """Every name, also those by digest."""
        return frozenset(name for image in self.images for name in (*image.tags, *image.by_digest))


def holding(engine: EnginePart, about: str = "") -> Holding:
    """What the engine lists now, or only images with a name that holds `about`.

    Raises httpx.HTTPError where the engine does not answer.
    """
    with _asking(engine) as http:
        ids = [each["Id"] for each in _list(http) if any(about in name for name in _names(each))]
        found = [http.get(f"/images/{each}/json") for each in dict.fromkeys(ids)]
    # Removed between the list and the look: not there.
    return Holding(tuple(_held(each.json()) for each in found if each.status_code != 404))


def names(engine: EnginePart) -> frozenset[str]:
    """Every name that the engine lists, also those by digest, with one question."""
    with _asking(engine) as http:
        return frozenset(name for each in _list(http) for name in _names(each))


def remove(engine: EnginePart, about: str) -> None:
    """Remove every image with a tag that holds `about`, and all its names."""
    with _asking(engine) as http:
        for each in _list(http):
            for tag in each.get("RepoTags") or ():
                if about in tag:
                    http.delete(f"/images/{tag}", params={"force": "1"}).raise_for_status()


def happened(engine: EnginePart, since: float, *kinds: str) -> int:
    """How many events of these kinds its images had since then, in seconds since 1970.

    An engine remembers its last 256 events, and none from before it was started.
    """
    moments = {"since": f"{since:.9f}", "until": f"{time.time():.9f}"}
    filters = json.dumps({"type": ["image"], "event": list(kinds)})
    with _asking(engine) as http:
        told = http.get("/events", params={**moments, "filters": filters}).raise_for_status()
        return len(told.text.splitlines())


def can_be_run(engine: EnginePart, image: str) -> str | None:
    """None when a container can be made of it, else the engine's words: it is not complete."""
    with _asking(engine) as http:
        wanted = {"Image": image, "HostConfig": {"NetworkMode": "none"}}
        made = http.post("/containers/create", json=wanted)
        if not made.is_success:
            return made.text.strip()
        http.delete(f"/containers/{made.json()['Id']}", params={"force": "1"}).raise_for_status()
    return None


@contextmanager
def _asking(engine: EnginePart) -> Iterator[httpx.Client]:
    socket = engine.local.url.removeprefix("unix://")
    with httpx.Client(
        transport=httpx.HTTPTransport(uds=socket),
        base_url="http://engine",
        timeout=ANSWER_SECONDS,
        trust_env=False,
    ) as http:
        yield http


def _list(http: httpx.Client) -> list[dict[str, Any]]:
    answer = http.get("/images/json", params={"all": "1", "digests": "1"}).raise_for_status()
    listed: list[dict[str, Any]] = answer.json()
    return listed


def _names(listed: Mapping[str, Any]) -> tuple[str, ...]:
    """Of an image without any: one empty name."""
    tags, by_digest = listed.get("RepoTags") or (), listed.get("RepoDigests") or ()
    return (*tags, *by_digest) or ("",)


def _held(document: Mapping[str, Any]) -> Held:
    config = document.get("Config") or {}
    return Held(
        id=document["Id"],
        content=Content(
            layers=tuple(document["RootFS"].get("Layers") or ()),
            platform=f"{document['Os']}/{document['Architecture']}",
            command=tuple(config.get("Cmd") or ()),
        ),
        tags=tuple(document.get("RepoTags") or ()),
        by_digest=tuple(document.get("RepoDigests") or ()),
    )
