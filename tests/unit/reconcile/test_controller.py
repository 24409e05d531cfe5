"""The loop on small fakes: it converges, heals, and a defect stays with its object."""

from __future__ import annotations

import asyncio
import re
from functools import partial

import pytest

from cyroid_images.errors import ApiUnavailable, Reason, TransferError
from cyroid_images.model.actions import Copy, Load, Pull, Push, Untag
from cyroid_images.model.engine import EngineView
from cyroid_images.model.event import EventNote
from cyroid_images.store.keys import Key, Kind
from tests.unit.plan.examples import BUILDER, cache_body, content, digest, range_body, stored, view
from tests.unit.reconcile.clock import until
from tests.unit.reconcile.stage import (
    CACHE,
    CACHED,
    DIND,
    RANGE,
    READY,
    REPOSITORY,
    SOURCES,
    TARGETS,
    Stage,
    a_range,
    tried,
)
from tests.unit.reconcile.watched import pod


def test_an_image_goes_through_the_registry_into_the_engine() -> None:
    async def scenario(stage: Stage) -> None:
        await stage.loop.start()
        await until(lambda: stage.told().get("Ready") == READY)
        await until(lambda: stage.told(CACHE).get("Ready") == CACHED)

    stage = tried(scenario)
    assert [type(each) for each in stage.movers.moves] == [Push, Pull]
    reasons = [str(note.reason) for note in stage.cluster.notes]
    assert {"ImagePushed", "ImageDelivered", "AllImagesPresent"} <= set(reasons)


def test_the_first_word_comes_before_any_look() -> None:
    async def scenario(stage: Stage) -> None:
        words: list[int] = []

        def first_look() -> EngineView:
            words.append(sum(key == RANGE for key, _, _ in stage.cluster.statuses))
            return view()

        stage.engines.views[DIND] = first_look
        await stage.loop.start()
        await until(lambda: bool(words))
        assert words[0] == 1

    stage = tried(scenario)
    first = next(status for key, _, status in stage.cluster.statuses if key == RANGE)
    assert first["conditions"][0]["reason"] == "Progressing"


def test_a_registry_that_is_away_gives_way_to_tar_and_the_record_comes_first() -> None:
    async def scenario(stage: Stage) -> None:
        stage.registries.away = True
        records: list[int] = []

        def arrive(action: Copy | Push | Pull | Load) -> None:
            records.append(len(stage.cluster.last(RANGE).get("tarDeliveries", [])))
            stage.arrive(action)

        stage.movers.then = arrive
        await stage.loop.start()
        await until(lambda: stage.told().get("Ready") == READY)
        assert records == [1]

    stage = tried(scenario)
    assert [type(each) for each in stage.movers.moves] == [Load]
    assert stage.told()["TarFallback"] == "True/RegistryUnreachable"
    assert stage.told()["RegistryAvailable"] == "False/RegistryUnreachable"


def test_p_e9_a_failed_pull_is_told_and_not_tried_twice_at_a_time() -> None:
    async def scenario(stage: Stage) -> None:
        def fail(action: Copy | Push | Pull | Load) -> None:
            if isinstance(action, Pull):
                raise TransferError(Reason.PULL_FAILED, "it says no")
            stage.arrive(action)

        stage.movers.then = fail
        await stage.loop.start()
        await until(lambda: stage.told().get("Reconciling") == "True/ProgressingWithRetry")
        assert stage.cluster.last(RANGE)["failures"][0]["message"] == "it says no"
        looks = stage.engines.looks.count(DIND)
        stage.look_again()
        await until(lambda: stage.engines.looks.count(DIND) > looks)
        assert [type(each) for each in stage.movers.moves].count(Pull) == 1

    tried(scenario)


def test_a_deleted_range_is_left_alone() -> None:
    async def scenario(stage: Stage) -> None:
        await stage.loop.start()
        await until(lambda: stage.told().get("Ready") == READY)
        stage.loop.changed("RangeImages", "DELETED", a_range())
        await until(lambda: stage.cluster.last(CACHE)["images"]["desired"] == 0)

    tried(scenario)


