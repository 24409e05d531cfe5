"""Which rows a list of images has, and what may be asked of whom."""

from __future__ import annotations

from typing import Any

import pytest

from cyroid_images.engine.listing import (
    MOST_IMAGES,
    MOST_NAMES,
    lists_by_name,
    lists_manifests,
    rows_named,
    rows_of,
)
from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.engine import EngineInfo, ImageStore
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.platform import Platform
from cyroid_images.model.images.reference import Reference

A, M = (Digest("sha256", digit * 64) for digit in "ac")


def engine(store: ImageStore = ImageStore.CLASSIC, api: tuple[int, int] = (1, 45)) -> EngineInfo:
    return EngineInfo("AB:CD", "dind-0", "26.1.5", api, store, Platform("linux", "amd64"))


def row(**more: Any) -> dict[str, Any]:
    return {"Id": str(A), "Size": 7, **more}


@pytest.mark.parametrize(
    ("store", "api", "by_name", "with_manifests"),
    [
        (ImageStore.CONTAINERD, (1, 48), True, True),
        (ImageStore.CONTAINERD, (1, 47), True, True),
        (ImageStore.CONTAINERD, (1, 46), True, False),
        (ImageStore.CONTAINERD, (1, 43), True, False),
        (ImageStore.CONTAINERD, (1, 42), False, False),
        (ImageStore.CLASSIC, (1, 48), False, False),
    ],
)
def test_only_what_an_engine_can_answer_is_asked(
    store: ImageStore, api: tuple[int, int], by_name: bool, with_manifests: bool
) -> None:
    info = engine(store, api)
    assert (lists_by_name(info), lists_manifests(info)) == (by_name, with_manifests)


def test_only_the_rows_with_a_name_are_left() -> None:
    """By tag or by digest: a filter of the engine may let others through."""
    listed = [
        row(RepoTags=["x:1", "nginx:1.25"]),
        row(RepoTags=["nginx:1.26"]),
        row(RepoTags=None, RepoDigests=[f"r.example/y@{M}"]),
        row(),
    ]
    rows = rows_of(engine(), listed)
    assert rows_named(rows, [Reference.parse("nginx:1.25")]) == rows[:1]
    assert rows_named(rows, [Reference.parse(f"r.example/y@{M}")]) == rows[2:3]
    assert rows_named(rows, []) == ()


def test_no_more_images_and_names_are_taken_than_one_look_may_hold() -> None:
    """B3: what an engine lists is what we hold in memory."""
    one = row(RepoTags=["x:1"])
    assert len(rows_of(engine(), [one] * MOST_IMAGES)) == MOST_IMAGES
    names = [f"x:{number}" for number in range(MOST_NAMES + 1)]
    for listed in ([one] * (MOST_IMAGES + 1), [row(RepoTags=names)]):
        with pytest.raises(TransferError, match="docker image prune") as caught:
            rows_of(engine(), listed)
        assert caught.value.reason is Reason.PROTOCOL_ERROR


@pytest.mark.parametrize(
    "listed",
    [
        {},
        None,
        ["x"],
        [{"Id": "x"}],
        [row(Size="x")],
        [row(Manifests=["x"])],
        [row(Manifests=[{"Kind": "image", "Available": True}])],
        [row(Manifests=[{"Kind": "image", "Available": True, "ImageData": {"Platform": {}}}])],
    ],
)
def test_a_nonsensical_list_is_a_protocol_error(listed: object) -> None:
    with pytest.raises(TransferError) as caught:
        rows_of(engine(ImageStore.CONTAINERD, (1, 48)), listed)
    assert caught.value.reason is Reason.PROTOCOL_ERROR
