"""What one stand-in holds: images by ID, the names that lead to them, the layers it has.

As a classic image store does it: an image's ID is the digest of its config.
"""

from __future__ import annotations

import copy
import hashlib
import json
from dataclasses import dataclass, field
from typing import Any


class Refused(Exception):
    """An answer with a status that is no success, in the words of a real engine."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass(frozen=True, slots=True)
class Held:
    """One image."""

    id: str
    config: dict[str, Any]
    size: int


@dataclass(slots=True)
class Store:
    """Names are as people write them: without `docker.io/`, with a tag or a digest."""

    images: dict[str, Held] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    layers: set[str] = field(default_factory=set)

    def put(self, config: bytes, size: int, name: str) -> Held:
        """Keep this image under this name, which moves if another image has it."""
        held = Held(digest_of(config), json.loads(config), size)
        self.images[held.id] = held
        self._name(familiar(name), held.id)
        return held

    def tag(self, image: str, name: str) -> None:
        """One more name for an image that is there."""
        self._name(familiar(name), self.find(image).id)

    def untag(self, name: str) -> None:
        """Take a name away, and with the last one the image."""
        known = familiar(name)
        if known not in self.names:
            raise Refused(404, f"No such image: {known}")
        image = self.names.pop(known)
        self._drop_nameless(image)

    def find(self, image: str) -> Held:
        """By ID or by name."""
        held = self.images.get(self.names.get(familiar(image), image))
        if held is None:
            raise Refused(404, f"No such image: {familiar(image)}")
        return held

    def listed(self) -> list[dict[str, Any]]:
        """What `GET /images/json` answers."""
        return [{**self._named(held), "Size": held.size} for held in self.images.values()]

    def inspected(self, image: str) -> dict[str, Any]:
        """What `GET /images/{name}/json` answers."""
        held = self.find(image)
        config = held.config
        return {
            **self._named(held),
            "Os": config.get("os", ""),
            "Architecture": config.get("architecture", ""),
            "Variant": config.get("variant", ""),
            "Created": config.get("created", ""),
            "Config": config.get("config"),
            "RootFS": {"Type": "layers", "Layers": config["rootfs"]["diff_ids"]},
            "Size": held.size,
        }

    def copied(self) -> Store:
        """Another engine with the same data root."""
        return copy.deepcopy(self)

    def _named(self, held: Held) -> dict[str, Any]:
        mine = [name for name, image in self.names.items() if image == held.id]
        return {
            "Id": held.id,
            "RepoTags": [name for name in mine if "@" not in name],
            "RepoDigests": [name for name in mine if "@" in name],
        }

    def _name(self, name: str, image: str) -> None:
        before, self.names[name] = self.names.get(name), image
        if before not in (None, image):
            self._drop_nameless(str(before))

    def _drop_nameless(self, image: str) -> None:
        """A real engine keeps an untagged image when its tag moves; nobody sees the difference."""
        if image not in self.names.values():
            del self.images[image]


def familiar(name: str) -> str:
    """A name as engines show it."""
    return name.removeprefix("docker.io/").removeprefix("library/")


def digest_of(content: bytes) -> str:
    """sha256 as images write it."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
