"""A collection that ends at any of its steps leaves no lie, and the next one finishes it."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import pytest

from cyroid_images.collect.manifests import Manifests
from cyroid_images.collect.marking import Rules, mark
from cyroid_images.collect.sweeping import Sweep, empty, take_away, unneeded
from cyroid_images.collect.tree import Tree
from tests.parts.registry_tree import OLD, HandMadeTree


class Killed(Exception):
    """The end of the process."""


def planned(tree: HandMadeTree) -> Sweep:
    files = Tree(tree.root)
    marks = mark(files, Manifests(files), Rules(older_than=OLD + 1))
    return unneeded(files, marks, OLD + 1)


def filled(root: Path) -> HandMadeTree:
    tree = HandMadeTree(root)
    tree.tag("a", "1", tree.image("a", [b"base", b"kept"]))
    tree.image("a", [b"base", b"gone", b"too"])
    tree.index("b/c", [tree.image("b/c", [b"base", b"gone"], b"[]")])
    tree.upload("a", "old", b"half")
    return tree


def steps() -> int:
    """How many removals the collection of that tree has."""
    return 14


@pytest.mark.parametrize("number", range(steps()))
def test_a_kill_at_any_step_leaves_no_lie_and_the_next_one_ends_it(
    tmp_path: Path, number: int
) -> None:
    tree, steps_taken = filled(tmp_path), count()

    def step() -> None:
        if next(steps_taken) == number:
            raise Killed

    with pytest.raises(Killed):
        take_away(Tree(tree.root), planned(tree), step)
    assert list(tree.lies()) == []
    assert tree.broken("a", "1") == []
    take_away(Tree(tree.root), planned(tree), lambda: None)
    empty(Tree(tree.root))
    assert tree.broken("a", "1") == []
    assert len(list(tree.v2.glob("blobs/*/*/*"))) == 4  # manifest, config and two layers


def test_there_are_as_many_steps_as_were_killed(tmp_path: Path) -> None:
    taken: list[None] = []
    take_away(Tree(tmp_path), planned(filled(tmp_path)), lambda: taken.append(None))
    assert len(taken) == steps()


def test_a_manifest_goes_before_its_layers(tmp_path: Path) -> None:
    kinds = [each.parent.parent.name for each in planned(filled(tmp_path)).links]
    assert kinds == sorted(kinds, key=["revisions", "_layers"].index)
