"""What an engine's `save` of one image is: which member is a layer, and the proof at the end.

Source of the form: moby `image/tarexport/save.go` (v20.10 to v28), containerd
`images/archive/exporter.go`; seen on 20.10 and on both stores of 26.1.

    Docker < 25    <id>/layer.tar (or a symlink to an equal one, maybe before its target),
                   <hex of config>.json, manifest.json; the ID says nothing of the content
    Docker >= 25   blobs/sha256/<hex> for layers and config, manifest.json; plain layers are
                   named by their diff ID, compressed ones (containerd store) by their own digest

The lists come after the layers, so every member passes before anybody knows what it was for.
Nothing counts until the end: the tar itself (`members`) proves its end blocks, here are proven
the listed members, the hash of each layer and that of the config.
"""

from __future__ import annotations

import hashlib
import json
import posixpath
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from cyroid_images.archive.tar import Member
from cyroid_images.errors import InvalidReference, Reason, TransferError
from cyroid_images.model.archive import OCI_LAYER
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.manifest import MALFORMED, OCI_MANIFEST, Manifest, read_manifest

LARGEST_KEPT = 4 * 1024 * 1024
"""Bytes of one small member: configs and lists, as large as registries let a manifest be."""
MOST_KEPT = 16 * 1024 * 1024
"""Bytes of all small members of one image; a real one has some ten thousand."""
LONGEST_CHAIN = 8
"""Links that are followed from a listed name to its member; engines make one."""

_LAYER = re.compile(r"[^/]+/layer\.tar")
_BLOB = re.compile(r"blobs/(?P<algorithm>sha256|sha512)/(?P<hex>[0-9a-f]+)")
_CONFIG = re.compile(r"(?P<hex>[0-9a-f]{64})\.json")
_MAGIC = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
"""How each compression begins (RFC 1952; RFC 8878): neither a tar nor JSON ever does."""


@dataclass(frozen=True, slots=True)
class PassingLayer:
    """A layer while it passes by; its bytes are there until the next one is asked for."""

    member: str
    size: int
    """Bytes as they stand in the tar."""
    digest: Digest | None
    """What the name says of those bytes: a plain layer's diff ID, a compressed one's blob."""
    media_type: str
    """`OCI_LAYER` for a plain tar, with `+gzip` or `+zstd` for a compressed one."""
    chunks: Iterator[bytes] = field(repr=False)

    @property
    def is_compressed(self) -> bool:
        return self.media_type != OCI_LAYER


@dataclass(frozen=True, slots=True)
class SavedImage:
    """What the whole stream was: proven against the diff IDs that were asked for."""

    config: bytes = field(repr=False)
    layers: tuple[str, ...]
    """The member of each layer, in the order of the config; a member may stand twice."""
    manifest: bytes | None = field(default=None, repr=False)
    """The stored manifest, where the tar has one that names exactly these members."""
    is_compressed: bool = False
    """Are all layers stored compressed? Then they and their manifest can stay as they are."""


