"""Bytes on their way, hashed while they pass: nothing is stored, nothing is trusted."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.manifest import Descriptor
from cyroid_images.scheduling.cancel_scope import NEVER, CancelScope


def verified(chunks: Iterable[bytes], descriptor: Descriptor, act: str) -> Iterator[bytes]:
    """The same bytes; the last chunk is handed out only once size and digest are proven.

    Raises DigestMismatch for other or more bytes and BlobMissing for fewer, so that
    whoever sends them on never completes a wrong blob.
    """
    hashing = hashlib.new(descriptor.digest.algorithm)
    seen, held = 0, b""
    for chunk in chunks:
        seen += len(chunk)
        if seen > descriptor.size:
            raise _wrong(Reason.DIGEST_MISMATCH, act, f"more than {descriptor.size} bytes")
        hashing.update(chunk)
        if held:
            yield held
        held = chunk
    if seen < descriptor.size:
        raise _wrong(Reason.BLOB_MISSING, act, f"{seen} of {descriptor.size} bytes")
    if hashing.hexdigest() != descriptor.digest.hex:
        raise _wrong(Reason.DIGEST_MISMATCH, act, f"content does not match {descriptor.digest}")
    if held:
        yield held


class HashedStream:
    """Bytes of unknown length; `digest` and `size` are those of what has passed so far."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = chunks
        self._hashing = hashlib.sha256()
        self.size = 0

    @property
    def digest(self) -> Digest:
        return Digest("sha256", self._hashing.hexdigest())

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            self._hashing.update(chunk)
            self.size += len(chunk)
            yield chunk


class CompletedBody:
    """Bytes that come to a proper end even when their source fails; the failure is kept.

    To be cancelled is such a failure: it is asked before each chunk.
    """

    def __init__(self, chunks: Iterable[bytes], scope: CancelScope = NEVER) -> None:
        self._chunks = iter(chunks)
        self._scope = scope
        self._failure: BaseException | None = None

    def raise_failure(self) -> None:
        """Raise what the source raised, unchanged; nothing where it came to its end."""
        if self._failure is not None:
            raise self._failure

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            self._scope.raise_if_cancelled()
            return next(self._chunks)
        except StopIteration:
            raise
        except BaseException as exc:
            self._failure = exc
            raise StopIteration from exc


def _wrong(reason: Reason, act: str, cause: str) -> TransferError:
    return TransferError(reason, f"{act}: {cause}")
