"""What an image is, independent of its name and of who tells of it.

A registry tells by manifest and config, an engine by `inspect`; both end in the same
values, so that presence is a comparison of values. The facts behind `EngineImage.holds`:
engines name one image by different IDs (config, manifest or index digest, by image store;
moby #48401), so an ID alone proves nothing, and layers alone do not tell two images apart
that differ only in CMD or ENV.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from weakref import ReferenceType, WeakKeyDictionary, ref

from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.manifest import MALFORMED
from cyroid_images.model.images.platform import Platform
from cyroid_images.model.images.reference import Reference

_SETUP_KEYS = (
    "Cmd",
    "Entrypoint",
    "Env",
    "ExposedPorts",
    "Healthcheck",
    "Labels",
    "OnBuild",
    "Shell",
    "StopSignal",
    "User",
    "Volumes",
    "WorkingDir",
)
"""What decides how a container runs; the rest of Config differs between engine versions."""

_MOMENT = re.compile(
    r"(?P<seconds>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(?P<fraction>\d+))?"
    r"(?P<zone>Z|[+-]\d\d:\d\d)",
    re.ASCII,
)


@dataclass(frozen=True, slots=True, weakref_slot=True)
class ImageContent:
    """One platform's image: layers, platform and setup, and the digests it is known by."""

    platform: Platform
    diff_ids: tuple[Digest, ...]
    created: str
    setup: str
    config: Digest | None = None
    manifest: Digest | None = None
    aliases: frozenset[Digest] = frozenset()
    """Further digests it is known by: an index, or the ID that a source engine gave it."""

    @property
    def identities(self) -> frozenset[Digest]:
        """Every digest that means this content."""
        known = {digest for digest in (self.config, self.manifest) if digest}
        return self.aliases | known

    @property
    def identity(self) -> Digest:
        """The one digest to show and to record: manifest, else config, else the source's ID.

        Whoever makes a content gives it at least one of these; without any it is a ValueError.
        """
        return self.manifest or self.config or min(self.aliases)

    @property
    def layers(self) -> str:
        """Eight hex digits of platform and layers: the same, whoever tells of this content.

        Contents that differ in them are never the same; equal ones prove nothing, so a few
        digits do. They are compared with what statuses say, so their form must stay.
        """
        whole = "\n".join(map(str, (self.platform, *self.diff_ids)))
        return Digest.of(whole.encode()).hex[:8]

    def is_same(self, other: ImageContent) -> bool:
        """Equal layers and platform, and the same image by a digest or by its setup."""
        return (
            self.diff_ids == other.diff_ids
            and self.platform == other.platform
            and (
                bool(self.identities & other.identities)
                or (self.created == other.created and self.setup == other.setup)
            )
        )


_kept: WeakKeyDictionary[ImageContent, ReferenceType[ImageContent]] = WeakKeyDictionary()
"""Weak on both sides: a dictionary that held its own key would keep every content for good."""


def kept_once(content: ImageContent) -> ImageContent:
    """The same value, stored once however many engines hold that image (as `sys.intern`).

    It is forgotten with the last who holds it.
    """
    known = _kept.get(content)
    if known is not None and (first := known()) is not None:
        return first
    _kept[content] = ref(content)
    return content


@dataclass(frozen=True, slots=True)
class EngineImage:
    """An image as an engine's list and inspect answer it."""

    id: Digest
    content: ImageContent
    names: frozenset[Reference]
    """What a person can run it by (RepoTags)."""
    digests: frozenset[Reference]
    """repository@digest pairs that the engine recorded (RepoDigests)."""
    size: int

    def holds(self, wanted: ImageContent) -> bool:
        """Is this, by proof, the wanted content?"""
        return self.content.is_same(wanted)


def content_of_config(config: bytes, *, manifest: Digest | None) -> ImageContent:
    """The content that an image configuration (a blob of a registry) describes.

    Source of the form: OCI image-spec, config.md. Raises TransferError(ProtocolError).
    """
    try:
        document = json.loads(config)
        return ImageContent(
            platform=Platform.of(
                document["os"], document["architecture"], document.get("variant", "")
            ),
            diff_ids=tuple(Digest.parse(item) for item in document["rootfs"]["diff_ids"]),
            created=canonical_time(document.get("created")),
            setup=canonical_setup(document.get("config")),
            config=Digest.of(config),
            manifest=manifest,
        )
    except MALFORMED as exc:
        raise TransferError(Reason.PROTOCOL_ERROR, f"not an image config: {exc!r:.120}") from exc


LONGEST_SETUP = 1024
"""Characters of a setup that are kept as they are: of a longer one its digest compares as well,
and whoever sends mebibytes of labels fills no memory."""


def canonical_setup(config: Mapping[str, Any] | None) -> str:
    """What decides how a container runs, as one comparable text; empty values do not count."""
    chosen = {key: value for key in _SETUP_KEYS if (value := (config or {}).get(key))}
    if isinstance(check := chosen.get("Healthcheck"), Mapping):
        chosen["Healthcheck"] = _canonical_check(check)
    text = json.dumps(chosen, sort_keys=True)
    return text if len(text) <= LONGEST_SETUP else str(Digest.of(text.encode()))


def _canonical_check(check: Mapping[str, Any]) -> dict[str, Any]:
    """A health check as every engine tells it: zeros are left out, and before Docker 25 also
    StartInterval (seen on 20.10 and 26.1)."""
    return {key: value for key, value in check.items() if value and key != "StartInterval"}


def canonical_time(created: str | None) -> str:
    """A moment as one comparable text, in UTC; empty for none.

    Engines add or drop trailing zeros of the fraction, say year 1 for none, and a config
    may carry the time zone of whoever built it. A text that is no moment stays as it is.
    """
    if not created or created.startswith("0001-01-01"):
        return ""
    parts = _MOMENT.fullmatch(created)
    if parts is None:
        return created
    try:
        moment = datetime.fromisoformat(parts["seconds"] + parts["zone"]).astimezone(UTC)
    except (ValueError, OverflowError):  # the 31st of February; year 1 in another zone
        return created
    fraction = (parts["fraction"] or "").rstrip("0")
    return f"{moment:%Y-%m-%dT%H:%M:%S}{f'.{fraction}' if fraction else ''}"
