"""The stored bytes of layers, out of an archive in its own order, proven while they pass.

What was seen of an archive earlier may no longer be so: every layer is hashed again, and its
last bytes are handed out only when size and digest are right. A tar that stands uncompressed
is read by offset, one that does not passes once and only as far as it must.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping

from cyroid_images.archive.contents import plain_name
from cyroid_images.archive.damage import invalid, told
from cyroid_images.archive.decoding import decoded, is_compressed
from cyroid_images.archive.indexing import TarIndex, indexed
from cyroid_images.archive.layouts.bundle import inner_name, is_zip, opened_zip
from cyroid_images.archive.tar import members
from cyroid_images.archive.window import Window
from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.archive import LayerFile

Layers = Iterator[tuple[LayerFile, Iterator[bytes]]]
"""Each layer with its bytes, which are good until the next layer is asked for."""


def layers_in(window: Window, inner: str | None, wanted: Mapping[str, LayerFile]) -> Layers:
    """The wanted layers, by member, of a file or of its image tar `inner`.

    Raises ArchiveInvalid for a layer that is gone or an archive that is damaged, and, out of
    the bytes, DigestMismatch for a layer that is not what it was.
    """
    archive = inner_name(window.name, inner) if inner else window.name
    left = dict(wanted)
    with told(archive, window.cancellation):
        for layer, chunks in _found(window, inner, left):
            yield layer, proven(chunks, layer, archive, window)
        if left:
            raise invalid(archive, f"the layer {next(iter(left))} is no longer there")


def proven(
    chunks: Iterable[bytes], layer: LayerFile, archive: str, window: Window
) -> Iterator[bytes]:
    """The same bytes; the last of them only once size and digest are proven."""
    blob, seen, held = layer.blob, 0, b""
    hashing = hashlib.new(blob.digest.algorithm)
    with told(archive, window.cancellation):
        for chunk in chunks:
            window.cancellation.raise_if_cancelled()
            seen += len(chunk)
            hashing.update(chunk)
            if held:
                yield held
            held = chunk
    if seen != blob.size:
        raise invalid(archive, f"the layer {layer.member} has {seen} bytes instead of {blob.size}")
    if hashing.hexdigest() != blob.digest.hex:
        raise TransferError(
            Reason.DIGEST_MISMATCH,
            f"archive {archive}: layer {layer.member} does not match {blob.digest}",
        )
    if held:
        yield held


def _found(window: Window, inner: str | None, left: dict[str, LayerFile]) -> Layers:
    """What is found of the layers is taken out of `left`."""
    head = window.read(0, 4)
    if is_zip(head):
        with opened_zip(window) as bundle:
            yield from _passing(bundle.chunks(inner or ""), window.name, left)
    elif is_compressed(head) and inner:
        for member, content in members(decoded(window.chunks(), window.name), "the tar"):
            if plain_name(member.name) == inner:
                yield from _passing(content, window.name, left)
                return
    elif is_compressed(head):
        yield from _passing(window.chunks(), window.name, left)
    elif inner:
        if (part := indexed(window).parts.get(inner)) is not None:
            yield from _found(part, None, left)
    else:
        yield from _by_offset(indexed(window), left)


def _by_offset(index: TarIndex, left: dict[str, LayerFile]) -> Layers:
    parts = [(index.parts[name], name) for name in left if name in index.parts]
    for part, name in sorted(parts, key=lambda pair: pair[0].start):
        yield left.pop(name), part.chunks()


def _passing(chunks: Iterator[bytes], name: str, left: dict[str, LayerFile]) -> Layers:
    """A stream is not read on once everything was found."""
    for member, content in members(decoded(chunks, name), "the tar"):
        layer = left.pop(plain_name(member.name) or "", None) if member.is_file else None
        if layer is not None:
            yield layer, content
        if not left:
            return
