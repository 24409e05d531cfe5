"""The ladder of delivery, rung by rung: what is seen, and the step that follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from cyroid_images.errors import Reason
from cyroid_images.model.actions import Load, Present, Pull, Wait
from cyroid_images.model.engine import EngineView
from cyroid_images.model.fault import Failure, Fault, Route
from cyroid_images.model.images.image import ImageContent
from cyroid_images.model.kinds.range_images import Delivery
from cyroid_images.model.knowledge import HeldByCache, HeldByEngine, ImageRecord, Wish
from cyroid_images.plan.backoff import REGISTRY_AGAIN
from cyroid_images.plan.delivery import Delivered, plan_image
from tests.unit.plan.examples import (
    AMD64,
    ARM64,
    NOW,
    REGISTRY,
    ZSTD,
    cache_view,
    content,
    failure,
    fault,
    info,
    source,
    stored,
    target,
    view,
    wish,
)

ASKED = wish()
CACHED = ImageRecord(content(), stored(), source())
ONLY_IN_SOURCE = ImageRecord(content(), None, source())
ONLY_IN_REGISTRY = ImageRecord(content(), stored(), None)
ZSTD_CACHED = ImageRecord(content(), stored(layer=ZSTD), source())
OLD = view(about=info(api=(1, 41)))
HELD = view({"nginx:1.25": content()})
EARLIER = -1.0
"""A failure whose pause is over since one second."""

FAILURES = Mapping[tuple[Wish, Route], Failure]


def push_failed(reason: Reason, attempts: int = 3) -> ImageRecord:
    return replace(ONLY_IN_SOURCE, failure=failure(reason, attempts))


def pulled(reason: Reason, attempts: int, due: float = EARLIER) -> FAILURES:
    return {(ASKED, Route.REGISTRY): failure(reason, attempts, due=due)}


def loaded(reason: Reason, attempts: int, due: float = EARLIER) -> FAILURES:
    return {(ASKED, Route.TAR): failure(reason, attempts, due=due)}


@dataclass(frozen=True, slots=True)
class Case:
    """What is seen, and the step with its reason (of a wait or a load)."""

    step: type[Present | Wait | Pull | Load]
    reason: Reason | None = None
    known: ImageRecord = CACHED
    shown: EngineView = field(default_factory=view)
    registry: Fault | None = None
    delivery: Delivery = Delivery.REGISTRY_THEN_TAR
    failures: FAILURES = field(default_factory=dict)


R = Reason
AWAY = fault(R.REGISTRY_UNREACHABLE)
TAR_ONLY, REGISTRY_ONLY = Delivery.TAR_ONLY, Delivery.REGISTRY_ONLY

CASES = {
    "nothing-known-yet": Case(Wait, R.PROGRESSING, known=ImageRecord()),
    "no-source-has-it": Case(
        Wait, R.IMAGE_NOT_FOUND, known=ImageRecord(fault=fault(R.IMAGE_NOT_FOUND))
    ),
    "there-by-digest": Case(Present, shown=HELD),
    "there-while-the-registry-is-away": Case(Present, shown=HELD, registry=AWAY),
    "there-with-delivery-tar-only": Case(Present, shown=HELD, delivery=TAR_ONLY),
    "another-content-under-the-name": Case(Pull, shown=view({"nginx:1.25": content("two")})),
    "the-content-under-another-name": Case(Pull, shown=view({"nginx:1.26": content()})),
    "cached-so-pull": Case(Pull),
    "cached-without-a-source-so-pull": Case(Pull, known=ONLY_IN_REGISTRY),
    "not-cached-yet-so-wait": Case(Wait, R.PROGRESSING, known=ONLY_IN_SOURCE),
    "registry-away-so-load": Case(Load, R.REGISTRY_UNREACHABLE, registry=AWAY),
    "registry-away-before-the-push-so-load": Case(
        Load, R.REGISTRY_UNREACHABLE, registry=AWAY, known=ONLY_IN_SOURCE
    ),
    "registry-only-waits-for-the-push": Case(
        Wait, R.PUSH_FAILED, known=push_failed(R.PUSH_FAILED, 9), delivery=REGISTRY_ONLY
    ),
    "registry-only-pulls-whatever-failed": Case(
        Pull, failures=pulled(R.PULL_FAILED, 9), delivery=REGISTRY_ONLY
    ),
    "registry-only-waits-for-the-registry": Case(
        Wait, R.REGISTRY_UNREACHABLE, registry=AWAY, known=ONLY_IN_SOURCE, delivery=REGISTRY_ONLY
    ),
    "registry-only-waits-for-a-cache-that-nobody-lets-in": Case(
        Wait, R.CACHE_NOT_READY, known=push_failed(R.UNAUTHORIZED, 1), delivery=REGISTRY_ONLY
    ),
    "registry-only-waits-for-a-cache-that-refuses-the-operator": Case(
        Wait,
        R.CACHE_NOT_READY,
        registry=fault(R.UNAUTHORIZED),
        known=ONLY_IN_SOURCE,
        delivery=REGISTRY_ONLY,
    ),
    "registry-only-waits-for-a-cache-that-keeps-nothing": Case(
        Wait, R.CACHE_NOT_READY, known=push_failed(R.PUSH_NOT_DURABLE, 2), delivery=REGISTRY_ONLY
    ),
    "tar-only-never-pulls": Case(Load, R.FORCED_BY_SPEC, delivery=TAR_ONLY),
    "tar-only-without-a-source": Case(
        Wait, R.SOURCE_UNREACHABLE, known=ONLY_IN_REGISTRY, delivery=TAR_ONLY
    ),
    "no-source-for-the-tar": Case(
        Wait, R.REGISTRY_UNREACHABLE, registry=AWAY, known=ONLY_IN_REGISTRY
    ),
    "writes-refused-but-stored-so-pull": Case(Pull, registry=fault(R.REGISTRY_FULL)),
    "writes-refused-and-not-stored-so-load": Case(
        Load, R.REGISTRY_READ_ONLY, registry=fault(R.REGISTRY_READ_ONLY), known=ONLY_IN_SOURCE
    ),
    "push-failed-once-so-wait": Case(
        Wait, R.SERVER_ERROR, known=push_failed(R.SERVER_ERROR, 1)
    ),
    "push-failed-three-times-so-load": Case(
        Load, R.SERVER_ERROR, known=push_failed(R.SERVER_ERROR, 3)
    ),
    "push-unauthorized-so-load-at-once": Case(
        Load, R.UNAUTHORIZED, known=push_failed(R.UNAUTHORIZED, 1)
    ),
    "push-full-so-load-at-once": Case(
        Load, R.REGISTRY_FULL, known=push_failed(R.REGISTRY_FULL, 1)
    ),
    "push-not-durable-is-repaired-once": Case(
        Wait, R.PUSH_NOT_DURABLE, known=push_failed(R.PUSH_NOT_DURABLE, 1)
    ),
    "push-not-durable-twice-so-load": Case(
        Load, R.PUSH_NOT_DURABLE, known=push_failed(R.PUSH_NOT_DURABLE, 2)
    ),
    "an-old-push-failure-of-what-is-stored": Case(
        Pull, known=replace(CACHED, failure=failure(R.SERVER_ERROR, 9))
    ),
    "gzip-for-an-old-engine": Case(Pull, shown=OLD),
    "zstd-for-an-old-engine": Case(
        Load, R.COMPRESSION_UNSUPPORTED, known=ZSTD_CACHED, shown=OLD
    ),
    "zstd-for-a-new-engine": Case(Pull, known=ZSTD_CACHED),
    "pull-failed-and-is-not-due": Case(
        Wait, R.PULL_FAILED, failures=pulled(R.PULL_FAILED, 1, due=5)
    ),
    "pull-failed-once": Case(Pull, failures=pulled(R.PULL_FAILED, 1)),
    "pull-failed-twice": Case(Pull, failures=pulled(R.PULL_FAILED, 2)),
    "pull-failed-three-times": Case(Load, R.PULL_FAILED, failures=pulled(R.PULL_FAILED, 3)),
    "engine-cannot-reach-it-once": Case(
        Pull, failures=pulled(R.REGISTRY_UNREACHABLE_FROM_TARGET, 1)
    ),
    "engine-cannot-reach-it-twice": Case(
        Load,
        R.REGISTRY_UNREACHABLE_FROM_TARGET,
        failures=pulled(R.REGISTRY_UNREACHABLE_FROM_TARGET, 2),
    ),
    "engine-does-not-trust-it": Case(
        Load, R.REGISTRY_NOT_TRUSTED, failures=pulled(R.REGISTRY_NOT_TRUSTED, 1, due=600)
    ),
    "engine-is-full-so-no-tar": Case(
        Wait, R.INSUFFICIENT_STORAGE, failures=pulled(R.INSUFFICIENT_STORAGE, 9, due=5)
    ),
    "damaged-blob-is-pushed-again-first": Case(
        Pull, failures=pulled(R.DIGEST_MISMATCH, 1)
    ),
    "damaged-blob-twice": Case(Load, R.DIGEST_MISMATCH, failures=pulled(R.DIGEST_MISMATCH, 2)),
    "gave-up-long-ago-so-another-chance": Case(
        Pull, failures=pulled(R.PULL_FAILED, 9, due=-REGISTRY_AGAIN.total_seconds())
    ),
    "gave-up-nearly-as-long-ago": Case(
        Load,
        R.PULL_FAILED,
        failures=pulled(R.PULL_FAILED, 9, due=1 - REGISTRY_AGAIN.total_seconds()),
    ),
    "load-failed-and-is-not-due": Case(
        Wait, R.LOAD_FAILED, registry=AWAY, failures=loaded(R.LOAD_FAILED, 1, due=5)
    ),
    "load-failed-and-is-due": Case(
        Load, R.REGISTRY_UNREACHABLE, registry=AWAY, failures=loaded(R.LOAD_FAILED, 1)
    ),
    "a-failed-load-does-not-stop-a-pull": Case(Pull, failures=loaded(R.LOAD_FAILED, 9, due=5)),
}  # fmt: skip


def given(case: Case) -> Delivered:
    cache = cache_view({ASKED: case.known}, case.registry)
    return Delivered(target(), case.shown, cache, case.delivery, case.failures, NOW)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_each_rung(case: Case) -> None:
    step = plan_image(ASKED, given(case))
    assert isinstance(step, case.step), step
    if isinstance(step, Wait):
        assert step.fault.reason is case.reason
    if isinstance(step, Load):
        assert step.because.reason is case.reason


def test_a_pull_goes_by_digest_through_the_host_that_engines_use() -> None:
    step = plan_image(ASKED, given(Case(Pull)))
    assert isinstance(step, Pull)
    manifest = stored().manifest.digest
    assert str(step.transport) == f"127.0.0.1:5000/docker.io/library/nginx@{manifest}"


@pytest.mark.parametrize(
    ("delivery", "step"), [(Delivery.REGISTRY_THEN_TAR, Wait), (Delivery.TAR_ONLY, Load)]
)
def test_a_tar_waits_for_the_answer_of_a_registry_that_may_give_it(
    delivery: Delivery, step: type[Wait | Load]
) -> None:
    """Else an operator that was restarted would bring the same image from another giver."""
    given = Delivered(
        target=target(),
        view=view(),
        cache=cache_view({ASKED: replace(ONLY_IN_SOURCE, is_asked=True)}),
        delivery=delivery,
        failures=pulled(Reason.REGISTRY_NOT_TRUSTED, 1),
        now=NOW,
    )
    assert isinstance(plan_image(ASKED, given), step)


def test_a_wait_for_a_tar_says_that_no_source_gives_one() -> None:
    step = plan_image(ASKED, given(CASES["no-source-for-the-tar"]))
    assert isinstance(step, Wait)
    assert step.fault.message == "why; no source can give nginx:1.25 as a tar either"


def test_a_forced_tar_that_no_source_gives_waits_for_a_source() -> None:
    step = plan_image(ASKED, given(CASES["tar-only-without-a-source"]))
    assert isinstance(step, Wait)
    assert step.fault.message == "delivery is TarOnly, and no source can give nginx:1.25 as a tar"


def planned_on(platform_of_source: ImageContent, cache: Mapping[Wish, ImageRecord]) -> object:
    known = ImageRecord(platform_of_source, None, source("arm", ARM64))
    seen = Delivered(
        target(), view(), cache_view({ASKED: known, **cache}), Delivery.REGISTRY_THEN_TAR, {}, NOW
    )
    return plan_image(ASKED, seen)


def test_an_engine_of_another_platform_is_given_its_own() -> None:
    asked_for = {wish(platform=AMD64): CACHED}
    step = planned_on(content("arm", ARM64), asked_for)
    assert isinstance(step, Pull)
    assert step.stored.content.platform == AMD64


def test_a_foreign_platform_is_never_delivered_silently() -> None:
    step = planned_on(content("arm", ARM64), {})
    assert isinstance(step, Wait)
    assert step.fault.reason is Reason.PROGRESSING


def test_a_wish_that_names_a_platform_gets_it_on_every_engine() -> None:
    asked = wish(platform=ARM64)
    known = ImageRecord(content("arm", ARM64), stored("arm", platform=ARM64), None)
    seen = Delivered(
        target(), view(), cache_view({asked: known}), Delivery.REGISTRY_THEN_TAR, {}, NOW
    )
    assert isinstance(plan_image(asked, seen), Pull)


def test_another_chance_that_fails_is_left_alone_again() -> None:
    tried = Failure(fault(Reason.PULL_FAILED), 10, NOW + timedelta(minutes=5))
    step = plan_image(ASKED, given(Case(Load, failures={(ASKED, Route.REGISTRY): tried})))
    assert isinstance(step, Load)


GIVERS = {
    "engine-cannot-reach-it": (Case(Load, failures=pulled(R.REGISTRY_NOT_TRUSTED, 1)), HeldByCache),
    "registry-full-and-stored": (
        Case(Load, registry=fault(R.REGISTRY_FULL), failures=pulled(R.PULL_FAILED, 3)), HeldByCache,
    ),
    "registry-away": (Case(Load, registry=AWAY), HeldByEngine),
    "tar-only": (Case(Load, delivery=TAR_ONLY), HeldByEngine),
    "blob-in-doubt": (Case(Load, failures=pulled(R.DIGEST_MISMATCH, 2)), HeldByEngine),
    "layers-that-the-engine-cannot-read": (
        Case(Load, known=ZSTD_CACHED, shown=OLD), HeldByEngine,
    ),
    "no-source-but-stored": (
        Case(Load, known=ONLY_IN_REGISTRY, failures=pulled(R.REGISTRY_NOT_TRUSTED, 1)), HeldByCache,
    ),
    "the-first-giver-failed": (
        Case(
            Load, failures={**pulled(R.REGISTRY_NOT_TRUSTED, 1), **loaded(R.LOAD_FAILED, 1)}
        ), HeldByEngine,
    ),
    "both-failed-once": (
        Case(
            Load, failures={**pulled(R.REGISTRY_NOT_TRUSTED, 1), **loaded(R.LOAD_FAILED, 2)}
        ), HeldByCache,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("case", "giver"), GIVERS.values(), ids=GIVERS)
def test_who_gives_the_tar(case: Case, giver: type) -> None:
    seen = given(case)
    step = plan_image(ASKED, replace(seen, cache=replace(seen.cache, endpoint=REGISTRY)))
    assert isinstance(step, Load)
    assert isinstance(step.source, giver)
