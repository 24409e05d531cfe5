"""Whose turn it is: one image per base, large ones first."""

from __future__ import annotations

from dataclasses import replace

from cyroid_images.errors import Reason
from cyroid_images.model.actions import Load, Pull, Push, Slot
from cyroid_images.model.knowledge import HeldByCache, HeldByEngine, Stored
from cyroid_images.plan.push_order import due, large_first
from tests.unit.plan.examples import (
    GZIP,
    REGISTRY,
    content,
    digest,
    fault,
    info,
    source,
    stored,
    target,
    wish,
)


def push(name: str, *layers: str, size: int = 100) -> Push:
    """An image of these layers on its way into the registry."""
    known = replace(content(name), diff_ids=tuple(map(digest, layers)))
    held = replace(source(name), content=known, size=size)
    return Push(wish(f"{name}:1"), held, Slot(REGISTRY, name, "1"))


def names(fills: object) -> list[str]:
    return [fill.to.repository for fill in fills]  # type: ignore[attr-defined]


def test_images_on_one_base_go_one_after_the_other_large_ones_first() -> None:
    small, large = push("small", "base", "a"), push("large", "base", "b", size=900)
    other = push("other", "scratch")
    assert names(due([small, other, large], [])) == ["large", "other"]
    assert names(due([small, other], [large])) == ["other"]
    assert names(due([small], [])) == ["small"]


def test_images_without_layers_wait_for_nobody() -> None:
    assert names(due([push("a"), push("b")], [])) == ["a", "b"]


def in_registry(name: str, size: int) -> Stored:
    """An image whose config and layer take so many bytes there."""
    known = stored(name, layer=GZIP)
    (layer,) = known.manifest.layers
    layers = (replace(layer, size=size - known.manifest.config.size),)
    return replace(known, manifest=replace(known.manifest, layers=layers))


def pull(name: str, size: int) -> Pull:
    return Pull(wish(f"{name}:1"), target(), info(), in_registry(name, size), "127.0.0.1:5000")


def load(name: str, held: HeldByCache | HeldByEngine) -> Load:
    return Load(wish(f"{name}:1"), target(), info(), held, fault(Reason.FORCED_BY_SPEC))


def test_deliveries_begin_with_the_largest_one_by_whatever_route_it_comes() -> None:
    moves: list[Pull | Load] = [
        pull("small", 100),
        load("from-a-source", replace(source(), size=300)),
        pull("large", 400),
        load("from-the-registry", HeldByCache(REGISTRY, in_registry("middle", 200))),
        pull("as-small", 100),
    ]
    assert [str(each.wish) for each in large_first(moves)] == [
        "large:1",
        "from-a-source:1",
        "from-the-registry:1",
        "small:1",
        "as-small:1",
    ]
