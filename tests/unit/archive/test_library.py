"""A look tells every image of the archives at a path, and the bytes of layers are proven."""

from __future__ import annotations

import gzip
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from cyroid_images.archive import Archives
from cyroid_images.errors import Cancelled, Reason, TransferError
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.reference import Reference
from cyroid_images.scheduling.cancel_scope import CancelScope
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
from tests.parts.save_tars import saved_image, tar_of

TWO = (layer("a"), layer("b"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "volume"
    folder.mkdir()
    return folder


def _old_tar(name: str, layers: tuple[bytes, ...]) -> bytes:
    return old_tar(name, layers=layers)


def _new_tar(name: str, layers: tuple[bytes, ...]) -> bytes:
    """What Docker >= 25 saves with a classic store: both lists, layers uncompressed."""
    made = layout({"io.containerd.image.name": f"docker.io/x/{name}"}, layers, compressed=False)
    config = f"blobs/sha256/{sha(config_of(layers))}"
    listed = saved_list(config, [f"blobs/sha256/{sha(one)}" for one in layers], name)
    return tar_of(made.files | {"manifest.json": listed})


@pytest.mark.parametrize("pack", PACKED.values(), ids=PACKED)
@pytest.mark.parametrize("make", [_old_tar, _new_tar], ids=["<25", ">=25"])
def test_both_layouts_of_docker_save_give_images_and_layers(
    root: Path, make: Callable[[str, tuple[bytes, ...]], bytes], pack: Pack
) -> None:
    (image,) = look(root, pack(make(KALI, TWO))).images
    assert names(image) == {KALI}
    assert image.manifest is None
    assert image.config == config_of(TWO)
    assert [one.diff_id for one in image.layers] == [Digest.of(one) for one in TWO]
    assert sorted(read_layers(root, image).values()) == sorted(TWO)


@pytest.mark.parametrize("pack", PACKED.values(), ids=PACKED)
def test_a_layout_with_compressed_layers_keeps_its_manifest(root: Path, pack: Pack) -> None:
    made = layout({"io.containerd.image.name": KALI}, TWO)
    (image,) = look(root, pack(made.tar)).images
    assert image.manifest == made.manifest
    assert image.content.manifest == Digest.of(made.manifest)
    assert all(one.is_compressed for one in image.layers)
    assert [gzip.decompress(one) for one in read_layers(root, image).values()]


def test_a_layout_may_be_a_folder(root: Path) -> None:
    made = layout({"io.containerd.image.name": KALI}, TWO)
    for name, content in made.files.items():
        (root / "lab" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "lab" / name).write_bytes(content)
    (image,) = Archives(root).look(".").images
    assert (image.archive, names(image), image.manifest) == ("lab", {KALI}, made.manifest)
    assert sorted(map(gzip.decompress, read_layers(root, image).values())) == sorted(TWO)
    os.truncate(root / "lab" / image.layers[0].member, 30)
    with pytest.raises(TransferError, match="30 bytes instead"):
        read_layers(root, image)


def test_each_platform_of_an_index_is_an_image_and_attestations_are_none(root: Path) -> None:
    made = layout({"io.containerd.image.name": KALI}, architectures=("amd64", "arm64"))
    images = look(root, made.tar).images
    assert [str(image.content.platform) for image in images] == ["linux/amd64", "linux/arm64"]


def test_a_platform_that_was_not_saved_is_not_there_and_no_fault(root: Path) -> None:
    made = layout({"io.containerd.image.name": KALI}, architectures=("amd64", "arm64"))
    arm = sha(config_of((layer("a"),), "arm64"))
    view = look(root, tar_of({k: v for k, v in made.files.items() if arm not in k}))
    assert [str(image.content.platform) for image in view.images] == ["linux/amd64"]
    assert not view.faults


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("1.36", set()),
        ("busybox:1.36", set()),
        ("ghcr.io/a/b:1", {"ghcr.io/a/b:1"}),
        ("docker.io/library/busybox:1.36", {"busybox:1.36"}),
    ],
)
def test_a_ref_name_counts_only_with_its_host(root: Path, written: str, expected: set[str]) -> None:
    (image,) = look(root, layout({"org.opencontainers.image.ref.name": written}).tar).images
    assert names(image) == expected


