"""Whose turn it is: one image per base, large ones first."""

from __future__ import annotations

from dataclasses import replace

from cyroid_images.model.actions import Push, Slot
from cyroid_images.plan.push_order import due
from tests.unit.plan.examples import REGISTRY, content, digest, source, wish


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