class SaveStream:
    """Reads the members of one `save` by `layers`, then answers `image`."""

    def __init__(
        self, members: Iterable[tuple[Member, Iterator[bytes]]], diff_ids: Sequence[Digest]
    ) -> None:
        self._members = members
        self._diff_ids = tuple(diff_ids)
        self._plain = frozenset(diff_ids)
        self._digests: dict[str, Digest] = {}
        self._compressed: set[str] = set()
        self._links: dict[str, str] = {}
        self._kept: dict[str, bytes] = {}
        self._kept_bytes = 0

    def layers(self) -> Iterator[PassingLayer]:
        """Each layer as it comes, hashed while it is read; what is left unread is read here."""
        for member, chunks in self._members:
            if member.link:
                self._links[member.name] = _target(member.name, member.link)
            if not member.is_file:
                continue
            layer = self._layer_of(member, chunks)
            if layer is not None:
                yield layer
                for _ in layer.chunks:
                    pass

    def image(self) -> SavedImage:
        """What it was, once all layers have passed.

        Raises TransferInterrupted for a list or a member that is missing, DigestMismatch for
        a layer or config of other bytes and SourceChanged for another image.
        """
        config_name, names = self._listed()
        config = self._config(config_name)
        layers = tuple(self._resolved(name) for name in names)
        if len(layers) != len(self._diff_ids):
            raise _broken(f"{len(layers)} layers are listed, {len(self._diff_ids)} were asked for")
        for member, diff_id in zip(layers, self._diff_ids, strict=True):
            self._check(member, diff_id)
        is_compressed = all(member in self._compressed for member in layers)
        return SavedImage(config, layers, self._manifest(config, layers), is_compressed)

    def _layer_of(self, member: Member, chunks: Iterator[bytes]) -> PassingLayer | None:
        """The layer that this member is; small members are kept, others pass unread."""
        digest = _digest_of(member.name)
        if digest in self._plain or _LAYER.fullmatch(member.name):
            return self._passing(member, digest, OCI_LAYER, chunks)
        start, chunks = _peeked(chunks)
        kind = next((kind for magic, kind in _MAGIC.items() if start.startswith(magic)), None)
        if digest is not None and kind is not None:
            self._compressed.add(member.name)
            return self._passing(member, digest, f"{OCI_LAYER}+{kind}", chunks)
        self._keep(member, chunks)
        return None

    def _passing(
        self, member: Member, digest: Digest | None, media_type: str, chunks: Iterator[bytes]
    ) -> PassingLayer:
        hashed = self._hashed(member.name, digest, chunks)
        return PassingLayer(member.name, member.size, digest, media_type, hashed)

    def _hashed(self, name: str, digest: Digest | None, chunks: Iterator[bytes]) -> Iterator[bytes]:
        algorithm = digest.algorithm if digest else "sha256"
        hashing = hashlib.new(algorithm)
        for chunk in chunks:
            hashing.update(chunk)
            yield chunk
        self._digests[name] = Digest(algorithm, hashing.hexdigest())

    def _keep(self, member: Member, chunks: Iterator[bytes]) -> None:
        if member.size > LARGEST_KEPT:
            return  # nothing that is needed: if it is, it will be missed at the end
        self._kept_bytes += member.size
        if self._kept_bytes > MOST_KEPT:
            raise _odd(f"more than {MOST_KEPT} bytes in small members")
        self._kept[member.name] = b"".join(chunks)

    def _listed(self) -> tuple[str, Sequence[str]]:
        """The names of config and layers; by Docker's list, which both stores write."""
        content = self._kept.get("manifest.json")
        if content is None:
            raise _broken("the tar ends without manifest.json")
        try:
            for entry in json.loads(content):
                if self._is_wanted(str(entry["Config"])):
                    return str(entry["Config"]), [str(name) for name in entry["Layers"]]
        except MALFORMED as exc:
            raise _odd(f"manifest.json is not valid: {exc!r:.120}") from exc
        raise TransferError(Reason.SOURCE_CHANGED, "save: the tar holds a different image")

    def _is_wanted(self, config_name: str) -> bool:
        document: Any = json.loads(self._config(config_name))
        return tuple(document["rootfs"].get("diff_ids") or ()) == tuple(map(str, self._diff_ids))

    def _config(self, name: str) -> bytes:
        content = self._kept.get(name)
        if content is None:
            raise _broken(f"the tar lists {name[:80]!a} and does not hold it")
        named = _digest_of(name)
        if named is None or hashlib.new(named.algorithm, content).hexdigest() != named.hex:
            raise _wrong(f"config {name[:80]!a} does not match the digest in its name")
        return content

    def _resolved(self, name: str) -> str:
        """The member that a listed name means; links may stand anywhere in the tar."""
        for _ in range(LONGEST_CHAIN):
            if name in self._digests:
                return name
            if name not in self._links:
                raise _broken(f"the tar lists {name[:80]!a} and does not hold it")
            name = self._links[name]
        raise _odd(f"{name[:80]!a} is a link loop")

    def _check(self, member: str, diff_id: Digest) -> None:
        found = self._digests[member]
        wanted = _digest_of(member) if member in self._compressed else diff_id
        if found != wanted:
            raise _wrong(f"layer {member[:80]!a} is {found}, not {wanted}")

    def _manifest(self, config: bytes, layers: tuple[str, ...]) -> bytes | None:
        """The manifest of the containerd store, whose digest can stay with its layers."""
        wanted = Digest.of(config), tuple(self._digests[member] for member in layers)
        for name, content in self._kept.items():
            if b'"layers"' not in content or not _is_of(_digest_of(name), content):
                continue
            try:
                found = read_manifest(content, OCI_MANIFEST)
            except TransferError:
                continue
            if isinstance(found, Manifest):
                said = found.config.digest, tuple(layer.digest for layer in found.layers)
                if said == wanted:
                    return content
        return None


def _digest_of(name: str) -> Digest | None:
    """The digest that the name of a member says; None where it says none."""
    if found := _CONFIG.fullmatch(name):
        return Digest("sha256", found["hex"])
    if not (found := _BLOB.fullmatch(name)):
        return None
    try:
        return Digest.parse(f"{found['algorithm']}:{found['hex']}")
    except InvalidReference:
        return None


def _is_of(digest: Digest | None, content: bytes) -> bool:
    return digest is not None and hashlib.new(digest.algorithm, content).hexdigest() == digest.hex


def _target(name: str, link: str) -> str:
    """Where a link leads, as a member's name; relative to the link, never out of the tar."""
    joined = posixpath.normpath(posixpath.join(posixpath.dirname(name), link))
    if posixpath.isabs(joined) or joined == ".." or joined.startswith("../"):
        raise _odd(f"{name[:80]!a} is a link that points outside the tar")
    return joined


def _peeked(chunks: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """The first bytes, at least four where there are so many, and all of them again."""
    start = b""
    for chunk in chunks:
        start += chunk
        if len(start) >= 4:
            break
    return start, _again(start, chunks)


def _again(start: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    if start:
        yield start
    yield from rest


def _broken(cause: str) -> TransferError:
    return TransferError(Reason.TRANSFER_INTERRUPTED, f"save: {cause}")


def _wrong(cause: str) -> TransferError:
    return TransferError(Reason.DIGEST_MISMATCH, f"save: {cause}")


def _odd(cause: str) -> TransferError:
    return TransferError(Reason.PROTOCOL_ERROR, f"save: {cause}")