def test_only_the_tars_own_list_names_images_and_all_its_names_count(root: Path) -> None:
    """P-S8: not only the first of several tags; the name of the file is none."""
    content = old_tar("a/b:c", KALI)
    (image,) = look(root, content, "a_b_c.tar").images
    assert names(image) == {"a/b:c", KALI}
    (untagged,) = look(root, old_tar(), "kali.tar").images
    assert names(untagged) == set()


def test_only_requested_layers_of_requested_names_are_read(root: Path) -> None:
    """P-X4: what else is in the archive is shown and left alone."""
    both = tar_of(
        {"images/a.tar": old_tar("a:1", layers=TWO), "images/b.tar": old_tar("b:1")[:3000]}
    )
    view = look(root, gzip.compress(both))
    (image,) = view.named(Reference.parse("a:1"))
    assert list(view.faults) == ["x.tar!images/b.tar"]
    assert list(read_layers(root, image, Digest.of(TWO[1])).values()) == [TWO[1]]
    assert list(Archives(root).blobs(image, ())) == []


def test_a_link_before_its_target_and_a_layer_listed_twice_are_one_file(root: Path) -> None:
    twice = (layer("a"), layer("b"), layer("a"))
    files = ["0/layer.tar", "1/layer.tar", "2/layer.tar"]
    members: dict[str, bytes | str] = {
        "0/layer.tar": "../2/layer.tar",
        "1/layer.tar": twice[1],
        "2/layer.tar": twice[2],
    }
    config = config_of(twice)
    tar = links_tar(
        {**members, "c.json": config, "manifest.json": saved_list("c.json", files, KALI)}
    )
    for content in (tar, gzip.compress(tar)):
        (image,) = look(root, content).images
        assert [one.member for one in image.layers] == ["2/layer.tar", "1/layer.tar", "2/layer.tar"]
        assert read_layers(root, image) == {"2/layer.tar": twice[0], "1/layer.tar": twice[1]}


def test_a_hundred_layers_and_an_empty_one_come_in_the_archives_order(root: Path) -> None:
    many = (b"", *(layer(str(number)) for number in range(99)))
    (image,) = look(root, gzip.compress(old_tar(KALI, layers=many), 1)).images
    assert list(read_layers(root, image).values()) == list(many)


@pytest.mark.parametrize("folder", ["images", "docker-images"])
@pytest.mark.parametrize("form", ["zip", "stored zip", "tar.gz", "tar"])
def test_a_bundle_is_read_in_place(root: Path, form: str, folder: str) -> None:
    """S7: what is damaged in it fails alone."""
    listed = [KALI.replace("127.0.0.1", "localhost"), "oci:1", "cut:1"]
    members = {
        "manifest.json": json.dumps(
            {"version": "4.0", "docker_images": [*listed, "evil:1"]}
        ).encode(),
        "blueprint.json": b"{}",
        f"{folder}/kali.tar": old_tar(KALI, layers=TWO),
        f"{folder}/cut.tar": old_tar("cut:1")[:5000],
        f"../{folder}/slip.tar": old_tar("slip:1"),
        f"{folder}/oci.tar": gzip.compress(layout({"io.containerd.image.name": "oci:1"}).tar),
    }
    content = {
        "zip": lambda: zipped(members),
        "stored zip": lambda: zipped(members, zipfile.ZIP_STORED),
        "tar.gz": lambda: gzip.compress(tar_of(members)),
        "tar": lambda: tar_of(members),
    }[form]()
    view = look(root, content, "lab.bin")
    assert [names(image) for image in view.images] == [{KALI}, {"oci:1"}]
    assert list(view.faults) == [f"lab.bin!{folder}/cut.tar"]
    assert list(read_layers(root, view.images[0]).values()) == list(TWO)
    assert len(read_layers(root, view.images[1])) == 1


@pytest.mark.parametrize("form", ["zip", "tar.gz", "tar"])
def test_of_a_bundle_that_lists_its_images_only_those_names_are_taken(
    root: Path, form: str
) -> None:
    """Who made the bundle replaces nothing that he does not say he brings."""
    tar = links_tar(old_members(KALI, "alpine:latest"))
    members = {
        "images/kali.tar": tar,
        "images/other.tar": old_tar("nginx:1", layers=TWO),
        "manifest.json": json.dumps({"docker_images": [KALI]}).encode(),
    }
    make = {"zip": zipped, "tar.gz": lambda each: gzip.compress(tar_of(each)), "tar": tar_of}
    view = look(root, make[form](members), "lab.bin")
    assert [names(image) for image in view.images] == [{KALI}, set()]
    told = [{str(name) for name in image.undeclared} for image in view.images]
    assert told == [{"alpine:latest"}, {"nginx:1"}]
    assert view.named(Reference.parse("alpine:latest")) == ()


