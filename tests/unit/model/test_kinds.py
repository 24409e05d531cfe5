"""Both kinds, read from what the API server gives; the tables are those it is tried on too."""

from __future__ import annotations

from typing import Any

import pytest

from cyroid_images.errors import CyroidError, InvalidReference, InvalidSpec, Reason
from cyroid_images.model.images.reference import Reference
from cyroid_images.model.kinds.image_cache import ImageCache
from cyroid_images.model.kinds.range_images import Delivery, RangeImages
from cyroid_images.model.pod import Pod
from tests.unit.model.names_table import ACCEPTED, BARE_DIGESTS, REFUSED, SHA256
from tests.unit.model.specs_table import (
    IMAGE_CACHE,
    IMAGE_CACHE_CASES,
    RANGE_IMAGES,
    RANGE_IMAGES_CASES,
    Case,
    spec_of,
)

METADATA: dict[str, Any] = {
    "name": "red-team-42",
    "namespace": "ranges",
    "uid": "u1",
    "generation": 3,
    "resourceVersion": "100",
    "creationTimestamp": "2026-05-01T12:00:00Z",
    "managedFields": [],
}


def range_images(spec: Any = RANGE_IMAGES, **metadata: Any) -> RangeImages:
    return RangeImages.parse({"metadata": {**METADATA, **metadata}, "spec": spec})


def image_cache(spec: Any = IMAGE_CACHE, **metadata: Any) -> ImageCache:
    return ImageCache.parse({"metadata": {**METADATA, **metadata}, "spec": spec})


def ranging(*names: str) -> RangeImages:
    return range_images({**RANGE_IMAGES, "images": [{"image": name} for name in names]})


def caching(*names: str) -> ImageCache:
    return image_cache({**IMAGE_CACHE, "images": [{"image": name} for name in names]})


@pytest.mark.parametrize("case", RANGE_IMAGES_CASES, ids=lambda case: str(case.about)[:60])
def test_range_images_accept_and_refuse(case: Case) -> None:
    assert is_taken(range_images, spec_of(RANGE_IMAGES, case)) is case.accepted


@pytest.mark.parametrize("case", IMAGE_CACHE_CASES, ids=lambda case: str(case.about)[:60])
def test_an_image_cache_accepts_and_refuses(case: Case) -> None:
    assert is_taken(image_cache, spec_of(IMAGE_CACHE, case)) is case.accepted


def is_taken(parse: Any, spec: Any) -> bool:
    try:
        parse(spec)
    except CyroidError:
        return False
    return True


def test_every_name_of_the_table_is_accepted_and_parsed() -> None:
    for name in ACCEPTED:
        for item in (ranging(name), caching(name)):
            assert item.spec.images[0].reference == Reference.parse(name)


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_reference_names_its_place(name: str) -> None:
    for parse in (ranging, caching):
        with pytest.raises(InvalidReference, match=r"^spec\.images\[1\]: "):
            parse("nginx", name)


@pytest.mark.parametrize("name", BARE_DIGESTS)
def test_a_bare_digest_serves_a_cache_but_no_range(name: str) -> None:
    assert caching(name).spec.images[0].reference.tag is None
    with pytest.raises(InvalidSpec, match="write name:tag@sha256") as refused:
        ranging(name)
    assert refused.value.reason == Reason.TAG_REQUIRED


def test_defaults_are_those_of_the_api() -> None:
    spec = range_images().spec
    assert (spec.interval, spec.timeouts.stall, spec.timeouts.total) == (300, 120, 3600)
    assert spec.delivery == Delivery.REGISTRY_THEN_TAR
    assert (spec.image_cache_ref.name, spec.suspend) == ("default", False)
    assert image_cache().spec.refresh.interval == 600