def test_a_range_that_is_ready_stays_so_while_a_new_operator_looks() -> None:
    """Neither its cache nor the content of its images is known at first."""

    async def before(stage: Stage) -> None:
        await stage.loop.start()
        await until(lambda: stage.told().get("Ready") == READY)

    status = tried(before).cluster.last(RANGE)

    async def after(stage: Stage) -> None:
        stage.engines.views[DIND] = view({"nginx:1.25": content()})
        stage.registries.held[REPOSITORY] = stored()
        stage.cluster.listed[Kind.RANGE_IMAGES] = [range_body(status=status, targets=TARGETS)]
        await stage.loop.start()
        await until(lambda: stage.told(CACHE).get("Ready") == CACHED)
        await until(lambda: DIND in stage.engines.looks)
        stage.look_again()
        await until(lambda: stage.engines.looks.count(DIND) > 1)

    stage = tried(after)
    assert [each for key, _, each in stage.cluster.statuses if key == RANGE] == []


@pytest.mark.row("O4")
def test_a_defect_is_told_on_its_object_and_the_others_go_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def scenario(stage: Stage) -> None:
        def odd() -> EngineView:
            raise ZeroDivisionError("secret detail")

        stage.engines.views["tcp://10.0.0.7:2375"] = odd
        odd_pod = pod("odd", range_id="odd")
        odd_pod["status"] = {**odd_pod["status"], "podIP": "10.0.0.7"}
        selector = {"matchLabels": {"cyroid.io/range-id": "odd"}}
        odd_range = a_range("odd", targets={**TARGETS, "selector": selector})
        stage.cluster.listed[Kind.POD].append(odd_pod)
        stage.cluster.listed[Kind.RANGE_IMAGES].insert(0, odd_range)
        await stage.loop.start()
        key = Key(Kind.RANGE_IMAGES, "default", "odd")
        await until(lambda: stage.told(key).get("Stalled") == "True/InternalError")
        await until(lambda: stage.told().get("Ready") == READY)
        message = stage.cluster.last(key)["conditions"][0]["message"]
        number = re.search(r"see its log for ([0-9a-f]{8});", message)
        assert number is not None
        assert "secret" not in message
        assert f"defect {number[1]} in a look at " in caplog.text
        assert "ZeroDivisionError: secret detail" in caplog.text

    tried(scenario)


def test_a_broken_object_says_which_rule_it_breaks() -> None:
    async def scenario(stage: Stage) -> None:
        stage.cluster.listed[Kind.RANGE_IMAGES].append(a_range("odd", images=[]))
        await stage.loop.start()
        key = Key(Kind.RANGE_IMAGES, "default", "odd")
        await until(lambda: stage.told(key).get("Stalled") == "True/InvalidSpec")
        assert "spec.images" in stage.cluster.last(key)["conditions"][0]["message"]

    tried(scenario)


def test_p_r6_an_image_id_past_the_schema_stalls_as_no_reference() -> None:
    async def scenario(stage: Stage) -> None:
        images = [{"image": f"sha256:{'0a' * 32}"}]
        stage.cluster.listed[Kind.RANGE_IMAGES].append(a_range("odd", images=images))
        await stage.loop.start()
        key = Key(Kind.RANGE_IMAGES, "default", "odd")
        await until(lambda: stage.told(key).get("Stalled") == "True/InvalidReference")

    tried(scenario)


def test_a_list_that_fails_at_the_start_is_tried_again() -> None:
    async def scenario(stage: Stage) -> None:
        stage.cluster.errors.append(ApiUnavailable("away"))
        starting = asyncio.create_task(stage.loop.start())
        await until(lambda: stage.cluster.errors == [])
        assert not starting.done()
        starting.cancel()
        assert stage.loop.has_swept()

    tried(scenario)


@pytest.mark.row("H5")
def test_what_is_dangerous_as_written_is_told_once() -> None:
    async def scenario(stage: Stage) -> None:
        body = pod("on-the-node")
        body["metadata"]["uid"] = "uid-of-the-node"
        body["spec"] = {"hostNetwork": True}
        stage.cluster.listed[Kind.POD].append(body)
        await stage.loop.start()
        await until(lambda: stage.told().get("Ready") == READY)

    told = [note.reason for note in tried(scenario).cluster.notes]
    assert told.count(Reason.INSECURE_ENDPOINT) == 1
    assert told.count(Reason.HOST_NETWORK_REFUSED) == 1


