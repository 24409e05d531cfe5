"""An upload is on the volume whole and checked, or there is nothing of it."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from cyroid_images.archive import Archives
from cyroid_images.blueprints.receiving import ArchiveUploads, UploadLimits
from cyroid_images.blueprints.refusal import Refusal, UploadRefused
from cyroid_images.blueprints.uploaded_file import WAITING, begin, end, file_name, remove_leftovers
from tests.parts.archives import KALI, old_tar
from tests.parts.catalog import bundle_members, zip_bundle

GOOD = zip_bundle(bundle_members(None, {KALI: old_tar(KALI)}))


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    folder = tmp_path / "archives"
    folder.mkdir()
    return folder


async def pieces(content: bytes, size: int = 1000) -> AsyncIterator[bytes]:
    for at in range(0, len(content), size):
        yield content[at : at + size]
        await asyncio.sleep(0)


async def upload(
    uploads: ArchiveUploads,
    chunks: AsyncIterator[bytes],
    name: str = "lab.zip",
    size: int | None = None,
) -> str:
    async with uploads.receiving(chunks, size) as arrived:
        return await uploads.keep(arrived, "bundles", name)


def left(volume: Path) -> list[str]:
    """Every file of the volume."""
    return sorted(str(path.relative_to(volume)) for path in volume.rglob("*") if path.is_file())


def refused(volume: Path, run: Callable[[ArchiveUploads], Any], **limits: Any) -> UploadRefused:
    """Why the upload was refused; nothing of it is left."""
    with pytest.raises(UploadRefused) as raised:
        asyncio.run(run(ArchiveUploads(volume, UploadLimits(**limits))))
    assert left(volume) == []
    return raised.value


def test_an_upload_that_is_good_gives_its_images_to_an_archive_source(volume: Path) -> None:
    name = asyncio.run(upload(ArchiveUploads(volume), pieces(GOOD), "../../Lab 2 (new).ZIP"))
    assert left(volume) == [name]
    assert name.startswith("bundles/Lab-2-new-")
    assert name.endswith(".zip")
    assert (volume / name).read_bytes() == GOOD
    (image,) = Archives(volume).look("bundles").images
    assert [str(each) for each in image.names] == [KALI]


def test_the_same_upload_again_is_the_same_file(volume: Path) -> None:
    names = [asyncio.run(upload(ArchiveUploads(volume), pieces(GOOD))) for _ in range(2)]
    assert left(volume) == [names[0]] == [names[1]]


def test_a_sender_that_stops_leaves_nothing(volume: Path) -> None:
    async def cut() -> AsyncIterator[bytes]:
        yield GOOD[:2000]
        raise ConnectionResetError("the client went away")

    with pytest.raises(ConnectionResetError):
        asyncio.run(upload(ArchiveUploads(volume), cut()))
    assert left(volume) == []


@pytest.mark.parametrize("kept", [0, 1, 600, len(GOOD) // 2, len(GOOD) - 1])
def test_a_bundle_that_is_cut_leaves_nothing(volume: Path, kept: int) -> None:
    error = refused(volume, lambda uploads: upload(uploads, pieces(GOOD[:kept])))
    assert error.why is Refusal.INVALID


def test_a_file_of_another_kind_is_refused_before_the_rest_comes(volume: Path) -> None:
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        while True:
            taken += 1
            yield bytes(65536)
            await asyncio.sleep(0)

    error = refused(volume, lambda uploads: upload(uploads, endless()))
    assert error.why is Refusal.INVALID
    assert taken < 40


@pytest.mark.parametrize("announced", [True, False])
def test_what_is_too_large_is_refused(volume: Path, announced: bool) -> None:
    size = len(GOOD) if announced else None
    run = lambda uploads: upload(uploads, pieces(GOOD), size=size)  # noqa: E731
    assert refused(volume, run, most_bytes=len(GOOD) - 1).why is Refusal.TOO_LARGE


def test_a_sender_who_falls_silent_is_cut(volume: Path) -> None:
    async def silent() -> AsyncIterator[bytes]:
        yield GOOD[:600]
        await asyncio.Event().wait()

    error = refused(volume, lambda uploads: upload(uploads, silent()), idle_seconds=0.05)
    assert error.why is Refusal.SLOW


def test_a_sender_who_trickles_is_cut(volume: Path) -> None:
    async def trickle() -> AsyncIterator[bytes]:
        while True:
            yield b"PK\x03\x04"
            await asyncio.sleep(0.01)

    error = refused(volume, lambda uploads: upload(uploads, trickle()), total_seconds=0.2)
    assert error.why is Refusal.SLOW


def test_only_so_many_at_a_time(volume: Path) -> None:
    async def both(uploads: ArchiveUploads) -> None:
        begun, go_on = asyncio.Event(), asyncio.Event()

        async def held() -> AsyncIterator[bytes]:
            begun.set()
            await go_on.wait()
            yield GOOD

        first = asyncio.create_task(upload(uploads, held()))
        await begun.wait()
        try:
            with pytest.raises(UploadRefused) as raised:
                await upload(uploads, pieces(GOOD))
            assert raised.value.why is Refusal.BUSY
        finally:
            go_on.set()
        await first
        await upload(uploads, pieces(GOOD), "second.zip")

    asyncio.run(both(ArchiveUploads(volume, UploadLimits(at_a_time=1))))
    assert len(left(volume)) == 2


@pytest.mark.parametrize(
    ("code", "why"),
    [
        (errno.ENOSPC, Refusal.DISK_FULL),
        (errno.EDQUOT, Refusal.DISK_FULL),
        (errno.EIO, Refusal.VOLUME_FAILED),
        (errno.EROFS, Refusal.NO_VOLUME),
    ],
)
def test_a_volume_that_takes_no_more_is_told(
    volume: Path, monkeypatch: pytest.MonkeyPatch, code: int, why: Refusal
) -> None:
    def write(*_: object) -> int:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "write", write)
    assert refused(volume, lambda uploads: upload(uploads, pieces(GOOD))).why is why


def test_without_a_volume_it_is_said_which_value_to_set() -> None:
    with pytest.raises(UploadRefused, match=r"api\.archives") as raised:
        asyncio.run(upload(ArchiveUploads(None), pieces(GOOD)))
    assert raised.value.why is Refusal.NO_VOLUME


def test_a_volume_that_is_gone_is_told(tmp_path: Path) -> None:
    with pytest.raises(UploadRefused) as raised:
        asyncio.run(upload(ArchiveUploads(tmp_path / "gone"), pieces(GOOD)))
    assert raised.value.why is Refusal.VOLUME_FAILED


def test_who_does_not_keep_it_leaves_nothing(volume: Path) -> None:
    async def look(uploads: ArchiveUploads) -> None:
        async with uploads.receiving(pieces(GOOD), None) as arrived:
            assert arrived.contents.names == (KALI,)

    asyncio.run(look(ArchiveUploads(volume)))
    assert left(volume) == []


def test_a_folder_that_is_a_link_out_of_the_volume_is_refused(volume: Path) -> None:
    (volume / "bundles").symlink_to(volume.parent)
    error = refused(volume, lambda uploads: upload(uploads, pieces(GOOD)))
    assert error.why is Refusal.VOLUME_FAILED


def test_a_cancelled_upload_ends_its_write_before_its_file_is_closed(
    volume: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the write would go to whatever file has the number next."""
    writing, go_on, ends = threading.Event(), threading.Event(), list[str]()
    write = os.write

    def slow(descriptor: int, data: bytes) -> int:
        writing.set()
        assert go_on.wait(20)
        ends.append("written")
        return write(descriptor, data)

    def ending(descriptor: int, path: Path) -> None:
        ends.append("closed")
        end(descriptor, path)

    monkeypatch.setattr(os, "write", slow)
    monkeypatch.setattr("cyroid_images.blueprints.receiving.end", ending)

    async def cancelled() -> None:
        task = asyncio.create_task(upload(ArchiveUploads(volume), pieces(GOOD)))
        await asyncio.to_thread(writing.wait, 20)
        task.cancel()
        await asyncio.sleep(0)
        task.cancel()  # as a server does that ends
        await asyncio.sleep(0)
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    assert ends == ["written", "closed"]
    assert left(volume) == []


