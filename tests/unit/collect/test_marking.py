"""What stays and what goes, in trees that are written here."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyroid_images.collect.manifests import Manifests
from cyroid_images.collect.marking import Rules, mark
from cyroid_images.collect.sweeping import empty, take_away, unneeded
from cyroid_images.collect.tree import Tree
from cyroid_images.model.images.digest import Digest
from tests.parts.registry_tree import OLD, HandMadeTree
from tests.unit.collect.conftest import GRACE, Collect


def test_what_a_tag_needs_stays_and_the_rest_is_freed_by_its_bytes(
    tree: HandMadeTree, collect: Collect
) -> None:
    wanted = tree.image("a/b", [b"base", b"wanted"])
    dropped = tree.image("a/b", [b"base", b"dropped" * 100], b'{"a":1}')
    tree.tag("a/b", "1", wanted)
    size = tree.blob_file(dropped).stat().st_size + len(b"dropped" * 100) + len(b'{"a":1}')
    done = collect()
    assert (done.error, done.blobs, done.manifests, done.freed) == ("", 3, 1, size)
    assert tree.broken("a/b", "1") == []
    assert not tree.has_manifest("a/b", dropped)
    assert list(tree.lies()) == []
    assert collect().blobs == 0


def test_a_dry_run_counts_the_same_and_removes_nothing(
    tree: HandMadeTree, collect: Collect
) -> None:
    dropped = tree.image("a", [b"x"])
    told = collect(dry_run=True)
    assert told.blobs == 3
    assert tree.has_manifest("a", dropped)
    done = collect()
    assert (done.blobs, done.freed) == (told.blobs, told.freed)
    assert not tree.has(dropped)


def test_children_of_a_tagged_index_stay(tree: HandMadeTree, collect: Collect) -> None:
    """distribution #3178: they have no tags of their own."""
    children = [tree.image("m", [name]) for name in (b"amd64", b"arm64")]
    inner = tree.index("m", children[1:])
    tree.tag("m", "1", tree.index("m", [children[0], inner]))
    assert collect().blobs == 0
    assert tree.broken("m", "1") == []


def test_an_index_with_a_platform_that_nobody_pushed_is_no_oddity(
    tree: HandMadeTree, collect: Collect
) -> None:
    tree.tag("m", "1", tree.index("m", [tree.image("m", [b"x"]), Digest.of(b"never pushed")]))
    dropped = tree.image("m", [b"y"])
    assert collect().kept == []
    assert not tree.has(dropped)


def test_a_blob_that_another_repository_needs_stays_and_both_links_with_it(
    tree: HandMadeTree, collect: Collect
) -> None:
    tree.tag("keeps", "1", tree.image("keeps", [b"shared", b"own"]))
    tree.image("drops", [b"shared", b"gone"])
    collect()
    assert tree.broken("keeps", "1") == []
    assert not tree.links_layer("drops", Digest.of(b"gone"))
    assert list(tree.lies()) == []


def test_a_manifest_stays_that_somebody_asked_for(tree: HandMadeTree, collect: Collect) -> None:
    asked, other = tree.image("a", [b"asked"]), tree.image("a", [b"other"])
    collect(asked)
    assert tree.has_manifest("a", asked)
    assert tree.has(Digest.of(b"asked"))
    assert not tree.has(other)


def test_the_digest_of_an_index_keeps_its_children(tree: HandMadeTree, collect: Collect) -> None:
    child = tree.image("a", [b"x"])
    collect(tree.index("a", [child]))
    assert tree.has(Digest.of(b"x"))


def test_what_is_young_stays(tree: HandMadeTree, collect: Collect) -> None:
    """A push sends layers first, then the manifest by digest, then the tag."""
    young = tree.image("a", [b"of a young manifest"])
    tree.link(tree.folder("a") / "_manifests/revisions", young, at=OLD + 10)
    layer = tree.layer("a", b"sent a moment ago")
    tree.link(tree.folder("a") / "_layers", layer, at=OLD + 10)
    assert collect(now=OLD + GRACE + 5).blobs == 0
    assert tree.has_manifest("a", young)
    collect(now=OLD + GRACE + 20)
    assert not tree.has(young)
    assert not tree.has(layer)


def test_old_uploads_go_and_young_ones_stay(tree: HandMadeTree, collect: Collect) -> None:
    tree.tag("a", "1", tree.image("a", [b"x"]))
    old = tree.upload("a", "old", b"x" * 1000)
    young = tree.upload("a", "young", b"y", at=OLD + 10)
    done = collect(now=OLD + GRACE + 5)
    assert (done.uploads, done.freed) == (1, 1020)
    assert not old.exists()
    assert young.exists()