def test_what_the_registry_lost_is_filled_again_and_says_so() -> None:
    images = [{"image": "nginx:1.25"}]

    async def scenario(stage: Stage) -> None:
        stage.cluster.listed[Kind.IMAGE_CACHE] = [cache_body(sources=SOURCES, images=images)]
        await stage.loop.start()
        await until(lambda: stage.told().get("Ready") == READY)
        stage.registries.held.clear()
        stage.movers.moves.clear()
        body = cache_body(sources=SOURCES, images=images)
        body["metadata"]["annotations"] = {"cyroid.io/reconcile-at": "now"}
        stage.loop.changed("ImageCache", "MODIFIED", body)
        await until(lambda: bool(stage.movers.moves))
        await until(lambda: stage.told(CACHE).get("Ready") == CACHED)

    told = [
        each["reason"]
        for key, _, status in tried(scenario).cluster.statuses
        if key == CACHE
        for each in status["conditions"]
        if each["type"] == "Ready"
    ]
    assert "Refilling" in told


def has_handled(stage: Stage, token: str) -> bool:
    return stage.cluster.last(CACHE).get("lastHandledReconcileAt") == token


def tag_drifts(stage: Stage) -> list[EventNote]:
    return [note for note in stage.cluster.notes if note.reason is Reason.REGISTRY_TAG_DRIFT]


def test_a_tag_that_somebody_moves_in_the_registry_is_told_once_and_ignored() -> None:
    async def scenario(stage: Stage) -> None:
        await stage.loop.start()
        await until(lambda: stage.told().get("Ready") == READY)
        stage.registries.tagged = digest("theirs")
        for token in ("one", "two"):
            body = cache_body(sources=SOURCES)
            body["metadata"]["annotations"] = {"cyroid.io/reconcile-at": token}
            stage.loop.changed("ImageCache", "MODIFIED", body)
            await until(partial(has_handled, stage, token))
            await until(lambda: bool(tag_drifts(stage)))  # the look may end after that pass

    stage = tried(scenario)
    told = tag_drifts(stage)
    assert len(told) == 1
    assert str(digest("theirs")) in told[0].message
    assert [type(each) for each in stage.movers.moves] == [Push, Pull]


@pytest.mark.row("D4")
def test_a_pod_that_takes_the_place_of_another_is_told() -> None:
    async def scenario(stage: Stage) -> None:
        await stage.loop.start()
        await until(lambda: stage.told().get("Ready") == READY)
        before = pod()
        after = pod()
        after["metadata"] = {**after["metadata"], "uid": "uid-of-the-next"}
        stage.loop.changed("Pod", "DELETED", before)
        stage.loop.changed("Pod", "ADDED", after)
        await until(lambda: stage.cluster.last(RANGE)["targetStatuses"][0]["uid"].endswith("next"))

    notes = tried(scenario).cluster.notes
    assert [note.reason for note in notes].count(Reason.TARGET_REPLACED) == 1


def test_a_delivery_that_no_look_has_shown_yet_is_no_drift() -> None:
    async def scenario(stage: Stage) -> None:
        await stage.loop.start()
        await until(lambda: stage.told().get("Ready") == READY)

    stage = tried(scenario)
    assert Reason.DRIFT_CORRECTED not in {note.reason for note in stage.cluster.notes}
    assert not [status for _, _, status in stage.cluster.statuses if status.get("failures")]


LEFT = "transfer.cyroid.io/image:abc"


def test_what_a_push_left_in_a_source_is_dropped_once() -> None:
    """It is looked at again before anything more is dropped there."""

    async def scenario(stage: Stage) -> None:
        builder = view({"nginx:1.25": content(), LEFT: content()})
        stage.engines.views[BUILDER.url] = builder
        stage.movers.dropped = lambda: stage.engines.views.update(
            {BUILDER.url: view({"nginx:1.25": content()})}
        )
        stage.cluster.listed[Kind.RANGE_IMAGES] = []  # a push would cut it, and it comes again
        await stage.loop.start()
        seen = stage.parts.observers.source_engines

        def is_seen_clean() -> bool:
            last = next((seen.at(place) for place in seen.places()), None)
            return last is not None and last.view is not None and len(last.view.view.images) == 1

        await until(is_seen_clean)
        for _ in range(3):
            stage.parts.queue.wake(CACHE)
            await until(lambda: stage.parts.queue.count_due() == 0)

    stage = tried(scenario)
    assert sum(isinstance(each, Untag) for each in stage.movers.moves) == 1


def test_transfers_that_take_long_are_no_reason_to_end_the_process() -> None:
    async def scenario(stage: Stage) -> None:
        threads = stage.parts.threads
        assert stage.parts.looking == threads[1:]
        assert threads[0].name == "transfer"
        assert stage.loop.has_threads()

    tried(scenario)
