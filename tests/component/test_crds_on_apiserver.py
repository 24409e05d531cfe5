"""A real API server accepts and refuses what the models do, and shows what they promise.

Every value of the tables is sent as a dry run; nothing of those is stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from cyroid_images.errors import Reason
from cyroid_images.model.fault import Route
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.platform import Platform
from cyroid_images.model.kinds.conditions import (
    ConditionStatus,
    ConditionType,
    Verdict,
    set_conditions,
)
from cyroid_images.model.kinds.range_images import RangeImages
from cyroid_images.model.kinds.status import (
    MOST_FAILURES,
    MOST_IMAGE_STATUSES,
    MOST_TAR_DELIVERIES,
    MOST_TARGETS,
    CacheImageCounts,
    ImageCacheStatus,
    ImageStatus,
    OnDemandCounts,
    RangeImageCounts,
    RangeImagesStatus,
    RangeSummary,
    Status,
    Summary,
    TarDelivery,
    TargetCounts,
    TargetStatus,
    TransferFailure,
)
from tests.parts.apiserver import ApiServerPart
from tests.unit.model.names_table import ACCEPTED, BARE_DIGESTS, REFUSED, SHA256
from tests.unit.model.specs_table import (
    IMAGE_CACHE,
    IMAGE_CACHE_CASES,
    RANGE_IMAGES,
    RANGE_IMAGES_CASES,
    spec_of,
)

pytestmark = pytest.mark.slow

API = "/apis/cyroid.io/v1alpha1"
PATHS = {
    "RangeImages": f"{API}/namespaces/default/rangeimages",
    "ImageCache": f"{API}/imagecaches",
}
NOW = datetime(2026, 5, 1, 12, 30, 15, tzinfo=UTC)


@pytest.fixture(scope="module")
def server(apiserver: ApiServerPart) -> ApiServerPart:
    """The API server with our two kinds."""
    apiserver.install_crds()
    return apiserver


def body_of(kind: str, spec: object, name: str = "crds-test") -> dict[str, Any]:
    return {
        "apiVersion": "cyroid.io/v1alpha1",
        "kind": kind,
        "metadata": {"name": name},
        "spec": spec,
    }


def refusal(server: ApiServerPart, kind: str, spec: object, name: str = "crds-test") -> str | None:
    """Why the API server would not take this object, or None if it would."""
    answer = server.request("POST", f"{PATHS[kind]}?dryRun=All", body_of(kind, spec, name))
    assert answer.status_code in (201, 400, 422), answer.text
    return None if answer.status_code == 201 else str(answer.json()["message"])


def with_image(kind: str, name: str) -> Mapping[str, Any]:
    base = RANGE_IMAGES if kind == "RangeImages" else IMAGE_CACHE
    return {**base, "images": [{"image": name}]}


def taken(server: ApiServerPart, kind: str, names: Iterable[str]) -> set[str]:
    return {name for name in names if refusal(server, kind, with_image(kind, name)) is None}


@pytest.mark.row("H2")
@pytest.mark.parametrize("kind", PATHS)
def test_it_accepts_every_image_name_that_the_parser_accepts(
    server: ApiServerPart, kind: str
) -> None:
    assert set(ACCEPTED) - taken(server, kind, ACCEPTED) == set()


@pytest.mark.row("H2", "H3")
@pytest.mark.parametrize("kind", PATHS)
def test_it_refuses_every_image_name_that_the_parser_refuses(
    server: ApiServerPart, kind: str
) -> None:
    assert taken(server, kind, REFUSED) == set()


@pytest.mark.row("H10")
def test_a_cache_may_hold_a_bare_digest(server: ApiServerPart) -> None:
    assert taken(server, "ImageCache", BARE_DIGESTS) == set(BARE_DIGESTS)


@pytest.mark.row("H10")
def test_a_range_is_told_how_to_write_a_digest(server: ApiServerPart) -> None:
    for name in BARE_DIGESTS:
        said = refusal(server, "RangeImages", with_image("RangeImages", name))
        assert said is not None
        assert "name:tag@sha256" in said


@pytest.mark.row("H1")
@pytest.mark.parametrize(
    ("kind", "base", "cases"),
    [
        ("RangeImages", RANGE_IMAGES, RANGE_IMAGES_CASES),
        ("ImageCache", IMAGE_CACHE, IMAGE_CACHE_CASES),
    ],
    ids=["range-images", "image-cache"],
)
def test_it_agrees_with_the_models_on_every_spec(
    server: ApiServerPart, kind: str, base: Any, cases: Any
) -> None:
    verdicts = {case.about: refusal(server, kind, spec_of(base, case)) for case in cases}
    wrong = {
        case.about: verdicts[case.about]
        for case in cases
        if case.accepted != (verdicts[case.about] is None)
    }
    assert wrong == {}


@pytest.mark.parametrize("kind", PATHS)
def test_a_name_that_is_no_label_value_is_refused(server: ApiServerPart, kind: str) -> None:
    spec = with_image(kind, "nginx")
    assert refusal(server, kind, spec, "n" * 63) is None
    assert "63 characters" in str(refusal(server, kind, spec, "n" * 64))


def test_a_stored_object_reads_back_with_its_defaults(server: ApiServerPart) -> None:
    path = f"{PATHS['RangeImages']}/defaults"
    server.request("DELETE", path)
    stored = server.call(
        "POST", PATHS["RangeImages"], body_of("RangeImages", RANGE_IMAGES, "defaults")
    )
    item = RangeImages.parse(stored)
    bare = RangeImages.parse({**stored, "spec": RANGE_IMAGES})
    assert stored["spec"]["timeouts"] == {"stall": "2m", "total": "1h"}
    assert item.spec == bare.spec
    assert item.status.observed_generation == -1
    assert stored["status"] == {"observedGeneration": -1}
    server.call("DELETE", path)


def conditions_of(*types: ConditionType) -> tuple[Any, ...]:
    verdicts = [
        Verdict(kind, ConditionStatus.TRUE, Reason.IMAGES_MISSING, "m" * 5000) for kind in types
    ]
    return set_conditions((), verdicts, generation=1, now=NOW)


def fullest_range_status() -> RangeImagesStatus:
    """Every field, every list as long and every text as wide as it may be."""
    image, digest, reason = "i" * 512, Digest.parse(SHA256), Reason.TARGET_IDENTITY_MISMATCH
    uids = [f"{number:036}" for number in range(MOST_TAR_DELIVERIES)]
    return RangeImagesStatus(
        observed_generation=1,
        last_handled_reconcile_at="t" * 128,
        summary=RangeSummary(images="127/128", targets="63/64"),
        images=RangeImageCounts(desired=128, present=127, failed=1, via_tar=64),
        targets=TargetCounts(matched=64, ready=63),
        target_statuses=tuple(
            TargetStatus(pod="p" * 253, uid=uid, engine="e" * 128, reason=reason, message="m" * 999)
            for uid in uids[:MOST_TARGETS]
        ),
        targets_omitted=32,
        tar_deliveries=tuple(
            TarDelivery(
                image=image, uid=uid, digest=digest, layers="f" * 8, reason=reason, time=NOW
            )
            for uid in uids
        ),
        tar_deliveries_omitted=1,
        failures=tuple(
            TransferFailure(
                image=image,
                pod="p" * 253,
                route=Route.TAR,
                reason=reason,
                message="\u00e4" * 999,
                attempts=3,
                next_attempt_time=NOW,
            )
            for _ in range(MOST_FAILURES)
        ),
        failures_omitted=1,
        conditions=conditions_of(
            *(kind for kind in ConditionType if kind != ConditionType.SOURCE_AVAILABLE)
        ),
    )


def fullest_cache_status() -> ImageCacheStatus:
    """Every field, and as many images as there can be."""
    row = ImageStatus(
        image="i" * 512,
        platform=Platform.parse("linux/arm/v7"),
        repository="r" * 200,
        digest=Digest.parse(SHA256),
        size_bytes=2**40,
        source="s" * 63,
        reason=Reason.IMAGE_NOT_FOUND,
        message="m" * 999,
    )
    return ImageCacheStatus(
        observed_generation=1,
        summary=Summary(images="0/128"),
        images=CacheImageCounts(desired=128, cached=0, failed=128),
        stored_bytes=2**45,
        image_statuses=(row,) * MOST_IMAGE_STATUSES,
        images_omitted=5,
        on_demand=OnDemandCounts(wanted=5, missing=5),
        digests={f"r.example/{number}:1 linux/arm64": Digest.of(b"x") for number in range(2000)},
        conditions=conditions_of(ConditionType.READY, ConditionType.SOURCE_AVAILABLE),
    )


@pytest.mark.row("K8")
@pytest.mark.parametrize(
    ("kind", "status"),
    [("RangeImages", fullest_range_status()), ("ImageCache", fullest_cache_status())],
    ids=["range-images", "image-cache"],
)
def test_the_fullest_status_is_taken_and_nothing_of_it_is_lost(
    server: ApiServerPart, kind: str, status: Status
) -> None:
    path = f"{PATHS[kind]}/fullest"
    server.request("DELETE", path)
    server.call("POST", PATHS[kind], body_of(kind, with_image(kind, "nginx"), "fullest"))
    applied = server.call(
        "PATCH",
        f"{path}/status?fieldManager=tests&force=true&fieldValidation=Strict",
        {
            "apiVersion": "cyroid.io/v1alpha1",
            "kind": kind,
            "metadata": {"name": "fullest"},
            "status": status.to_document(),
        },
        content_type="application/apply-patch+yaml",
    )
    assert applied["status"] == status.to_document()
    server.call("DELETE", path)


def test_the_columns_tell_the_story(server: ApiServerPart) -> None:
    for kind, words, more in (
        ("rimg", ["NAME", "READY", "IMAGES", "TARGETS", "FALLBACK", "REASON", "AGE"], ["FAILED"]),
        ("cic", ["NAME", "READY", "IMAGES", "REGISTRY", "REASON", "AGE"], ["ON-DEMAND", "MISSING"]),
    ):
        long = "RangeImages" if kind == "rimg" else "ImageCache"
        name = f"columns-{kind}"
        server.request("DELETE", f"{PATHS[long]}/{name}")
        server.call("POST", PATHS[long], body_of(long, with_image(long, "nginx"), name))
        plain = server.kubectl("get", kind, name, "-n", "default").stdout.splitlines()[0]
        wide = server.kubectl("get", kind, name, "-n", "default", "-o", "wide").stdout
        assert plain.split() == words
        assert wide.splitlines()[0].split() == [*words, *more, "MESSAGE"]
        server.call("DELETE", f"{PATHS[long]}/{name}")


def test_both_kinds_are_in_our_category(server: ApiServerPart) -> None:
    said = server.kubectl("api-resources", "--categories=cyroid", "-o", "name").stdout.split()
    assert sorted(said) == ["imagecaches.cyroid.io", "rangeimages.cyroid.io"]


def test_explain_describes_a_field(server: ApiServerPart) -> None:
    said = server.kubectl("explain", "rimg.spec.timeouts.stall").stdout
    assert "Longest time without a single byte" in said
