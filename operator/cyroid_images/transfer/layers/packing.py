"""Layers on their way into one repository of our registry, several at a time.

The caller's thread reads the source and hands each layer's bytes to a thread of the layer's own,
which compresses, hashes and sends them in one pass; so a layer is committed while the next
one is read. Nothing is on disk and a few MiB per layer in memory. A layer that the registry
has is never sent. A failure anywhere ends everything: bytes first, so that uploads can be
taken back in good order, then, after a moment, their sockets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent import futures
from types import TracebackType
from typing import Self

from cyroid_images.errors import Mark, TransferError
from cyroid_images.model.actions import Slot
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.manifest import Descriptor
from cyroid_images.model.kinds.image_cache import Compression
from cyroid_images.registry.client import RegistryClient
from cyroid_images.scheduling.cancel_scope import CancelScope
from cyroid_images.transfer.known_layers import KnownLayers
from cyroid_images.transfer.layers.compress import compressed, media_type
from cyroid_images.transfer.layers.pipe import Pipe, batched

MOST_UPLOADS = 3
"""Uploads at a time: one that takes bytes, and two whose commit the registry thinks about."""
GRACE_SECONDS = 0.3
"""For uploads to end in good order after a failure; a cut one leaves bytes at the registry."""
_POLL_SECONDS = 0.1

Layer = futures.Future[Descriptor]
"""A layer that is or will be in the repository."""


class Packing:
    """A `with` block around the layers of one image; at its end no thread is left.

    `reading` is the scope of whatever feeds it: cancelled with the caller's, and as soon as
    any layer fails.
    """

    def __init__(
        self, registry: RegistryClient, to: Slot, known: KnownLayers, cancellation: CancelScope
    ) -> None:
        self._registry = registry
        self._to = to
        self._known = known
        self.reading = CancelScope(cancellation)
        # Uploads get a moment to be taken back before they are cut.
        self._sending = CancelScope(self.reading, grace=GRACE_SECONDS)
        self._pool = futures.ThreadPoolExecutor(MOST_UPLOADS, "packing")
        self._layers: list[Layer] = []
        self._pipes: list[Pipe] = []
        self._sent: list[int] = []

    def __enter__(self) -> Self:
        self.reading.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            self.reading.cancel(error)  # uploads that wait for their turn do not even begin
            for pipe in self._pipes:
                pipe.fail(error)
        self._pool.shutdown(cancel_futures=error is not None)
        self._sending.close()
        self.reading.close()

    @property
    def sent_bytes(self) -> int:
        """Bytes of layers that went to the registry, as stored there; whole after `wait`."""
        return sum(self._sent)

    def find(self, diff_id: Digest) -> Descriptor | None:
        """The blob of this layer in the repository, mounted there if need be; or None.

        Only what is known is asked for, and only the registry's answer counts.
        """
        for known in self._known.of(self._registry.endpoint, diff_id):
            blob = _readable(known.blob, self._to.compression)
            if blob is not None and self.has(blob, known.repository):
                return blob
        return None

    def has(self, blob: Descriptor, *hints: str) -> bool:
        """Is this blob in the repository, or could it be mounted from another one?"""
        if self._size(blob) == blob.size:
            return True
        told = self._known.repositories_of(self._registry.endpoint, blob.digest)
        for other in dict.fromkeys((*hints, *told)):
            if other != self._to.repository and self._mounted(blob, other):
                return True
        return False

    def config(self, digest: Digest) -> bytes | None:
        """The image config of this digest, if any repository that may have it does."""
        told = self._known.repositories_of(self._registry.endpoint, digest)
        for repository in dict.fromkeys((self._to.repository, *told)):
            size = self._registry.blob_size(repository, digest, self.reading)
            if size is not None:
                try:
                    return self._registry.config(
                        repository, Descriptor("", digest, size), self.reading
                    )
                except TransferError as exc:
                    if exc.reason.mark is not Mark.INTEGRITY:  # damaged there: brought anew
                        raise
        return None

    def hashed(self, blob: Descriptor, chunks: Iterable[bytes]) -> Layer:
        """A layer that needs no upload: its bytes are read, for whoever hashes them, only."""
        for _ in chunks:
            pass
        layer = Layer()
        layer.set_result(blob)
        return layer

    def pack(self, chunks: Iterable[bytes]) -> Layer:
        """Compress and send a plain layer; returns when all its bytes are handed over."""
        kind = self._to.compression

        def upload(content: Iterator[bytes]) -> Descriptor:
            blob = self._registry.upload_stream(
                self._to.repository, compressed(content, kind), media_type(kind), self._sending
            )
            self._sent.append(blob.size)
            return blob

        return self._hand_over(chunks, upload)

    def copy(self, blob: Descriptor, chunks: Iterable[bytes]) -> Layer:
        """Send a blob as it is; returns when all its bytes are handed over."""

        def upload(content: Iterator[bytes]) -> Descriptor:
            repository = self._to.repository
            self._sent.append(self._registry.upload_blob(repository, blob, content, self._sending))
            return blob

        return self._hand_over(chunks, upload)

    def wait(self) -> None:
        """Return when every layer is in the registry; raises the first failure."""
        while futures.wait(self._layers, _POLL_SECONDS).not_done:
            self.reading.raise_if_cancelled()
        for layer in self._layers:
            layer.result()

    def _hand_over(
        self, chunks: Iterable[bytes], upload: Callable[[Iterator[bytes]], Descriptor]
    ) -> Layer:
        pipe = Pipe()
        self._pipes.append(pipe)
        undo = self.reading.attach(lambda: self._break(pipe))
        try:
            layer = self._pool.submit(self._run, pipe, upload)
            self._layers.append(layer)
            for chunk in batched(chunks):
                pipe.put(chunk)
            pipe.finish()
        finally:
            undo()
        return layer

    def _run(self, pipe: Pipe, upload: Callable[[Iterator[bytes]], Descriptor]) -> Descriptor:
        try:
            self.reading.raise_if_cancelled()
            blob = upload(iter(pipe))
        except BaseException as exc:
            pipe.fail(exc)
            self.reading.cancel(exc)
            raise
        pipe.leave()
        return blob

    def _break(self, pipe: Pipe) -> None:
        if cause := self.reading.cause:
            pipe.fail(cause)

    def _size(self, blob: Descriptor) -> int | None:
        return self._registry.blob_size(self._to.repository, blob.digest, self.reading)

    def _mounted(self, blob: Descriptor, other: str) -> bool:
        mounted = self._registry.mount(self._to.repository, blob.digest, other, self.reading)
        return mounted and self._size(blob) == blob.size


def _readable(blob: Descriptor, compression: Compression) -> Descriptor | None:
    """The blob as an OCI layer, if whoever the cache compresses for can read it.

    Gzip is read by every engine. A plain one is not taken: it would be moved uncompressed.
    """
    for kind in {Compression.GZIP, compression}:
        if blob.media_type.endswith(kind.lower()):
            return Descriptor(media_type(kind), blob.digest, blob.size)
    return None
