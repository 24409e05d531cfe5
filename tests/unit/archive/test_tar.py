"""A tar as a stream: whatever members it has come out again, and a false end is told."""

from __future__ import annotations

import contextlib
import io
import tarfile
from collections.abc import Iterator
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cyroid_images.archive import watched
from cyroid_images.archive.tar import LARGEST_RECORD, Member, members
from cyroid_images.errors import Reason, TransferError

FORMS: list[Literal[1, 2]] = [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT]
HUGE = 9 << 30
ZEROS = bytes(1 << 20)

_names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=300)
_paths = _names.filter(lambda name: name.strip("/") == name and not name.startswith("./"))
_files = st.lists(st.tuples(_paths, st.binary(max_size=2000)), max_size=8)


def tar_of(files: list[tuple[str, bytes]], form: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as tar:
        for name, content in files:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return out.getvalue()


def pieces(content: bytes, size: int) -> Iterator[bytes]:
    return (content[at : at + size] for at in range(0, len(content), size))


def sizes_of(content: bytes) -> list[tuple[Member, int]]:
    """Each member, and the bytes that came of it."""
    return [(member, sum(map(len, rest))) for member, rest in members([content], "archive")]


def huge(form: Literal[1, 2]) -> Iterator[bytes]:
    """A tar with a member of 9 GiB and a small one, without holding either of them."""
    member = tarfile.TarInfo("blobs/sha256/huge")
    member.size = HUGE
    header = member.tobuf(form)
    if form == tarfile.PAX_FORMAT:
        assert b"size=9663676416\n" in header
        assert header[-512:][124:136].strip(b"\0") == b"0" * 11
    yield header
    for _ in range(HUGE // len(ZEROS)):
        yield ZEROS
    yield tar_of([("manifest.json", b"[]")])


@settings(max_examples=25, deadline=None)
@given(_files, st.sampled_from(FORMS), st.integers(1, 3000))
def test_every_member_survives_however_the_tar_is_cut(
    files: list[tuple[str, bytes]], form: int, size: int
) -> None:
    found = [
        (member.name, b"".join(content), member.is_file)
        for member, content in members(pieces(tar_of(files, form), size))
    ]
    assert found == [(name, content, True) for name, content in files]


@settings(max_examples=25, deadline=None)
@given(st.binary(max_size=3000), st.integers(0, 600))
def test_nothing_but_an_error_of_ours_comes_of_any_bytes(noise: bytes, at: int) -> None:
    """Headers are bent, too: bytes are put into a real tar."""
    whole = tar_of([("x" * 120, b"1"), ("y", b"22")])
    for content in (noise, whole[:at] + noise + whole[at + len(noise) :]):
        with contextlib.suppress(TransferError):
            assert all(member.size == size for member, size in sizes_of(content))


def test_what_is_not_read_of_a_member_is_skipped() -> None:
    content = tar_of([("a", b"x" * 5000), ("b", b"y" * 5000), ("c", b"z")])
    seen = []
    for member, chunks in members(pieces(content, 700)):
        seen.append((member.name, next(chunks)[:1]))
    assert seen == [("a", b"x"), ("b", b"y"), ("c", b"z")]


@pytest.mark.parametrize("form", FORMS, ids=["pax-record", "gnu-base-256"])
def test_a_member_over_eight_gibibytes_is_followed_to_its_end(form: Literal[1, 2]) -> None:
    """Go writes it with a pax record and 0 in the header (archive/tar)."""
    names = {member.name: member.size for member, _ in members(huge(form))}
    assert names == {"blobs/sha256/huge": HUGE, "manifest.json": 2}


def test_a_layer_over_eight_gibibytes_passes_from_engine_to_engine() -> None:
    assert sum(map(len, watched(huge(tarfile.PAX_FORMAT)))) > HUGE


def test_links_are_told_as_they_are_written() -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for kind, target in ((tarfile.SYMTYPE, "../1/layer.tar"), (tarfile.LNKTYPE, "z" * 150)):
            member = tarfile.TarInfo("./2/layer.tar")
            member.type, member.linkname = kind, target
            tar.addfile(member)
        folder = tarfile.TarInfo("./2/")
        folder.type = tarfile.DIRTYPE
        tar.addfile(folder)
    assert [member for member, _ in members([out.getvalue()])] == [
        Member("2/layer.tar", 0, "../1/layer.tar", is_file=False),
        Member("2/layer.tar", 0, "z" * 150, is_file=False),
        Member("2", 0, None, is_file=False),
    ]


def test_a_global_record_holds_for_every_member() -> None:
    out = io.BytesIO()
    records = {"path": "everywhere", "comment": "git writes one such header"}
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT, pax_headers=records) as tar:
        for name in "ab":
            tar.addfile(tarfile.TarInfo(name))
    assert [member.name for member, _ in members([out.getvalue()])] == ["everywhere"] * 2


@pytest.mark.parametrize(
    "record",
    [b"9 size=x\n", b"10 size=-1\n", b"99 size=1\n", b"0 size=1\n", b"x", b"7 size\n", b"30 " * 9],
)
def test_a_record_that_lies_is_a_protocol_error(record: bytes) -> None:
    header = tarfile.TarInfo("pax")
    header.type, header.size = tarfile.XHDTYPE, len(record)
    content = header.tobuf(tarfile.USTAR_FORMAT) + record.ljust(512, b"\0") + tar_of([("a", b"")])
    with pytest.raises(TransferError) as raised:
        list(members([content]))
    assert raised.value.reason is Reason.PROTOCOL_ERROR


def test_a_record_without_end_is_not_read() -> None:
    header = tarfile.TarInfo("pax")
    header.type, header.size = tarfile.XHDTYPE, LARGEST_RECORD + 1
    with pytest.raises(TransferError, match="extended header of 1048577 bytes") as raised:
        list(members([header.tobuf(tarfile.USTAR_FORMAT)]))
    assert raised.value.reason is Reason.PROTOCOL_ERROR


def test_an_error_in_the_middle_of_a_member_is_told_in_the_engines_words() -> None:
    """The engine had promised more bytes of that layer than it could read."""
    error = b'{"errorDetail":{"message":"read x: input/output error"},"error":"read x: input"}\r\n'
    with pytest.raises(TransferError, match="archive: read x: input") as raised:
        sizes_of(tar_of([("layer", bytes(5000))])[:3000] + error)
    assert raised.value.reason is Reason.TRANSFER_INTERRUPTED


def test_a_reader_of_a_member_that_breaks_off_learns_of_it() -> None:
    with pytest.raises(TransferError, match="archive: the tar ends after 1 members"):
        sizes_of(tar_of([("layer", bytes(5000))])[:3000])
