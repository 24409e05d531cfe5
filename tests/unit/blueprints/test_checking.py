"""Of an upload only what it declares is taken; what nobody packs by accident is refused whole."""

from __future__ import annotations

import gzip
import io
import json
import stat
import tarfile
import tempfile
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cyroid_images.archive.window import opened
from cyroid_images.blueprints.checking import BundleContents, checked
from cyroid_images.errors import Reason, TransferError
from cyroid_images.scheduling.cancel_scope import NEVER
from tests.parts.archives import (
    KALI,
    config_of,
    layer,
    links_tar,
    old_members,
    old_tar,
    saved_list,
    sha,
)
from tests.parts.catalog import FORMS, TRAINING_V2, bundle_members, tar_bundle, zip_bundle
from tests.parts.save_tars import tar_of

TWO = (layer("a"), layer("b"))


def check(root: Path, content: bytes) -> BundleContents:
    path = root / "upload.part"
    path.write_bytes(content)
    with opened(path, "lab.zip", NEVER) as window:
        return checked(window)


def why_not(root: Path, content: bytes) -> str:
    with pytest.raises(TransferError) as raised:
        check(root, content)
    assert raised.value.reason is Reason.ARCHIVE_INVALID
    return raised.value.message


@pytest.fixture(params=FORMS)
def form(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def packed(form: str, members: Mapping[str, bytes]) -> bytes:
    return FORMS[form](members)


def test_loaded_skipped_and_failed_are_told_by_name(tmp_path: Path, form: str) -> None:
    both = links_tar(old_members(KALI, "alpine:latest"))
    tars = {KALI: both, "cut:1": old_tar("cut:1")[:5000], "evil:1": old_tar("evil:1", layers=TWO)}
    members = bundle_members(TRAINING_V2.exported(), tars, [KALI, "cut:1", "absent:1"])
    found = check(tmp_path, packed(form, members))
    assert found.names == (KALI,)
    assert sorted(each.image for each in found.skipped) == ["alpine:latest", "evil:1"]
    told = {each.image: each.why for each in found.failed}
    assert set(told) == {"cut:1", "absent:1"}
    assert told["cut:1"].startswith("images/cut_1.tar: ")
    assert "no image tar" in told["absent:1"]
    assert found.blueprint is not None
    assert found.blueprint.name == TRAINING_V2.name
    assert [(row.image, row.platform) for row in found.rows] == [(KALI, "linux/amd64")]
    assert found.rows[0].size_bytes == len(layer("a"))


def test_a_list_that_spells_the_local_registry_otherwise_means_the_same(tmp_path: Path) -> None:
    declared = [KALI.replace("127.0.0.1", "localhost")]
    found = check(tmp_path, zip_bundle(bundle_members(None, {KALI: old_tar(KALI)}, declared)))
    assert (found.names, found.failed) == ((KALI,), ())


def test_one_name_with_two_contents_is_not_taken(tmp_path: Path) -> None:
    members = bundle_members(None, {KALI: old_tar(KALI), "b:1": old_tar("b:1")})
    members["images/again.tar"] = old_tar(KALI, layers=TWO)
    found = check(tmp_path, zip_bundle(members))
    assert found.names == ("b:1",)
    (failed,) = found.failed
    assert failed.image == KALI
    assert "different content" in failed.why


def test_an_image_without_a_name_is_skipped(tmp_path: Path) -> None:
    members = bundle_members(None, {KALI: old_tar(KALI), "b:1": old_tar()}, [KALI])
    (skipped,) = check(tmp_path, zip_bundle(members)).skipped
    assert skipped.image == "images/b_1.tar"
    assert "no name" in skipped.why


def test_an_image_tar_that_stands_alone_is_taken_whole(tmp_path: Path) -> None:
    for content in (old_tar(KALI, "b:1"), gzip.compress(old_tar(KALI, "b:1"))):
        found = check(tmp_path, content)
        assert found.names == (KALI, "b:1")
        assert not found.is_bundle


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ({"images/a.tar": old_tar(KALI)}, "lists no images"),
        ({"images/a.tar": old_tar(KALI), "manifest.json": b"{}"}, "lists no images"),
        ({"images/a.tar": old_tar(KALI), "manifest.json": b"{"}, "not JSON"),
        (bundle_members(None, {KALI: old_tar(KALI)}, []), "does not name it"),
        (bundle_members(None, {KALI: old_tar(KALI)}, ["other:1"]), "no image tar"),
        (bundle_members(None, {KALI: b"no tar"}), "images/127.0.0.1_5000_cyroid_kali-attack"),
        (bundle_members(TRAINING_V2.exported(), {}), ""),
        ({}, ""),
    ],
)
def test_a_bundle_that_brings_nothing_is_refused_with_why(
    members: dict[str, bytes], why: str, form: str, tmp_path: Path
) -> None:
    assert why in why_not(tmp_path, packed(form, members))


GOOD = bundle_members(TRAINING_V2.exported(), {KALI: old_tar(KALI)})


@pytest.mark.parametrize("name", ["../evil", "/etc/passwd", "a/../../b", "images/../../x.tar"])
def test_a_name_that_leads_out_is_refused_whole(form: str, name: str, tmp_path: Path) -> None:
    assert "outside of it" in why_not(tmp_path, packed(form, {**GOOD, name: b"x"}))


