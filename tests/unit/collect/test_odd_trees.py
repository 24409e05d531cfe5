"""Whatever is not understood is kept with all that it may need, or nothing is removed at all."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from cyroid_images.collect.sweeping import ASIDE
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.manifest import LARGEST, OCI_INDEX, OCI_MANIFEST
from tests.parts.registry_tree import HandMadeTree
from tests.unit.collect.conftest import Collect

SCHEMA_1 = {"schemaVersion": 1, "name": "a", "tag": "1", "fsLayers": [{"blobSum": "x"}]}
ODD: dict[str, dict[str, object] | bytes] = {
    "schema 1": {**SCHEMA_1},
    "an unknown type": {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.artifact.manifest.v1+json",
        "config": {},
        "layers": [],
    },
    "a manifest and an index at once": {
        "schemaVersion": 2,
        "mediaType": OCI_INDEX,
        "manifests": [],
        "layers": [],
    },
    "a manifest that says it is an index": {
        "schemaVersion": 2,
        "mediaType": OCI_INDEX,
        "config": {"digest": str(Digest.of(b""))},
        "layers": [],
    },
    "no digest": {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": {"digest": "sha256:../../../../etc/passwd"},
        "layers": [],
    },
    "layers that are no list": {"schemaVersion": 2, "config": {}, "layers": 7},
    "no object": [1, 2],  # type: ignore[dict-item]
    "no JSON": b"\x00\xff",
    "nothing": b"",
    "a deep nest": b"[" * 200_000,
    "too much": b" " * (LARGEST + 1),
}


@pytest.mark.parametrize("content", ODD.values(), ids=ODD.keys())
@pytest.mark.parametrize("is_tagged", [True, False], ids=["tagged", "untagged"])
def test_a_repository_with_an_odd_manifest_is_kept_whole_and_the_others_are_collected(
    tree: HandMadeTree, collect: Collect, content: dict[str, object] | bytes, is_tagged: bool
) -> None:
    layer, untagged = tree.layer("odd", b"perhaps needed"), tree.image("odd", [b"untagged"])
    manifest = tree.manifest("odd", content)
    if is_tagged:
        tree.tag("odd", "1", manifest)
    dropped = tree.image("fine", [b"dropped"])
    done = collect()
    assert [name for name, _ in done.kept] == ["odd"]
    assert str(manifest) in done.kept[0][1] or manifest.hex in done.kept[0][1]
    assert tree.has(layer)
    assert tree.has_manifest("odd", untagged)
    assert tree.has_manifest("odd", manifest)
    assert not tree.has(dropped)


def test_a_damaged_manifest_is_not_believed(tree: HandMadeTree, collect: Collect) -> None:
    """It might name other layers than the true one."""
    manifest = tree.image("a", [b"x"])
    tree.tag("a", "1", manifest)
    document = json.loads(tree.blob_file(manifest).read_bytes())
    tree.blob_file(manifest).write_text(json.dumps({**document, "layers": []}))
    os.utime(tree.blob_file(manifest), (0, 0))
    assert "damaged" in collect().kept[0][1]
    assert tree.has(Digest.of(b"x"))


def test_a_tag_that_names_what_is_gone_keeps_its_repository(
    tree: HandMadeTree, collect: Collect
) -> None:
    tree.layer("a", b"x")
    tree.tag("a", "1", Digest.of(b"never stored"))
    assert "not stored" in collect().kept[0][1]
    assert tree.has(Digest.of(b"x"))


@pytest.mark.parametrize("content", [b"", b"sha256:12", b"x" * 1000, b"\xff\xfe"])
def test_a_broken_link_of_a_tag_keeps_its_repository(
    tree: HandMadeTree, collect: Collect, content: bytes
) -> None:
    manifest = tree.image("a", [b"x"])
    tree.tag("a", "1", manifest)
    (tree.folder("a") / "_manifests/tags/1/current/link").write_bytes(content)
    done = collect()
    assert done.error or done.kept
    assert tree.has(Digest.of(b"x"))
    assert tree.has_manifest("a", manifest)


def test_a_broken_link_of_a_manifest_keeps_its_repository(
    tree: HandMadeTree, collect: Collect
) -> None:
    manifest = tree.image("a", [b"x"])
    path = tree.folder("a") / "_manifests/revisions/sha256" / manifest.hex / "link"
    path.write_text(str(Digest.of(b"something else")))
    assert [name for name, _ in collect().kept] == ["a"]
    assert tree.has(manifest)


def test_a_broken_link_of_a_layer_keeps_that_layer(tree: HandMadeTree, collect: Collect) -> None:
    layer = tree.layer("a", b"x")
    (tree.folder("a") / "_layers/sha256" / layer.hex / "link").write_bytes(b"")
    assert collect().error == ""
    assert tree.has(layer)


def test_a_tag_that_was_begun_and_never_written_is_none(
    tree: HandMadeTree, collect: Collect
) -> None:
    (tree.folder("a") / "_manifests/tags/1/current").mkdir(parents=True)
    (tree.folder("a") / "_manifests/tags/2").mkdir()
    dropped = tree.image("a", [b"x"])
    assert collect().kept == []
    assert not tree.has(dropped)


def test_a_manifest_whose_content_is_gone_loses_its_link(
    tree: HandMadeTree, collect: Collect
) -> None:
    manifest = tree.image("a", [b"x"])
    tree.blob_file(manifest).unlink()
    assert collect().manifests == 1
    assert not (tree.folder("a") / "_manifests/revisions/sha256" / manifest.hex).exists()


def test_an_unknown_folder_of_a_repository_keeps_it(tree: HandMadeTree, collect: Collect) -> None:
    """Such as the signatures that version 2.0 kept, or whatever version 4 will."""
    needed = tree.blob(b"who knows")
    tree.image("a", [b"x"])
    tree.link(tree.folder("a") / "_referrers/subject", needed)
    assert "_referrers" in collect().kept[0][1]
    assert tree.has(needed)


SYMLINKS = [
    "repositories/a/_layers/sha256/link",
    "repositories/a/_manifests/tags/evil",
    "repositories/evil",
    "repositories/a/_uploads/evil",
    "blobs/sha256/ee",
    "blobs/evil",
]


@pytest.mark.parametrize("where", SYMLINKS)
def test_a_symbolic_link_out_of_the_root_stops_it_all(
    tree: HandMadeTree, collect: Collect, tmp_path: Path, where: str
) -> None:
    outside = HandMadeTree(tmp_path / "outside")
    prize = outside.image("b", [b"not ours"])
    tree.tag("a", "1", tree.image("a", [b"kept"]))
    dropped = tree.image("a", [b"x"])
    (tree.v2 / where).parent.mkdir(parents=True, exist_ok=True)
    (tree.v2 / where).symlink_to(outside.v2)
    done = collect()
    assert "symbolic link" in done.error
    assert tree.has(dropped)
    assert outside.has_manifest("b", prize)


@pytest.mark.parametrize("name", ["data", "link"])
def test_a_file_that_is_a_symbolic_link_is_not_read(
    tree: HandMadeTree, collect: Collect, tmp_path: Path, name: str
) -> None:
    manifest = tree.image("a", [b"x"])
    path = {
        "data": tree.blob_file(manifest),
        "link": tree.folder("a") / "_manifests/revisions/sha256" / manifest.hex / "link",
    }[name]
    path.rename(tmp_path / "moved")
    path.symlink_to(tmp_path / "moved")
    assert collect().error
    assert tree.has(Digest.of(b"x"))


def test_a_pipe_in_place_of_a_manifest_holds_nobody_up(
    tree: HandMadeTree, collect: Collect
) -> None:
    manifest = tree.image("a", [b"x"])
    tree.blob_file(manifest).unlink()
    os.mkfifo(tree.blob_file(manifest))
    assert collect().error
    assert tree.has(Digest.of(b"x"))


def test_blobs_without_any_repository_are_not_taken_for_garbage(
    tree: HandMadeTree, collect: Collect
) -> None:
    """A volume of which a part is lost, or not mounted."""
    dropped = tree.image("a", [b"x"])
    shutil.rmtree(tree.v2 / "repositories")
    assert "is the volume whole?" in collect().error
    assert tree.has(dropped)


def test_an_empty_root_is_nothing_to_do(tree: HandMadeTree, collect: Collect) -> None:
    tree.root.mkdir()
    done = collect()
    assert (done.error, done.blobs) == ("", 0)


def test_other_files_of_the_volume_are_left_alone(tree: HandMadeTree, collect: Collect) -> None:
    tree.image("a", [b"x"])
    for name in ("lost+found/1", "docker/registry/v2/blobs/sha256/zz/short/data", "notes"):
        (tree.root / name).parent.mkdir(parents=True, exist_ok=True)
        (tree.root / name).write_bytes(b"mine")
    assert collect().blobs == 3
    left = [path for path in tree.root.rglob("*") if path.is_file()]
    assert [path.read_bytes() for path in left] == [b"mine"] * 3


def test_what_a_killed_one_moved_aside_is_removed_by_the_next(
    tree: HandMadeTree, collect: Collect
) -> None:
    tree.tag("a", "1", tree.image("a", [b"x"]))
    (tree.root / ASIDE / "0-abc").mkdir(parents=True)
    (tree.root / ASIDE / "0-abc/data").write_bytes(b"x" * 100)
    collect(dry_run=True)
    assert (tree.root / ASIDE).exists()
    collect()
    assert not (tree.root / ASIDE).exists()
