"""What list, inspect, info and version mean as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from cyroid_images.engine.listing import rows_of
from cyroid_images.engine.view import Inspect, content_of, info_of, negotiated, view_of
from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.engine import EngineInfo, EngineView, ImageStore
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.image import LONGEST_SETUP, ImageContent
from cyroid_images.model.images.platform import Platform
from cyroid_images.model.images.reference import Reference

A, B, M = (Digest("sha256", digit * 64) for digit in "abc")
INFO = {
    "ID": "AB:CD",
    "Name": "dind-0",
    "ServerVersion": "26.1.5",
    "OSType": "linux",
    "Architecture": "x86_64",
    "DriverStatus": [["driver-type", "io.containerd.snapshotter.v1"]],
}
ENGINE = EngineInfo(
    "AB:CD", "dind-0", "26.1.5", (1, 45), ImageStore.CLASSIC, Platform("linux", "amd64")
)


NEWER = replace(ENGINE, version="29.0.0", api=(1, 48), store=ImageStore.CONTAINERD)


def seen(
    listed: object,
    inspect: Inspect,
    known: Mapping[Digest, ImageContent] | None = None,
    info: EngineInfo = ENGINE,
) -> EngineView:
    """What a look makes of this list."""
    return view_of(info, rows_of(info, listed), known or {}, inspect)


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


@pytest.mark.parametrize(("oldest", "api"), [("1.24", (1, 48)), ("1.44", (1, 48)), (None, (1, 48))])
def test_an_engine_that_still_speaks_our_newest_api_is_spoken_to(
    oldest: str | None, api: tuple[int, int]
) -> None:
    assert negotiated({"ApiVersion": "1.56", "MinAPIVersion": oldest}) == api


def test_an_engine_whose_oldest_api_is_newer_than_ours_is_too_new() -> None:
    """Another try helps as little as with one that is too old; another operator does."""
    with pytest.raises(TransferError, match="upgrade the operator") as caught:
        negotiated({"ApiVersion": "1.60", "MinAPIVersion": "1.50", "Version": "31.0.0"})
    assert caught.value.reason is Reason.ENGINE_TOO_NEW
    assert "31.0.0" in caught.value.message


@pytest.mark.parametrize("answer", [{}, {"ApiVersion": "x"}, {"ApiVersion": None}, []])
def test_another_server_is_a_protocol_error(answer: Any) -> None:
    with pytest.raises(TransferError) as caught:
        negotiated(answer)
    assert caught.value.reason is Reason.PROTOCOL_ERROR


@pytest.mark.parametrize(
    ("status", "store"),
    [
        ([["driver-type", "io.containerd.snapshotter.v1"]], ImageStore.CONTAINERD),
        ([["Backing Filesystem", "extfs"]], ImageStore.CLASSIC),
        (None, ImageStore.CLASSIC),
    ],
    ids=["containerd", "graphdriver", "null"],
)
def test_info_tells_the_store(status: object, store: ImageStore) -> None:
    info = info_of({**INFO, "DriverStatus": status}, (1, 45))
    assert (info.store, info.platform, info.id) == (store, Platform("linux", "amd64"), "AB:CD")


def test_a_lying_info_is_cleaned_or_refused() -> None:
    assert info_of({**INFO, "Name": "a\x1b[31m\u202eb"}, (1, 45)).name == "ab"
    with pytest.raises(TransferError):
        info_of({"ID": "x"}, (1, 45))


def test_the_id_is_the_config_only_on_a_classic_engine() -> None:
    assert content_of(ImageStore.CLASSIC, inspected(A)).config == A
    content = content_of(ImageStore.CONTAINERD, inspected(A))
    assert content.config is None
    assert content.identities == {A}


def test_an_image_without_layers_is_an_image() -> None:
    assert content_of(ImageStore.CLASSIC, inspected(A, RootFS={"Type": "layers"})).diff_ids == ()


@pytest.mark.parametrize(
    "others",
    [{"Id": "x"}, {"Os": None}, {"RootFS": {"Layers": ["x"]}}, {"RootFS": "x"}, {"Config": "x"}],
    ids=["id", "os", "layer", "rootfs", "config"],
)
def test_a_nonsensical_inspect_is_a_protocol_error(others: dict[str, Any]) -> None:
    with pytest.raises(TransferError) as caught:
        content_of(ImageStore.CLASSIC, inspected(A, **others))
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
    view = seen(listed, inspect)
    assert set(view.images) == {Reference.parse("demo/x:1"), Reference.parse("r:5000/y:2")}
    assert set(view.by_digest) == {Reference.parse(f"demo/x@{M}")}
    image = view.images[Reference.parse("demo/x:1")]
    assert (image.id, image.size, asked) == (A, 7, [A])
    # The recorded digest proves the content as well as the ID does.
    assert image.content.identities == {A, M}


def test_what_is_known_is_not_inspected() -> None:
    known = {A: content_of(ImageStore.CLASSIC, inspected(A))}
    listed = [{"Id": str(A), "RepoTags": ["x:1"], "RepoDigests": None, "Size": 1}]
    view = seen(listed, lambda image: pytest.fail(f"inspected {image}"), known)
    assert view.images[Reference.parse("x:1")].content == known[A]


def test_an_image_that_vanishes_in_between_is_left_out() -> None:
    listed = [{"Id": str(image), "RepoTags": [f"x:{image.short}"]} for image in (A, B)]
    view = seen(listed, lambda image: None if image == A else inspected(image))
    assert [image.id for image in view.images.values()] == [B]


@pytest.mark.parametrize("listed", [{}, None, ["x"], [{"Id": "x"}], [{"Id": str(A), "Size": "x"}]])
def test_a_nonsensical_list_is_a_protocol_error(listed: object) -> None:
    with pytest.raises(TransferError) as caught:
        seen(listed, inspected)
    assert caught.value.reason is Reason.PROTOCOL_ERROR


def test_what_many_engines_hold_is_kept_in_memory_once() -> None:
    """A thousand ranges of one lab hold the same few images."""
    row = {"Id": str(A), "RepoTags": ["a.example/b:1"], "RepoDigests": [f"a.example/b@{M}"]}
    views = [seen([row], inspected) for _ in range(2)]
    first, second = (view.contents[A] for view in views)
    assert first is second
    assert seen([row], inspected, views[0].contents).contents[A] is first


def half(platform: str = "amd64", *, available: bool) -> dict[str, Any]:
    """A manifest as the list of API 1.47 tells of it."""
    said = {"os": "linux", "architecture": platform}
    return {"Kind": "image", "Available": available, "ImageData": {"Platform": said}}


ATTESTATION = {"Kind": "attestation", "Available": True, "AttestationData": {"For": str(A)}}


@pytest.mark.parametrize(
    ("manifests", "is_whole"),
    [
        ([half(available=True)], True),
        ([half(available=False)], False),
        ([half(available=True), half("arm64", available=False), ATTESTATION], True),
        ([half(available=False), half("arm64", available=True), ATTESTATION], False),
        ([ATTESTATION], False),
        ([{"Kind": "unknown", "Available": True}], False),
        (None, False),
    ],
    ids=[
        "all",
        "a-blob-is-missing",
        "of-an-index",
        "only-another-platform",
        "no-image",
        "odd",
        "none",
    ],
)
def test_an_image_of_which_a_blob_is_missing_is_half_and_not_held(
    manifests: object, is_whole: bool
) -> None:
    """Defect A: Docker 28 lists it without a platform, 29 as if it were whole."""
    row = {"Id": str(A), "RepoTags": ["x:1"], "RepoDigests": [f"x@{M}"], "Manifests": manifests}
    view = seen([row], inspected, info=NEWER)
    names = {Reference.parse("x:1"), Reference.parse(f"x@{M}")}
    assert ({*view.images, *view.by_digest}, set(view.half)) == (
        (names, set()) if is_whole else (set(), names)
    )


def test_what_was_known_of_a_half_image_does_not_make_it_whole() -> None:
    row = {"Id": str(A), "RepoTags": ["x:1"], "Manifests": [half(available=False)]}
    known = {A: content_of(ImageStore.CONTAINERD, inspected(A))}
    assert seen([row], inspected, known, NEWER).images == {}


def test_an_image_without_a_platform_is_half() -> None:
    """Docker 27.0 lists such ones and cannot tell what is available."""
    info = replace(NEWER, api=(1, 46))
    row = {"Id": str(A), "RepoTags": ["x:1"]}
    view = seen([row], lambda image: inspected(image, Os="", Architecture=""), info=info)
    assert view.images == {}
    assert view.half == frozenset({Reference.parse("x:1")})


def test_an_engine_that_changed_its_store_under_one_id_lacks_its_images() -> None:
    """Docker 29's migration: what was there is missing, and that is no error."""
    before = seen([{"Id": str(A), "RepoTags": ["x:1"]}], inspected)
    assert set(before.images) == {Reference.parse("x:1")}
    assert seen([], inspected, before.contents, NEWER).images == {}