@pytest.mark.parametrize("manifest", [b"{", b"\xff", b"[" * 100_000])
def test_a_bundle_whose_own_list_cannot_be_read_gives_nothing(root: Path, manifest: bytes) -> None:
    view = look(root, zipped({"manifest.json": manifest, "images/a.tar": old_tar(KALI)}), "lab.zip")
    assert view.images == ()
    assert "manifest.json is not JSON" in view.faults["lab.zip"].message


def test_a_backup_set_names_what_has_no_name(root: Path) -> None:
    """P-S8: an untagged image comes under the exact name that its list has."""
    (root / "set").mkdir()
    (root / "set" / "a.tar.gz").write_bytes(gzip.compress(old_tar()))
    (root / "set" / "b.tar.gz").write_bytes(gzip.compress(old_tar("own:1", layers=TWO)))
    lines = ["localhost:5000/cyroid/a:1|a.tar.gz", "other:1|b.tar.gz", "x:1|../a", "y:1|gone.tar"]
    (root / "set" / "manifest.txt").write_text("\n".join(lines))
    view = Archives(root).look("set")
    assert [names(image) for image in view.images] == [{"localhost:5000/cyroid/a:1"}, {"own:1"}]
    assert list(view.faults) == ["set/manifest.txt", "set/gone.tar"]
    (alone,) = Archives(root).look("set/a.tar.gz").images
    assert names(alone) == {"localhost:5000/cyroid/a:1"}


@pytest.mark.parametrize("path", ["gone", "../secret", "out", "out/x", "/etc", "a\0b", "a/../.."])
def test_what_is_not_within_the_volume_is_missing(root: Path, path: str) -> None:
    (root.parent / "secret").mkdir()
    (root.parent / "secret" / "x").write_bytes(old_tar(KALI))
    (root / "out").symlink_to("../secret")
    with pytest.raises(TransferError) as raised:
        Archives(root).look(path)
    assert raised.value.reason is Reason.ARCHIVE_MISSING


def test_a_folder_is_read_whole_and_what_is_no_archive_is_left_alone(root: Path) -> None:
    (root / "deep").mkdir()
    (root / "deep" / "good").write_bytes(old_tar(KALI))
    (root / "again").symlink_to("deep")
    (root / "loop").symlink_to(".")
    (root / "out.tar").symlink_to("/etc/hostname")
    (root / "notes.txt").write_text("hello")
    (root / "notes.gz").write_bytes(gzip.compress(b"hello"))
    (root / "cut.tar").write_bytes(b"")
    (root / ".hidden.tar").write_bytes(b"")
    os.mkfifo(root / "pipe.tar")
    view = Archives(root).look("")
    assert [image.archive for image in view.images] == ["again/good", "deep/good"]
    assert sorted(view.faults) == ["cut.tar", "out.tar"]


def test_a_pipe_is_no_archive_and_never_waited_for(root: Path) -> None:
    os.mkfifo(root / "pipe.tar")
    with pytest.raises(TransferError, match="not a regular file"):
        Archives(root).look("pipe.tar")


def test_a_file_that_is_asked_for_and_is_no_archive_is_invalid(root: Path) -> None:
    assert look(root, b"hello", "notes.txt").faults["notes.txt"].reason is Reason.ARCHIVE_INVALID


def test_a_repeated_look_reads_only_what_changed(root: Path) -> None:
    (root / "a.tar").write_bytes(old_tar("a:1"))
    (root / "b.tar").write_bytes(old_tar("b:1"))
    archives = Archives(root)
    first = archives.look("")
    (root / "b.tar").write_bytes(old_tar("b:2", layers=TWO))
    second = archives.look("")
    assert second.images[0] is first.images[0]
    assert names(second.images[1]) == {"b:2"}


def test_a_cancelled_look_or_pass_stops_and_blames_no_archive(root: Path) -> None:
    (image,) = look(root, gzip.compress(saved_image(KALI).tar)).images
    stopped = CancelScope()
    stopped.cancel()
    with pytest.raises(Cancelled):
        Archives(root).look("x.tar", stopped)
    with pytest.raises(Cancelled):
        next(Archives(root).blobs(image, None, stopped))
