"""What the loop tells whoever counts, and what a scrape sees of its world."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from cyroid_images.errors import Reason, TransferError
from cyroid_images.metrics import Metrics
from cyroid_images.model.actions import Copy, Load, Pull, Push
from cyroid_images.reconcile.gauges import gauges
from cyroid_images.reconcile.ranges.range_state import LASTING
from cyroid_images.store.keys import Kind
from tests.unit.plan.examples import view
from tests.unit.reconcile.clock import until
from tests.unit.reconcile.stage import CACHE, DIND, RANGE, READY, Stage, a_range, tried

Scenario = Callable[[Stage], Coroutine[Any, Any, None]]


def measured(scenario: Scenario) -> dict[str, float]:
    """Every sample after the scenario by its line without the prefix; the loop counted."""
    metrics = Metrics("1")
    found: dict[str, float] = {}

    async def whole(stage: Stage) -> None:
        metrics.show(lambda: gauges(stage.parts))
        await scenario(stage)
        found.update(samples(metrics))

    tried(whole, partial(Stage, measures=metrics))
    return found


def samples(metrics: Metrics) -> dict[str, float]:
    lines = metrics.exposition()[0].decode().splitlines()
    pairs = [line.removeprefix("cyroid_").rsplit(" ", 1) for line in lines if line[0] != "#"]
    return {name: float(value) for name, value in pairs}


async def delivered(stage: Stage) -> None:
    await stage.loop.start()
    await until(lambda: stage.told().get("Ready") == READY)
    await until(lambda: stage.told(CACHE).get("Ready") == "True/AllImagesCached")


def test_a_delivery_counts_its_push_its_pull_and_its_passes() -> None:
    found = measured(delivered)
    assert found['transfer_total{reason="",result="done",route="stream"}'] == 1
    assert found['transfer_total{reason="",result="done",route="pull"}'] == 1
    assert found['transfer_duration_seconds_count{route="pull"}'] == 1
    assert found['reconcile_total{kind="RangeImages",result="done"}'] >= 2
    assert found['reconcile_duration_seconds_count{kind="ImageCache"}'] >= 2
    assert found['resource_ready{kind="RangeImages",name="r",namespace="default"}'] == 1
    assert found['resource_ready{kind="ImageCache",name="default",namespace=""}'] == 1
    assert found['targets{state="ready"}'] == 1
    assert found['targets{state="not_ready"}'] == 0
    assert found['registry_up{cache="default"}'] == 1
    assert found['transfers_in_progress{route="pull"}'] == 0
    assert not [name for name in found if name.startswith("fallback")]


def test_endpoints_without_tls_are_counted_as_written() -> None:
    """The builder, the registry's push listener and one engine."""
    assert measured(delivered)["insecure_endpoints"] == 3


def test_a_fallback_counts_once_by_its_reason() -> None:
    async def scenario(stage: Stage) -> None:
        stage.registries.away = True
        await stage.loop.start()
        await until(lambda: stage.told().get("Ready") == READY)

    found = measured(scenario)
    assert found['fallback_total{reason="RegistryUnreachable"}'] == 1
    assert found['transfer_total{reason="",result="done",route="tar"}'] == 1
    assert found['registry_up{cache="default"}'] == 0


def test_a_tar_that_the_spec_asks_for_is_no_fallback() -> None:
    async def scenario(stage: Stage) -> None:
        stage.cluster.listed[Kind.RANGE_IMAGES] = [a_range(delivery="TarOnly")]
        await stage.loop.start()
        await until(lambda: stage.told().get("TarFallback") == "True/ForcedBySpec")

    assert not [name for name in measured(scenario) if name.startswith("fallback")]


