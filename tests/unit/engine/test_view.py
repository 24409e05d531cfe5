"""What list, inspect, info and version mean as values."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cyroid_images.engine.view import (
    content_of,
    info_of,
    lists_by_name,
    negotiated,
    rows_named,
    view_of,
)
from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.digest import Digest
from cyroid_images.model.engine import EngineInfo, Store
from cyroid_images.model.platform import Platform
from cyroid_images.model.reference import Reference

A, B, M = (Digest("sha256", digit * 64) for digit in "abc")
INFO = {
    "ID": "AB:CD",
    "Name": "dind-0",
    "ServerVersion": "26.1.5",
    "OSType": "linux",
    "Architecture": "x86_64",
    "DriverStatus": [["driver-type", "io.containerd.snapshotter.v1"]],
}
ENGINE = EngineInfo("AB:CD", "dind-0", "26.1.5", (1, 45), Store.CLASSIC, Platform("linux", "amd64"))


def inspected(image: Digest, **others: Any) -> dict[str, Any]:
    return {
        "Id": str(image),
        "Os": "linux",
        "Architecture": "amd64",
        "Created": "2024-01-02T03:04:05.120Z",
        "Config": {"Cmd": ["/x"], "Env": None},
        "RootFS": {"Type": "layers", "Layers": [str(B)]},
        **others,
    }


@pytest.mark.parametrize(
    ("said", "api"), [("1.41", (1, 41)), ("1.45", (1, 45)), ("1.48", (1, 48)), ("1.52", (1, 48))]
)
def test_the_newest_common_api_is_spoken(said: str, api: tuple[int, int]) -> None:
    assert negotiated({"ApiVersion": said}) == api


def test_an_engine_below_1_41_is_too_old() -> None:
    with pytest.raises(TransferError) as caught:
        negotiated({"ApiVersion": "1.40", "Version": "19.03"})
    assert caught.value.reason is Reason.ENGINE_TOO_OLD
    assert "19.03" in caught.value.message


@pytest.mark.parametrize("answer", [{}, {"ApiVersion": "x"}, {"ApiVersion": None}, []])
def test_another_server_is_a_protocol_error(answer: Any) -> None:
    with pytest.raises(TransferError) as caught:
        negotiated(answer)
    assert caught.value.reason is Reason.PROTOCOL_ERROR


@pytest.mark.parametrize(
    ("status", "store"),
    [
        ([["driver-type", "io.containerd.snapshotter.v1"]], Store.CONTAINERD),
        ([["Backing Filesystem", "extfs"]], Store.CLASSIC),
        (None, Store.CLASSIC),
    ],
    ids=["containerd", "graphdriver", "null"],
)
def test_info_tells_the_store(status: object, store: Store) -> None:
    info = info_of({**INFO, "DriverStatus": status}, (1, 45))
    assert (info.store, info.platform, info.id) == (store, Platform("linux", "amd64"), "AB:CD")


def test_a_lying_info_is_cleaned_or_refused() -> None:
    assert info_of({**INFO, "Name": "a\x1b[31m\u202eb"}, (1, 45)).name == "ab"
    with pytest.raises(TransferError):
        info_of({"ID": "x"}, (1, 45))


def test_the_id_is_the_config_only_on_a_classic_engine() -> None:
    assert content_of(Store.CLASSIC, inspected(A)).config == A
    content = content_of(Store.CONTAINERD, inspected(A))
    assert content.config is None
    assert content.identities == {A}


def test_an_image_without_layers_is_an_image() -> None:
    assert content_of(Store.CLASSIC, inspected(A, RootFS={"Type": "layers"})).diff_ids == ()


@pytest.mark.parametrize(
    "others",
    [{"Id": "x"}, {"Os": None}, {"RootFS": {"Layers": ["x"]}}, {"RootFS": "x"}, {"Config": "x"}],
    ids=["id", "os", "layer", "rootfs", "config"],
)
def test_a_nonsensical_inspect_is_a_protocol_error(others: dict[str, Any]) -> None:
    with pytest.raises(TransferError) as caught:
        content_of(Store.CLASSIC, inspected(A, **others))
    assert caught.value.reason is Reason.PROTOCOL_ERROR


def test_a_view_holds_every_name_and_digest_and_inspects_once() -> None:
    asked: list[Digest] = []

    def inspect(image: Digest) -> dict[str, Any]:
        asked.append(image)
        return inspected(image)

    listed = [
        {
            "Id": str(A),
            "RepoTags": ["demo/x:1", "r:5000/y:2", "<none>:<none>", "Upper/case:1"],
            "RepoDigests": [f"demo/x@{M}", "<none>@<none>"],
            "Size": 7,
        }
    ]
    view = view_of(ENGINE, listed, {}, inspect)
    assert set(view.images) == {Reference.parse("demo/x:1"), Reference.parse("r:5000/y:2")}
    assert set(view.by_digest) == {Reference.parse(f"demo/x@{M}")}
    image = view.images[Reference.parse("demo/x:1")]
    assert (image.id, image.size, asked) == (A, 7, [A])
    # The recorded digest proves the content as well as the ID does.
    assert image.content.identities == {A, M}


def test_what_is_known_is_not_inspected() -> None:
    known = {A: content_of(Store.CLASSIC, inspected(A))}
    listed = [{"Id": str(A), "RepoTags": ["x:1"], "RepoDigests": None, "Size": 1}]
    view = view_of(ENGINE, listed, known, lambda image: pytest.fail(f"inspected {image}"))
    assert view.images[Reference.parse("x:1")].content == known[A]


def test_an_image_that_vanishes_in_between_is_left_out() -> None:
    listed = [{"Id": str(image), "RepoTags": [f"x:{image.short}"]} for image in (A, B)]
    view = view_of(ENGINE, listed, {}, lambda image: None if image == A else inspected(image))
    assert [image.id for image in view.images.values()] == [B]


@pytest.mark.parametrize("listed", [{}, None, ["x"], [{"Id": "x"}], [{"Id": str(A), "Size": "x"}]])
def test_a_nonsensical_list_is_a_protocol_error(listed: object) -> None:
    with pytest.raises(TransferError) as caught:
        view_of(ENGINE, listed, {}, inspected)
    assert caught.value.reason is Reason.PROTOCOL_ERROR


@pytest.mark.parametrize(
    ("store", "api", "asked"),
    [
        (Store.CONTAINERD, (1, 43), True),
        (Store.CONTAINERD, (1, 42), False),
        (Store.CLASSIC, (1, 48), False),
    ],
)
def test_a_containerd_store_that_can_is_asked_for_one_image(
    store: Store, api: tuple[int, int], asked: bool
) -> None:
    assert lists_by_name(replace(ENGINE, store=store, api=api)) is asked


def test_only_the_rows_with_a_name_are_left() -> None:
    name = Reference.parse("nginx:1.25")
    mine, other = {"RepoTags": ["x:1", "nginx:1.25"]}, {"RepoTags": ["nginx:1.26"]}
    assert rows_named([mine, other, {}], name) == [mine]
    assert rows_named("no list", name) == "no list"
    with pytest.raises(TransferError) as caught:
        rows_named(["no row"], name)
    assert caught.value.reason is Reason.PROTOCOL_ERROR


def test_what_many_engines_hold_is_kept_in_memory_once() -> None:
    """A thousand ranges of one lab hold the same few images."""
    row = {"Id": str(A), "RepoTags": ["a.example/b:1"], "RepoDigests": [f"a.example/b@{M}"]}
    views = [view_of(ENGINE, [row], {}, inspected) for _ in range(2)]
    first, second = (view.contents[A] for view in views)
    assert first is second
    assert view_of(ENGINE, [row], views[0].contents, inspected).contents[A] is first