def test_a_name_that_leads_out_of_an_image_tar_is_refused_whole(form: str, tmp_path: Path) -> None:
    tar = tar_of(
        {**{k: v for k, v in old_members(KALI).items() if isinstance(v, bytes)}, "../x": b""}
    )
    members = bundle_members(None, {KALI: tar, "b:1": old_tar("b:1")})
    assert "outside of it" in why_not(tmp_path, packed(form, members))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_a_link_in_a_bundle_is_refused_whole(kind: bytes, tmp_path: Path) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        link = tarfile.TarInfo("images/b.tar")
        link.type, link.linkname = kind, "/etc/passwd"
        tar.addfile(link)
        for name, content in GOOD.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    for content in (out.getvalue(), gzip.compress(out.getvalue())):
        assert "is a link" in why_not(tmp_path, content)


def test_a_link_in_a_zip_is_refused_whole(tmp_path: Path) -> None:
    out = io.BytesIO(zip_bundle(GOOD))
    with zipfile.ZipFile(out, "a") as archive:
        link = zipfile.ZipInfo("images/b.tar")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    assert "is a link" in why_not(tmp_path, out.getvalue())


class Zeros(io.RawIOBase):
    """So many zeros, without holding them."""

    def __init__(self, size: int) -> None:
        self._left = size

    def read(self, size: int = -1) -> bytes:
        step = min(self._left, size if size >= 0 else self._left)
        self._left -= step
        return bytes(step)


def bomb(size: int, form: str) -> bytes:
    """An image tar whose layer is so many zeros, in a bundle."""
    out = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=out, mode="wb", compresslevel=1) as packed_tar,
        tarfile.open(fileobj=packed_tar, mode="w") as tar,
    ):
        member = tarfile.TarInfo("blob")
        member.size = size
        tar.addfile(member, Zeros(size))
    return FORMS[form](bundle_members(None, {KALI: old_tar(KALI), "bomb:1": out.getvalue()}))


def test_what_unpacks_to_too_much_is_refused_whole(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A megabyte in, of which a hundred may come out: not a thousand."""
    monkeypatch.setattr("cyroid_images.blueprints.checking.LEAST_ALLOWED", 10 * 1024 * 1024)
    assert "unpacks to more" in why_not(tmp_path, bomb(64 * 1024 * 1024, form))
    monkeypatch.setattr("cyroid_images.blueprints.checking.LEAST_ALLOWED", 70 * 1024 * 1024)
    assert check(tmp_path, bomb(64 * 1024 * 1024, form)).names == (KALI,)


@pytest.mark.parametrize("name", ["manifest.json", "config"])
def test_documents_that_are_larger_than_any_are_refused_whole(
    form: str, name: str, tmp_path: Path
) -> None:
    """They pack well and take twenty times their size as objects."""
    spaces = b" " * (3 * 1024 * 1024)
    config = config_of([layer("a")])
    members = {"l/layer.tar": layer("a")}
    if name == "config":
        config += spaces
    members[f"{sha(config)}.json"] = config
    listed = saved_list(f"{sha(config)}.json", ["l/layer.tar"], "big:1")
    members["manifest.json"] = listed + (spaces if name == "manifest.json" else b"")
    tars = {KALI: old_tar(KALI), "big:1": tar_of(members)}
    assert "larger than any" in why_not(tmp_path, packed(form, bundle_members(None, tars)))


def test_a_bundle_in_a_bundle_is_an_image_that_failed(form: str, tmp_path: Path) -> None:
    tars = {KALI: old_tar(KALI), "zip:1": zip_bundle(GOOD), "tar:1": tar_bundle(GOOD)}
    found = check(tmp_path, packed(form, bundle_members(None, tars)))
    assert found.names == (KALI,)
    assert sorted(each.image for each in found.failed) == ["tar:1", "zip:1"]


@pytest.mark.parametrize("cut", [0.2, 0.5, 0.9, 0.999])
def test_a_bundle_that_is_cut_brings_nothing(form: str, cut: float, tmp_path: Path) -> None:
    content = packed(form, GOOD)
    why_not(tmp_path, content[: int(len(content) * cut)])


@pytest.mark.parametrize(
    "content", [b"", b"GIF89a" + bytes(600), b"\x7fELF" + bytes(600), b"PK\x03\x04" + bytes(600)]
)
def test_what_is_no_archive_is_refused(content: bytes, tmp_path: Path) -> None:
    why_not(tmp_path, content)


def test_a_blueprint_that_cannot_be_read_does_not_keep_the_images_out(
    form: str, tmp_path: Path
) -> None:
    found = check(tmp_path, packed(form, {**GOOD, "blueprint.json": b"{}"}))
    assert found.names == (KALI,)
    assert "lists no VMs" in str(found.warning)


def check_or_refuse(root: Path, content: bytes) -> BundleContents | None:
    """None for one that is refused as damage; anything else that is raised is a defect."""
    with suppress(TransferError):
        return check(root, content)
    why_not(root, content)
    return None


SEEDS = (zip_bundle(GOOD), tar_bundle(GOOD), tar_of(GOOD))


@settings(max_examples=300)
@given(
    st.sampled_from(SEEDS),
    st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=8)), max_size=4),
    st.floats(0, 1),
)
def test_no_archive_breaks_the_check_or_brings_what_it_does_not_declare(
    content: bytes, changes: list[tuple[float, bytes]], kept: float
) -> None:
    changed = bytearray(content)
    for place, piece in changes:
        at = int(place * len(changed))
        changed[at : at + len(piece)] = piece
    with tempfile.TemporaryDirectory() as folder:
        found = check_or_refuse(Path(folder), bytes(changed[: int(len(changed) * kept)]))
    if found is None:
        return
    assert found.names
    if found.is_bundle:
        declared = json.loads(GOOD["manifest.json"])["docker_images"]
        assert set(found.names) <= set(declared) or b"docker_images" not in changed