def test_the_history_of_a_tag_forgets_what_it_named(tree: HandMadeTree, collect: Collect) -> None:
    before, after = tree.image("a", [b"1"]), tree.image("a", [b"2"])
    tree.tag("a", "latest", before)
    tree.tag("a", "latest", after)
    collect()
    history = tree.folder("a") / "_manifests/tags/latest/index/sha256"
    assert [each.name for each in history.iterdir()] == [after.hex]


def test_a_signature_stays_as_long_as_what_it_speaks_of(
    tree: HandMadeTree, collect: Collect
) -> None:
    image = tree.image("a", [b"x"])
    signed = tree.image("a", [b"s"], subject={"digest": str(image)})
    of_that = tree.image("a", [b"t"], subject={"digest": str(signed)})
    tree.tag("a", "1", image)
    orphan = tree.image("a", [b"o"], subject={"digest": str(Digest.of(b"gone"))})
    collect()
    assert tree.has_manifest("a", signed)
    assert tree.has_manifest("a", of_that)
    assert not tree.has(orphan)


def test_a_manifest_that_another_one_names_as_a_layer_still_keeps_its_own(
    tree: HandMadeTree, collect: Collect
) -> None:
    inner = tree.image("a", [b"inner"])
    tree.tag("a", "outer", tree.image("a", [tree.blob_file(inner).read_bytes()]))
    tree.tag("a", "z-inner", inner)
    collect()
    assert tree.broken("a", "z-inner") == []


def test_layers_that_a_cache_of_a_builder_lists_in_an_index_stay(
    tree: HandMadeTree, collect: Collect
) -> None:
    layer = tree.layer("cache", b"layer")
    child = {"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": str(layer)}
    tree.tag("cache", "1", tree.index("cache", [], manifests=[child]))
    assert collect().kept == []
    assert tree.has(layer)


IMAGES = st.lists(st.lists(st.integers(0, 6), min_size=1, max_size=3), min_size=1, max_size=6)


@given(
    images=IMAGES,
    indexes=st.lists(st.lists(st.integers(0, 5), min_size=1, max_size=3), max_size=3),
    tags=st.lists(st.tuples(st.integers(0, 8), st.booleans()), max_size=6),
)
def test_after_a_collection_every_tag_can_be_pulled_and_only_what_tags_need_is_left(
    images: list[list[int]],
    indexes: list[list[int]],
    tags: list[tuple[int, bool]],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("tree")
    tree = HandMadeTree(folder / "data")
    for repository in ("one", "two/deep"):
        made = [tree.image(repository, [bytes([n]) for n in layers]) for layers in images]
        made += [
            tree.index(repository, [made[n % len(images)] for n in listed]) for listed in indexes
        ]
        for at, (number, is_second) in enumerate(tags):
            if is_second == (repository != "one"):
                tree.tag(repository, f"t{at}", made[number % len(made)])
    done = _collected(tree)
    assert done == ""
    for at, (_, is_second) in enumerate(tags):
        assert tree.broken("two/deep" if is_second else "one", f"t{at}") == []
    assert list(tree.lies()) == []
    left = {path.parent.name for path in tree.v2.glob("blobs/*/*/*/data")}
    assert left == _reachable(tree)


def _collected(tree: HandMadeTree) -> str:
    files, older_than = Tree(tree.root), OLD + 1
    marks = mark(files, Manifests(files), Rules(older_than=older_than))
    take_away(files, unneeded(files, marks, older_than), lambda: None)
    empty(files)
    return "".join(each.why_kept for each in marks.repositories)


def _reachable(tree: HandMadeTree) -> set[str]:
    """By another way than the program's: every digest in the text of what a tag leads to."""
    waiting = [path.read_text() for path in tree.v2.glob("repositories/**/tags/*/current/link")]
    found: set[str] = set()
    while waiting:
        digest = Digest.parse(waiting.pop())
        if digest.hex in found or not tree.has(digest):
            continue
        found.add(digest.hex)
        text = tree.blob_file(digest).read_text("latin-1")
        waiting += [f"sha256:{each[:64]}" for each in text.split("sha256:")[1:]]
    return found


def test_times_are_those_of_the_links_and_not_of_folders(
    tree: HandMadeTree, collect: Collect
) -> None:
    dropped = tree.image("a", [b"x"])
    os.utime(tree.folder("a"))
    collect()
    assert not tree.has(dropped)