@pytest.mark.parametrize(
    ("docker", "port", "server_name"),
    [
        ({}, 2376, "dind"),
        ({"serverName": "engine", "port": 5}, 5, "engine"),
        ({"insecure": True}, 2375, None),
        ({"insecure": True, "port": 5}, 5, None),
    ],
)
def test_an_engine_is_reached_by_tls_unless_it_is_written_out(
    docker: Any, port: int, server_name: str | None
) -> None:
    spec = {**RANGE_IMAGES, "targets": {**RANGE_IMAGES["targets"], "docker": docker}}
    access = range_images(spec).spec.targets.docker
    assert (access.effective_port, access.effective_server_name) == (port, server_name)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"interval": "0s"}, "spec.interval: "),
        ({"timeouts": {"stall": "2h"}}, "spec.timeouts: stall must be shorter than total"),
        ({"targets": {"selector": {}}}, "spec.targets.selector: an empty selector would match"),
        ({"images": [{"image": "a"}] * 2}, "spec.images: two items have the same image"),
        ({"images": None}, "spec.images: Field required"),
    ],
)
def test_a_broken_rule_names_field_and_rule(changes: Any, message: str) -> None:
    with pytest.raises(InvalidSpec) as refused:
        range_images({**RANGE_IMAGES, **changes})
    assert str(refused.value).startswith(message)
    assert refused.value.reason == Reason.INVALID_SPEC


def test_no_secret_of_a_wrong_spec_is_repeated() -> None:
    spec = {"registry": {"pushURL": "https://me:s3cret@x", "pullHost": "a.b"}}
    with pytest.raises(InvalidSpec) as refused:
        image_cache(spec)
    shown = f"{refused.value!r} {refused.value.__cause__!r}"
    assert "s3cret" not in shown
    assert refused.value.__suppress_context__ or refused.value.__context__ is None


def test_a_spec_or_metadata_that_is_missing_is_refused() -> None:
    for body in ({"metadata": METADATA}, {"spec": RANGE_IMAGES}, {}):
        with pytest.raises(InvalidSpec):
            RangeImages.parse(body)


def test_a_name_of_64_characters_is_refused() -> None:
    assert range_images(name="n" * 63).metadata.name == "n" * 63
    with pytest.raises(InvalidSpec, match=r"^metadata\.name"):
        range_images(name="n" * 64)


def test_an_odd_status_never_blocks_work() -> None:
    body = {"metadata": METADATA, "spec": RANGE_IMAGES, "status": {"conditions": "odd"}}
    assert RangeImages.parse(body).status.conditions == ()


def test_the_token_of_a_manual_pass_is_the_annotation() -> None:
    asking = range_images(annotations={"cyroid.io/reconcile-at": "now-1"})
    assert asking.metadata.reconcile_at == "now-1"
    assert range_images().metadata.reconcile_at is None
    long = range_images(annotations={"cyroid.io/reconcile-at": "x" * 500}).metadata.reconcile_at
    assert long is not None
    assert len(long) == 128


def test_only_a_new_spec_a_new_object_or_a_new_token_asks_for_work() -> None:
    item = range_images()
    assert item.asks_the_same(range_images(resourceVersion="101", labels={"a": "b"}))
    assert not item.asks_the_same(range_images(generation=4))
    assert not item.asks_the_same(range_images(uid="u2"))
    assert not item.asks_the_same(range_images(annotations={"cyroid.io/reconcile-at": "1"}))
    assert image_cache().asks_the_same(image_cache(resourceVersion="101"))


def test_our_own_write_changes_the_version_only() -> None:
    written = range_images().at_version("101")
    assert written == range_images(resourceVersion="101")
    assert image_cache().at_version("101") == image_cache(resourceVersion="101")


def test_a_pod_of_another_namespace_is_never_selected() -> None:
    pod = Pod("p", "ranges", "dind", {"cyroid.io/range-id": "42"}, "10.0.0.1", False, False, ())
    elsewhere = Pod("q", "other", "dind", pod.labels, "10.0.0.2", False, False, ())
    item = range_images()
    assert item.selects(pod)
    assert not item.selects(elsewhere)
    assert item.cache_name == "default"


def test_a_reference_with_tag_and_digest_keeps_both() -> None:
    (wish,) = ranging(f"nginx:1@{SHA256}").spec.images
    assert (wish.reference.tag, str(wish.reference.digest)) == ("1", SHA256)


def test_a_repeated_spec_is_an_equal_value() -> None:
    assert range_images().spec == range_images().spec
    assert range_images() != ranging("other")
