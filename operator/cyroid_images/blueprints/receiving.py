"""An upload on its way to the archive volume: whole and checked, or nothing of it.

It is written under a hidden name beside the archives, where no source looks, and gets its own
name by one rename once it is checked and on the disk. Whatever ends it before (a cut, a kill,
a full disk, a hostile archive) leaves at most a hidden file, which nobody holds a lock on: the
next start removes it. No byte of it is held longer than it takes to write: memory is bounded
by one buffer, and whoever sends faster than the disk is waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cyroid_images.archive.window import opened
from cyroid_images.blueprints.checking import BundleContents, checked
from cyroid_images.blueprints.conversion import BUNDLES
from cyroid_images.blueprints.refusal import Refusal, UploadRefused, too_large, volume_failed
from cyroid_images.blueprints.uploaded_file import (
    UploadedFile,
    begin,
    end,
    file_name,
    remove_leftovers,
    rename,
)
from cyroid_images.errors import Reason, TransferError
from cyroid_images.scheduling.cancel_scope import CancelScope

UPLOAD = "upload"
"""What it is called in messages until it has its name."""
BUFFER = 1024 * 1024
"""Bytes written at once: each write is a hop to a thread."""


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """What one upload may take."""

    most_bytes: int = 50 * 1000**3
    """Bytes of one upload; an export of a lab is about 2.4 GB."""
    at_a_time: int = 2
    """ArchiveUploads at a time: each has a buffer and a thread."""
    idle_seconds: float = 60.0
    """Longest time without a byte."""
    total_seconds: float = 4 * 3600.0
    """Longest time of one upload: 50 GB come at 3.5 MB/s in it."""
    check_seconds: float = 3600.0
    """Longest time of the look into what came."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """An upload that is whole, checked and on the disk under its hidden name."""

    path: Path
    size: int
    sha256: str
    suffix: str
    contents: BundleContents


class ArchiveUploads:
    """ArchiveUploads to one archive volume; for one event loop."""

    def __init__(self, volume: Path | None, limits: UploadLimits | None = None) -> None:
        """`volume`: None where the installation has none, so that each upload is refused."""
        self._volume = volume
        self._limits = limits or UploadLimits()
        self._under_way = 0
        self._threads = ThreadPoolExecutor(self._limits.at_a_time + 1, "uploads")

    def prepare(self) -> int:
        """At the start of a process: remove what uploads left that were killed (those of others,
        which run, are locked), and make the usual folder, so that a source can look into it
        before the first upload. Returns how many were removed; a volume that fails is told by the
        first upload."""
        if self._volume is None:
            return 0
        with suppress(OSError):
            (self._volume / BUNDLES).mkdir(exist_ok=True)
        return remove_leftovers(self._volume)

    @asynccontextmanager
    async def receiving(
        self, chunks: AsyncIterator[bytes], size: int | None
    ) -> AsyncIterator[Arrived]:
        """The upload, once it is whole and checked; it is gone with the block unless `keep`
        was called.

        `size`: the bytes that the sender announced, None where he did not. Raises UploadRefused.
        """
        volume = self._admit(size)
        self._under_way += 1
        try:
            descriptor, path = await self._to_its_end(begin, volume)
            try:
                yield await self._received(descriptor, path, chunks)
            finally:
                end(descriptor, path)
        finally:
            self._under_way -= 1

    async def keep(self, arrived: Arrived, folder: str, name: str) -> str:
        """Give it its own name in this folder of the volume; returns it, relative to the volume.

        The same content under the same name is one file, however often it comes.
        """
        if self._volume is None:
            raise UploadRefused(Refusal.NO_VOLUME, "there is no archive volume")
        target = Path(folder) / file_name(name, arrived.sha256, arrived.suffix)
        await self._to_disk(rename, arrived.path, self._volume, target)
        return str(target)

    def _admit(self, size: int | None) -> Path:
        limits = self._limits
        if self._volume is None:
            raise UploadRefused(
                Refusal.NO_VOLUME,
                "this installation has no archive volume that uploads can be written to: set"
                " api.archives in the chart to the volume of operator.archives",
            )
        if self._under_way >= limits.at_a_time:
            raise UploadRefused(
                Refusal.BUSY, f"{limits.at_a_time} uploads are under way: try again after them"
            )
        if size is not None and size > limits.most_bytes:
            raise too_large(limits.most_bytes)
        return self._volume

    async def _received(self, descriptor: int, path: Path, chunks: AsyncIterator[bytes]) -> Arrived:
        writing = UploadedFile(descriptor, self._limits.most_bytes)
        limits = self._limits
        try:
            async with asyncio.timeout(limits.total_seconds):
                async for piece in _buffered(_in_time(chunks, limits.idle_seconds)):
                    await self._to_disk(writing.write, piece)
            await self._to_disk(writing.finish)
        except TimeoutError as exc:
            why = f"the upload was not complete in {limits.total_seconds:.0f} s"
            raise UploadRefused(Refusal.SLOW, why) from exc
        contents = await self._checked(path)
        return Arrived(path, writing.size, writing.sha256, writing.suffix, contents)

    async def _checked(self, path: Path) -> BundleContents:
        """In a thread that is cut when nobody waits for it any more."""
        late = TransferError(Reason.TIMEOUT, "the look into it took too long")
        with CancelScope().within(self._limits.check_seconds, late) as scope:
            loop = asyncio.get_running_loop()
            try:
                return await loop.run_in_executor(self._threads, _check, path, scope)
            except asyncio.CancelledError:
                scope.cancel()
                raise
            except TransferError as exc:
                is_damage = exc.reason in (Reason.ARCHIVE_INVALID, Reason.TIMEOUT)
                why = Refusal.INVALID if is_damage else Refusal.VOLUME_FAILED
                raise UploadRefused(why, exc.message) from exc

    async def _to_disk(self, call: Callable[..., None], *args: object) -> None:
        try:
            await self._to_its_end(call, *args)
        except OSError as exc:
            raise volume_failed(exc) from exc

    async def _to_its_end(self, call: Callable[..., Any], *args: object) -> Any:
        """In a thread, and done when this returns, however often who waits is cancelled: the
        descriptor that it writes to is closed after it."""
        task = asyncio.ensure_future(
            asyncio.get_running_loop().run_in_executor(self._threads, call, *args)
        )
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            while not task.done():
                with suppress(asyncio.CancelledError):
                    await asyncio.wait({task})
            task.exception()
            raise


async def _in_time(chunks: AsyncIterator[bytes], seconds: float) -> AsyncIterator[bytes]:
    """The same, but for a sender who falls silent."""
    while True:
        try:
            async with asyncio.timeout(seconds):
                chunk = await anext(chunks, None)
        except TimeoutError as exc:
            why = f"the upload brought nothing for {seconds:.0f} s"
            raise UploadRefused(Refusal.SLOW, why) from exc
        if chunk is None:
            return
        yield chunk


async def _buffered(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same bytes in pieces that are worth a write; the first has the head of the file."""
    held = bytearray()
    async for chunk in chunks:
        held += chunk
        if len(held) >= BUFFER:
            yield bytes(held)
            held.clear()
    if held:
        yield bytes(held)


def _check(path: Path, scope: CancelScope) -> BundleContents:
    with opened(path, UPLOAD, scope) as window:
        return checked(window)
