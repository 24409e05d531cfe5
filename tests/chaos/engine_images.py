"""What an engine holds, asked over its own socket, without a line of the product's code."""

from __future__ import annotations

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


def holding(engine: EnginePart) -> Holding:
    """Everything that the engine lists now; raises httpx.HTTPError where it does not answer."""
    with _asking(engine) as http:
        listed = http.get("/images/json", params={"all": "1", "digests": "1"})
        ids = [each["Id"] for each in listed.raise_for_status().json()]
        found = [http.get(f"/images/{each}/json") for each in dict.fromkeys(ids)]
    # Removed between the list and the look: not there.
    return Holding(tuple(_held(each.json()) for each in found if each.status_code != 404))


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