def test_a_failure_counts_by_its_reason_and_damage_by_who_found_it() -> None:
    async def scenario(stage: Stage) -> None:
        def fail(action: Copy | Push | Pull | Load) -> None:
            if isinstance(action, Pull):
                raise TransferError(Reason.DIGEST_MISMATCH, "it is something else")
            stage.arrive(action)

        stage.movers.then = fail
        await stage.loop.start()
        await until(lambda: any(isinstance(each, Pull) for each in stage.movers.moves))
        await until(lambda: bool(stage.cluster.last(RANGE).get("failures")))

    found = measured(scenario)
    assert found['transfer_total{reason="DigestMismatch",result="failed",route="pull"}'] >= 1
    assert found['integrity_failures_total{where="pull"}'] >= 1
    assert found['integrity_failures_total{where="tar"}'] == 0


def test_an_image_that_is_brought_back_counts_as_drift() -> None:
    async def scenario(stage: Stage) -> None:
        await delivered(stage)
        stage.engines.views[DIND] = view()
        stage.clock.moment += LASTING
        pulls = len(stage.movers.moves)
        stage.look_again()
        await until(lambda: len(stage.movers.moves) > pulls)
        await until(lambda: stage.engines.views[DIND] != view())

    assert measured(scenario)["drift_corrections_total"] == 1


def test_a_deleted_object_leaves_no_series() -> None:
    async def scenario(stage: Stage) -> None:
        await delivered(stage)
        stage.loop.changed("RangeImages", "DELETED", a_range())
        stage.loop.changed("ImageCache", "DELETED", stage.cluster.listed[Kind.IMAGE_CACHE][0])
        await until(lambda: stage.parts.demand.view("default") is None)
        await until(lambda: stage.parts.queue.count_running() == 0)

    found = measured(scenario)
    assert not [name for name in found if name.startswith(("resource_ready", "registry_up"))]
    assert found['reconcile_total{kind="RangeImages",result="gone"}'] == 1
    assert found['targets{state="ready"}'] == 0


def test_a_suspended_object_is_neither_ready_nor_not() -> None:
    async def scenario(stage: Stage) -> None:
        stage.cluster.listed[Kind.RANGE_IMAGES] = [a_range(suspend=True)]
        await stage.loop.start()
        await until(lambda: stage.told().get("Ready") == "False/Suspended")

    assert 'kind="RangeImages"' not in " ".join(
        name for name in measured(scenario) if name.startswith("resource_ready")
    )


def test_a_broken_object_is_not_ready() -> None:
    async def scenario(stage: Stage) -> None:
        stage.cluster.listed[Kind.RANGE_IMAGES].append(a_range("odd", images=[]))
        await delivered(stage)

    found = measured(scenario)
    assert found['resource_ready{kind="RangeImages",name="odd",namespace="default"}'] == 0
    assert found['reconcile_total{kind="RangeImages",result="done"}'] >= 3


def test_events_and_a_second_list_of_a_watch_are_counted() -> None:
    async def scenario(stage: Stage) -> None:
        await delivered(stage)
        for _ in range(2):
            stage.loop.changed("RangeImages", None, a_range())

    found = measured(scenario)
    assert found["watch_restarts_total"] == 1
    assert found["last_event_age_seconds"] < 5


def test_a_defect_in_a_pass_is_counted_as_ours() -> None:
    async def scenario(stage: Stage) -> None:
        class Odd:
            """A view that no pass can read."""

            @property
            def info(self) -> Any:
                raise ZeroDivisionError

        odd: Any = Odd()
        stage.engines.views[DIND] = lambda: odd
        await stage.loop.start()
        await until(lambda: stage.told().get("Stalled") == "True/InternalError")

    assert measured(scenario)['reconcile_total{kind="RangeImages",result="defect"}'] >= 1


def test_a_key_that_is_due_later_does_not_wait_now() -> None:
    async def scenario(stage: Stage) -> None:
        await delivered(stage)
        await until(lambda: stage.parts.queue.count_running() == 0)
        assert len(stage.parts.queue) >= 2

    found = measured(scenario)
    assert (found["queue_depth"], found["work_in_progress"]) == (0, 0)