def test_what_nobody_can_name_is_not_inspected() -> None:
    """Layers of a build and replaced images: a builder has hundreds."""
    row = {"Id": str(A), "RepoTags": ["<none>:<none>"], "RepoDigests": ["<none>@<none>"]}
    assert seen([row], lambda image: pytest.fail(f"inspected {image}")).listed == ()


def test_a_look_takes_only_so_many_layers_and_so_long_a_setup() -> None:
    """B3: an engine fills no memory of ours, whatever it says."""
    many = {"Layers": [str(B)] * 513}
    with pytest.raises(TransferError) as caught:
        content_of(ImageStore.CLASSIC, inspected(A, RootFS=many))
    assert caught.value.reason is Reason.PROTOCOL_ERROR
    contents = [
        content_of(ImageStore.CLASSIC, inspected(A, Config={"Labels": {"x": "y" * 100_000 + end}}))
        for end in "ab"
    ]
    assert all(len(content.setup) <= LONGEST_SETUP for content in contents)
    assert contents[0].setup != contents[1].setup


def test_a_view_is_amended_by_what_a_later_question_for_names_found() -> None:
    """What was not asked for stays as it was, whatever else the answer names."""
    one, two = Reference.parse("a:1"), Reference.parse("b:1")
    pulled = Reference.parse(f"host:5000/a@{M}")
    listed = [{"Id": str(A), "RepoTags": ["a:1"]}, {"Id": str(B), "RepoDigests": [str(pulled)]}]
    before = replace(seen(listed, inspected), half=frozenset({two}))
    renamed = [{"Id": str(A), "RepoTags": ["a:1", "b:1"]}]
    after = seen(renamed, inspected)
    found = {two: after.images[two], pulled: None}
    amended = before.amended(found)
    assert {name: each.id for name, each in amended.images.items()} == {one: A, two: A}
    assert amended.images[one] is before.images[one]
    assert (amended.by_digest, amended.half) == ({}, frozenset())
    assert before.amended({}) == before
    gone = after.amended({one: None, two: None})
    assert (gone.images, gone.by_digest, gone.half) == ({}, {}, frozenset())