def test_leftovers_of_a_killed_process_are_removed_and_those_of_a_living_one_stay(
    volume: Path,
) -> None:
    (volume / WAITING).mkdir()
    (volume / WAITING / "dead.part").write_bytes(b"x")
    descriptor, path = begin(volume)
    assert ArchiveUploads(volume).prepare() == 1
    assert left(volume) == [str(path.relative_to(volume))]
    assert Archives(volume).look("bundles").images == ()  # which is there for a source
    end(descriptor, path)
    assert remove_leftovers(volume) == 0
    assert ArchiveUploads(volume.parent / "gone").prepare() == 0
    assert ArchiveUploads(None).prepare() == 0


def test_on_a_volume_without_locks_age_tells_leftovers(
    volume: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_locks(*_: object) -> None:
        raise OSError(errno.ENOLCK, "no locks")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    descriptor, new = begin(volume)
    old = volume / WAITING / "old.part"
    old.write_bytes(b"x")
    os.utime(old, (1, 1))
    assert remove_leftovers(volume) == 1
    assert new.exists()
    end(descriptor, new)


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("lab.zip", "lab"),
        ("/tmp/x/lab.tar.gz", "lab"),
        ("C:\\labs\\lab v2.tgz", "lab-v2"),
        ("../../etc/passwd", "passwd"),
        ("..", "bundle"),
        ("", "bundle"),
        (".hidden", "hidden"),
        ("ä\0\n;$(x)", "x"),
        ("a" * 300, "a" * 80),
    ],
)
def test_a_name_on_the_volume_is_harmless(name: str, stem: str) -> None:
    assert file_name(name, "0123456789", ".zip") == f"{stem}-01234567.zip"
