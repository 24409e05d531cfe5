"""What is to be kept: from the tags of every repository to whatever their manifests need.

A manifest without a tag is kept while it is young, while somebody asked for it, and as the
child of an index that is kept. A repository in which something is not understood is kept
with everything that it links.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from cyroid_images.collect.manifests import Manifests, Needs
from cyroid_images.collect.tree import (
    LINK,
    Linked,
    OddTree,
    Tree,
    all_links,
    folders,
    is_file,
    is_folder,
    links,
    read_link,
)
from cyroid_images.model.images.digest import Digest


@dataclass(frozen=True, slots=True)
class MarkedRepository:
    """One repository: which of its manifests may go, or why none may."""

    name: str
    folder: Path
    unneeded: tuple[Linked, ...] = ()
    why_kept: str = ""
    """Why it is kept as it is; empty where it was understood."""


@dataclass(slots=True)
class Marks:
    """What every repository needs: blobs are common to all of them."""

    needed: set[Digest] = field(default_factory=set)
    repositories: list[MarkedRepository] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Rules:
    """What is kept besides what tags need."""

    keep: Collection[Digest] = frozenset()
    """Manifests that somebody asked for."""
    older_than: float = 0.0
    """What was written after this moment is young; seconds since the epoch."""


def mark(
    tree: Tree, manifests: Manifests, rules: Rules, step: Callable[[], None] = lambda: None
) -> Marks:
    """Look at every repository; `step` is called between them, and may raise.

    Raises OddTree or OSError where not even the links of a repository can be listed.
    """
    marks = Marks()
    for name, folder in tree.repositories():
        step()
        try:
            found = _Repository(folder, manifests, rules)
            unneeded = found.mark()
        except OddTree as exc:
            marks.needed.update(all_links(folder))
            marks.repositories.append(MarkedRepository(name, folder, why_kept=str(exc)))
        else:
            marks.needed |= found.needed
            marks.repositories.append(MarkedRepository(name, folder, unneeded))
    return marks


class _Repository:
    """The marks of one repository, while they are made."""

    def __init__(self, folder: Path, manifests: Manifests, rules: Rules) -> None:
        self.needed: set[Digest] = set()
        self._followed: set[Digest] = set()
        """Needed as manifests. Somebody may name a manifest as a layer, too."""
        self._folder = folder
        self._manifests = manifests
        self._rules = rules

    def mark(self) -> tuple[Linked, ...]:
        """Mark what is needed; returns the manifests that are not."""
        strange = [name for name in folders(self._folder) if name not in _KNOWN and name[0] == "_"]
        if strange:
            raise OddTree(f"{self._folder / strange[0]} is not known")
        revisions = [*links(self._folder / "_manifests" / "revisions")]
        for each in revisions:
            if each.target != each.named:
                raise OddTree(f"{each.folder / LINK} does not hold the digest of its folder")
        self._tags()
        for each in revisions:
            if each.named in self._rules.keep or self._is_young(each):
                self._follow([each.named])
        rest = self._without_subjects([r for r in revisions if r.named not in self._followed])
        for layer in links(self._folder / "_layers"):
            if self._is_young(layer) or layer.target is None or layer.named in self.needed:
                self.needed |= {layer.named} | ({layer.target} if layer.target else set())
        return tuple(rest)

    def _tags(self) -> None:
        tags = self._folder / "_manifests" / "tags"
        for tag in folders(tags):
            current = tags / tag / "current"
            if not is_folder(current) or not is_file(current / LINK):
                continue  # begun and never finished: the registry does not know it either
            digest = read_link(current / LINK)
            if digest is None:
                raise OddTree(f"tag {tag} is not understood: {current / LINK} holds no digest")
            if self._known(digest) is None:
                raise OddTree(f"tag {tag} names {digest}, which is not stored")
            self._follow([digest])

    def _follow(self, roots: Iterable[Digest]) -> None:
        """Mark these manifests and whatever they need."""
        waiting = [*roots]
        while waiting:
            digest = waiting.pop()
            if digest in self._followed:
                continue
            self._followed.add(digest)
            self.needed.add(digest)
            needs = self._known(digest)
            if needs is not None:  # else a platform that an index names and nobody pushed
                self.needed.update(needs.blobs)
                waiting += needs.manifests

    def _without_subjects(self, rest: list[Linked]) -> list[Linked]:
        """Without those that speak of a manifest that is kept, such as its signature."""
        while True:
            needs = {each: self._known(each.named) for each in rest}
            kept = [e for e, n in needs.items() if n is not None and n.subject in self._followed]
            if not kept:
                return rest
            self._follow([each.named for each in kept])
            rest = [each for each in rest if each.named not in self._followed]

    def _known(self, digest: Digest) -> Needs | None:
        """What it needs; None where it is not stored."""
        try:
            return self._manifests.needs(digest)
        except FileNotFoundError:
            return None

    def _is_young(self, each: Linked) -> bool:
        return each.at >= self._rules.older_than


_KNOWN = frozenset({"_layers", "_manifests", "_uploads"})
