"""A tar is handed on byte by byte, and a false end is told with the engine's words."""

from __future__ import annotations

import io
import tarfile

import pytest

from cyroid_images.archive import watched
from cyroid_images.errors import Reason, TransferError


def _tar(*sizes: int, form: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as tar:
        for number, size in enumerate(sizes):
            member = tarfile.TarInfo(f"blobs/sha256/{number:064}")
            member.size = size
            tar.addfile(member, io.BytesIO(b"x" * size))
    return out.getvalue()


def _pieces(content: bytes, size: int) -> list[bytes]:
    return [content[at : at + size] for at in range(0, len(content), size)]


def _first_members(*sizes: int) -> bytes:
    """The tar without its end blocks."""
    whole = _tar(*sizes)
    return whole[: sum(512 + (size + 511) // 512 * 512 for size in sizes)]


@pytest.mark.parametrize("size", [1, 7, 511, 512, 513, 10_000])
@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_a_tar_passes_unchanged_however_it_is_cut(size: int, form: int) -> None:
    content = _tar(0, 1, 511, 512, 513, 3000, form=form)
    assert b"".join(watched(_pieces(content, size))) == content


@pytest.mark.parametrize("size", [1, 100, 512, 4096])
def test_an_error_in_place_of_a_header_is_told_in_the_engines_words(size: int) -> None:
    cut = _first_members(700) + b'{"message":"write /tmp/docker-export: no space left"}\n'
    with pytest.raises(TransferError, match="no space left") as raised:
        list(watched(_pieces(cut, size)))
    assert raised.value.reason is Reason.TRANSFER_INTERRUPTED


def test_a_tar_without_its_end_blocks_is_interrupted() -> None:
    with pytest.raises(TransferError, match="after 2 members") as raised:
        list(watched([_first_members(700, 5)]))
    assert raised.value.reason is Reason.TRANSFER_INTERRUPTED


def test_a_member_that_is_cut_is_interrupted() -> None:
    with pytest.raises(TransferError, match="without its end"):
        list(watched([_tar(5000)[:2000]]))


def test_what_never_was_a_tar_is_a_protocol_error() -> None:
    with pytest.raises(TransferError, match="not a tar") as raised:
        list(watched([b"<html>" * 200]))
    assert raised.value.reason is Reason.PROTOCOL_ERROR


def test_a_size_in_base_256_is_skipped_whole() -> None:
    header = bytearray(_tar(0)[:512])
    header[124:136] = b"\x80" + (512).to_bytes(11, "big")
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    content = bytes(header) + b"y" * 512 + bytes(1024)
    assert b"".join(watched([content])) == content


def test_nothing_is_held_back_and_nothing_is_copied() -> None:
    chunks = _pieces(_tar(2000), 300)
    passed = watched(chunks)
    assert all(next(passed) is chunk for chunk in chunks)
