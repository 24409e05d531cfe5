"""What the plans of both kinds decide and tell of a case, without the shell of their passes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from cyroid_images.errors import Reason
from cyroid_images.model.actions import CacheStep, Step
from cyroid_images.model.engine import EngineView
from cyroid_images.model.fault import Fault
from cyroid_images.model.kinds.range_images import Delivery
from cyroid_images.model.knowledge import CacheView, ImageRecord
from cyroid_images.model.observed import CacheSeen, RangeDone, RangeSeen, SourceSeen, TargetSeen
from cyroid_images.plan import delivery
from cyroid_images.plan.cache import anchored, know, plan_image
from cyroid_images.plan.delivery import Delivered
from cyroid_images.plan.gate import holds_all
from cyroid_images.plan.status import cache_report, range_report
from tests.unit.plan.examples import (
    NOW,
    REGISTRY,
    cache_item,
    cache_seen,
    content,
    range_item,
    source_seen,
    stored,
    target,
    view,
    wish,
)
from tests.unit.plan.unknown_cases import Anchor, Case, Engine, Registry, Source, Stored

Document = dict[str, Any]
NAME = "nginx:1.25"
NOT_YET = Fault(Reason.PROGRESSING, "not looked at yet")
AWAY = Fault(Reason.REGISTRY_UNREACHABLE, "connection refused")
BROKEN = Fault(Reason.SERVER_ERROR, "500 with an empty body")
REFUSED = Fault(Reason.UNAUTHORIZED, "401: wrong password")
DISTRUSTED = Fault(Reason.TLS_REJECTED, "unknown authority")
SILENT = Fault(Reason.ENGINE_UNREACHABLE, "connection refused")
_FAULTS = {Registry.AWAY: AWAY, Registry.REFUSES: REFUSED}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is decided and told of a case."""

    fill: CacheStep
    known: ImageRecord
    steps: tuple[Step, ...]
    gate: bool | None
    range: Document
    cache: Document


@dataclass(frozen=True, slots=True)
class _CacheSide:
    """What decides the cache's part of a case."""

    registry: Registry
    source: Source
    stored: Stored
    anchor: Anchor
    policy: str
    was_ready: bool


def outcome(case: Case) -> Outcome:
    """As the passes of both kinds come to it, without their shell."""
    side = _CacheSide(
        case.registry, case.source, case.stored, case.anchor, case.policy, case.was_ready
    )
    fill, known, told = _of_cache(side)
    steps, gate, status = _of_range(case.registry, known, case.engine, case.was_ready)
    return Outcome(fill, known, steps, gate, status, told)


@cache
def _of_cache(side: _CacheSide) -> tuple[CacheStep, ImageRecord, Document]:
    seen = _cache_seen(side)
    digest = anchored(wish(), seen)
    if digest is not None:
        seen = replace(seen, anchors={wish(): digest})
    step = plan_image(wish(), seen, REGISTRY)
    status = cache_report.report(seen, [step], ())
    return step, know(wish(), seen), status.to_document()


@cache
def _of_range(
    registry: Registry, known: ImageRecord, engine: Engine, was_ready: bool
) -> tuple[tuple[Step, ...], bool | None, Document]:
    seen = _range_seen(registry, known, engine, was_ready)
    (each,) = seen.targets
    steps = _steps(seen, each)
    status = range_report.report(seen, RangeDone({each.target.uid: steps}, (), (), {}))
    return steps, holds_all(each, steps), status.to_document()


def _cache_seen(side: _CacheSide) -> CacheSeen:
    lookup = {
        Registry.SEEN: NOT_YET if side.stored is Stored.UNKNOWN else None,
        Registry.AWAY: AWAY,
        Registry.BROKEN: BROKEN,
        Registry.REFUSES: REFUSED,
        Registry.NOT_ASKED: NOT_YET,
    }[side.registry]
    word = {Stored.ONE: "one", Stored.TWO: "two"}.get(side.stored)
    anchor = {Anchor.ONE: "one", Anchor.TWO: "two"}.get(side.anchor)
    status = _cached() if side.was_ready else None
    return cache_seen(
        cache_item(NAME, status=status, refresh={"policy": side.policy}),
        sources=_sources(side.source),
        registry={**_FAULTS, Registry.NOT_ASKED: NOT_YET}.get(side.registry),
        write=BROKEN if side.registry is Registry.BROKEN else None,
        stored={wish(): stored(word)} if word else {},
        lookups={wish(): lookup} if lookup else {},
        anchors={wish(): stored(anchor).manifest.digest} if anchor else {},
    )


def _sources(source: Source) -> tuple[SourceSeen, ...]:
    shows: dict[Source, EngineView | Fault] = {
        Source.HAS: view({NAME: content("one")}),
        Source.MOVED: view({NAME: content("two")}),
        Source.LACKS: view(),
        Source.AWAY: SILENT,
        Source.REFUSES: DISTRUSTED,
        Source.NOT_LOOKED: NOT_YET,
    }
    return (source_seen(shows[source]),) if source in shows else ()


def _range_seen(
    registry: Registry, known: ImageRecord, engine: Engine, was_ready: bool
) -> RangeSeen:
    shown = {
        Engine.HOLDS: TargetSeen(target(), view({NAME: content("one")})),
        Engine.OTHER: TargetSeen(target(), view({NAME: content("two")})),
        Engine.LACKS: TargetSeen(target(), view()),
        Engine.AWAY: TargetSeen(target(), fault=SILENT),
        Engine.NOT_LOOKED: TargetSeen(target(), fault=NOT_YET),
    }[engine]
    told = CacheView(
        "127.0.0.1:5000",
        looked=registry is not Registry.NOT_ASKED,
        registry=_FAULTS.get(registry),
        endpoint=REGISTRY if registry in (Registry.SEEN, Registry.BROKEN) else None,
        images={wish(): known},
    )
    item = range_item(NAME, status=_present() if was_ready else None)
    return RangeSeen(item, (shown,), told, None, {}, NOW)


def _steps(seen: RangeSeen, each: TargetSeen) -> tuple[Step, ...]:
    if each.view is None or seen.cache is None:
        return ()
    given = Delivered(each.target, each.view, seen.cache, Delivery.REGISTRY_THEN_TAR, {}, NOW)
    return tuple(delivery.plan_image(wished, given) for wished in seen.wishes)


@cache
def _cached() -> Document:
    """The status of a cache that had everything."""
    side = _CacheSide(Registry.SEEN, Source.HAS, Stored.ONE, Anchor.ONE, "Track", was_ready=False)
    *_, status = _of_cache(side)
    return status


@cache
def _present() -> Document:
    """The status of a range that had everything."""
    *_, status = _of_range(Registry.SEEN, _whole(), Engine.HOLDS, was_ready=False)
    return status


def _whole() -> ImageRecord:
    return ImageRecord(content("one"), stored("one"))
