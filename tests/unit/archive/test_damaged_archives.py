"""A damaged archive says which it is and what is wrong; it never breaks its reader."""

from __future__ import annotations

import gzip
from contextlib import suppress
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from cyroid_images.archive import Archives
from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.images.digest import Digest
from tests.parts.archives import (
    KALI,
    PACKED,
    Pack,
    config_of,
    layer,
    layout,
    links_tar,
    look,
    names,
    old_members,
    old_tar,
    read_layers,
    saved_list,
    sha,
    zipped,
)
from tests.parts.save_tars import tar_of


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "volume"
    folder.mkdir()
    return folder


def _why(root: Path, content: bytes) -> str:
    """What is wrong with an archive that has no image left to offer."""
    view = look(root, content)
    assert view.images == ()
    assert [fault.reason for fault in view.faults.values()] == [Reason.ARCHIVE_INVALID]
    return view.faults["x.tar"].message


GOOD = old_members(KALI)
CONFIG = next(name for name in GOOD if name.endswith(".json") and name != "manifest.json")
FILE = next(name for name in GOOD if name.endswith("layer.tar"))
DAMAGED: dict[str, tuple[bytes, str]] = {
    "cut at half": (links_tar(GOOD)[: len(links_tar(GOOD)) // 2], "truncated"),
    "cut gzip": (gzip.compress(links_tar(GOOD))[:-9], "truncated"),
    "gzip with a wrong checksum": (gzip.compress(links_tar(GOOD))[:-8] + bytes(8), "checksum"),
    "cut zstd": (zstandard.compress(links_tar(GOOD))[:-20], ""),
    "empty file": (b"", "tar"),
    "not a tar": (b"hello" * 500, "not a tar"),
    "no image": (tar_of({"readme": b"x"}), "holds no image"),
    "an empty list": (tar_of({"manifest.json": b"[]"}), "holds no image"),
    "a list that is no JSON": (tar_of({"manifest.json": b"[{"}), "not JSON"),
    "a list nested too deep": (tar_of({"manifest.json": b"[" * 100_000}), "not JSON"),
    "a list of other things": (tar_of({"manifest.json": b"[1]"}), "an invalid entry"),
    "a config that is none": (links_tar({**GOOD, CONFIG: b"{}"}), "does not have its digest"),
    "a config without layers": (
        tar_of({"c.json": b"{}", "manifest.json": saved_list("c.json", [])}),
        "not an image config",
    ),
    "a missing config": (links_tar({k: v for k, v in GOOD.items() if k != CONFIG}), "missing"),
    "a missing layer": (links_tar({k: v for k, v in GOOD.items() if k != FILE}), "missing"),
    "a link out of the archive": (links_tar({**GOOD, FILE: "../../etc/passwd"}), "points outside"),
    "an absolute link": (links_tar({**GOOD, FILE: "/etc/passwd"}), "points outside"),
    "a link to itself": (links_tar({**GOOD, FILE: "layer.tar"}), "is a loop"),
    "a listed path out": (
        tar_of({"manifest.json": saved_list("../../etc/passwd", [])}),
        "points outside",
    ),
    "compressed layers, no layout": (
        links_tar({**GOOD, FILE: gzip.compress(b"x")}),
        "no OCI layout",
    ),
    "a zip without images": (zipped({"manifest.json": b"{}"}), "no image tars"),
    "a cut zip": (zipped({"images/a.tar": old_tar()})[:-30], "zip is damaged"),
}


@pytest.mark.parametrize(("content", "why"), DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_archive_says_what_is_wrong(root: Path, content: bytes, why: str) -> None:
    assert why in _why(root, content)


@pytest.mark.parametrize("kind", ["manifest", "config", "layer"])
@pytest.mark.parametrize("is_missing", [True, False], ids=["missing", "other bytes"])
def test_a_layout_with_a_wrong_blob_is_invalid(root: Path, kind: str, *, is_missing: bool) -> None:
    made = layout({"io.containerd.image.name": KALI})
    blob = {
        "manifest": sha(made.manifest),
        "config": sha(config_of((layer("a"),))),
        "layer": sha(gzip.compress(layer("a"), mtime=0)),
    }[kind]
    files = {k: b"{}" if blob in k else v for k, v in made.files.items()}
    if is_missing:
        files = {k: v for k, v in files.items() if blob not in k}
    assert _why(root, tar_of(files))


def test_one_broken_image_does_not_hide_the_others_of_its_archive(root: Path) -> None:
    listed = saved_list(CONFIG, [FILE], KALI)[:-1] + b', {"Config": "gone", "Layers": []}]'
    view = look(root, links_tar({**GOOD, "manifest.json": listed}))
    assert [names(image) for image in view.images] == [{KALI}]
    assert "gone" in view.faults["x.tar"].message


@pytest.mark.parametrize("pack", PACKED.values(), ids=PACKED)
def test_layers_that_changed_since_the_look_are_caught_before_their_end(
    root: Path, pack: Pack
) -> None:
    (image,) = look(root, pack(links_tar(GOOD))).images
    good = GOOD[FILE]
    assert isinstance(good, bytes)
    (root / "x.tar").write_bytes(pack(links_tar({**GOOD, FILE: good[:-1] + b"!"})))
    handed: list[bytes] = []

    def read() -> None:
        for _, chunks in Archives(root).blobs(image):
            handed.extend(chunks)

    with pytest.raises(TransferError) as raised:
        read()
    assert raised.value.reason is Reason.DIGEST_MISMATCH
    assert sum(map(len, handed)) < len(good)
    (root / "x.tar").write_bytes(pack(tar_of({"other": b""})))
    with pytest.raises(TransferError, match="no longer there"):
        read_layers(root, image)
    (root / "x.tar").unlink()
    with pytest.raises(TransferError) as raised:
        read_layers(root, image)
    assert raised.value.reason is Reason.ARCHIVE_MISSING


SOUND = [
    links_tar(GOOD),
    gzip.compress(links_tar(GOOD), mtime=0),
    layout({"io.containerd.image.name": KALI}).tar,
    zipped({"images/a.tar": old_tar(KALI)}),
    gzip.compress(tar_of({"images/a.tar": old_tar(KALI)}), mtime=0),
]


@pytest.mark.slow
@given(data=st.data())
def test_whatever_is_damaged_a_look_tells_it_and_never_breaks(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    content = bytearray(data.draw(st.sampled_from(SOUND)))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + data.draw(st.integers(0, 20))] = data.draw(st.binary(max_size=20))
    folder = tmp_path_factory.mktemp("volume")
    view = look(folder, bytes(content))
    assert view.images or view.faults
    for image in view.images:
        with suppress(TransferError):
            for content_of_layer in read_layers(folder, image).values():
                assert Digest.of(content_of_layer) in {one.blob.digest for one in image.layers}
