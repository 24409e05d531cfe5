"""Whom each event of a watch touches; what a list heals; what is broken."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cyroid_images.errors import Reason
from cyroid_images.model.range_images import RangeImages
from cyroid_images.store.keys import Key, Kind
from cyroid_images.reconcile.world import World
from tests.unit.plan.examples import cache_body, metadata, range_body

R, CACHE = Key(Kind.RANGE_IMAGES, "default", "r"), Key(Kind.IMAGE_CACHE, "", "default")
OTHER = Key(Kind.RANGE_IMAGES, "default", "other")
STATUS = {"observedGeneration": 3}


def pod(name: str = "dind", *, range_id: str = "r", **parts: Any) -> dict[str, Any]:
    labels = {"cyroid.io/component": "dind", "cyroid.io/range-id": range_id}
    about = metadata(name, namespace="default", labels=labels)
    running = {"containerID": "c1", "state": {"running": {}}}
    status = {"podIP": "10.0.0.1", "phase": "Running", "containerStatuses": [running]}
    return {"metadata": about, "spec": {}, "status": status, **parts}


def namespace(**labels: str) -> dict[str, Any]:
    return {"metadata": {"name": "default", "uid": "n", "labels": labels}}


def with_metadata(body: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {**body, "metadata": {**body["metadata"], **fields}}


@pytest.fixture
def world() -> World:
    """A cache, two ranges that name it, a pod of the first, its namespace."""
    made = World()
    made.changed(Kind.NAMESPACE, None, namespace(team="a"))
    made.changed(Kind.POD, None, pod())
    made.changed(Kind.IMAGE_CACHE, None, cache_body())
    made.changed(Kind.RANGE_IMAGES, None, range_body())
    made.changed(Kind.RANGE_IMAGES, None, range_body("other"))
    return made


RANGE, IMAGE_CACHE, POD, NAMESPACE = tuple(Kind)
EDITED = with_metadata(range_body(), generation=4)
NEW_CACHE = range_body(imageCacheRef={"name": "c2"})
RESTARTED = {
    "podIP": "10.0.0.1",
    "containerStatuses": [{"containerID": "c2", "state": {"running": {}}}],
}
EVENTS: dict[str, tuple[Kind, str, dict[str, Any], set[Key]]] = {
    "a-new-range": (
        RANGE, "ADDED", range_body("n"), {Key(Kind.RANGE_IMAGES, "default", "n"), CACHE},
    ),
    "an-edited-range": (RANGE, "MODIFIED", EDITED, {R, CACHE}),
    "another-cache-named": (
        RANGE,
        "MODIFIED",
        with_metadata(NEW_CACHE, generation=4),
        {R, CACHE, Key(Kind.IMAGE_CACHE, "", "c2")},
    ),
    "a-manual-pass": (
        RANGE,
        "MODIFIED",
        with_metadata(range_body(), annotations={"cyroid.io/reconcile-at": "now"}),
        {R, CACHE},
    ),
    "a-range-made-again": (RANGE, "MODIFIED", with_metadata(range_body(), uid="new"), {R, CACHE}),
    "our-own-status": (
        RANGE,
        "MODIFIED",
        with_metadata(range_body(status=STATUS), resourceVersion="11"),
        set(),
    ),
    "a-foreign-annotation": (
        RANGE, "MODIFIED", with_metadata(range_body(), annotations={"x": "y"}), set(),
    ),
    "a-deleted-range": (RANGE, "DELETED", range_body(), {R, CACHE}),
    "an-edited-cache": (
        IMAGE_CACHE, "MODIFIED", with_metadata(cache_body(), generation=4), {CACHE, R, OTHER},
    ),
    "the-status-of-a-cache": (IMAGE_CACHE, "MODIFIED", cache_body(status=STATUS), set()),
    "a-deleted-cache": (IMAGE_CACHE, "DELETED", cache_body(), {CACHE, R, OTHER}),
    "a-cache-that-nobody-names": (
        IMAGE_CACHE, "ADDED", cache_body("c2"), {Key(Kind.IMAGE_CACHE, "", "c2")},
    ),
    "a-heartbeat-of-a-pod": (
        POD, "MODIFIED", with_metadata(pod(), resourceVersion="11", annotations={"x": "y"}), set(),
    ),
    "a-restarted-engine": (POD, "MODIFIED", pod(status=RESTARTED), {R}),
    "a-pod-that-changes-sides": (POD, "MODIFIED", pod(range_id="other"), {R, OTHER}),
    "a-pod-of-nobody": (POD, "ADDED", pod("x", range_id="x"), set()),
    "a-deleted-pod": (POD, "DELETED", pod(), {R}),
    "relabelled-namespace": (NAMESPACE, "MODIFIED", namespace(team="b"), {R, OTHER}),
    "an-equal-namespace": (NAMESPACE, "MODIFIED", namespace(team="a"), set()),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "event", "body", "touched"), EVENTS.values(), ids=EVENTS)
def test_an_event_touches_exactly_whom_it_concerns(
    world: World, kind: Kind, event: str, body: dict[str, Any], touched: set[Key]
) -> None:
    assert world.changed(kind, event, body) == touched


def test_what_touches_nobody_is_remembered_all_the_same(world: World) -> None:
    world.changed(RANGE, "MODIFIED", with_metadata(range_body(status=STATUS), resourceVersion="11"))
    assert world.ranges[R].metadata.resource_version == "11"
    assert world.ranges[R].status.observed_generation == 3


def test_a_list_heals_deletions_that_no_watch_told(world: World) -> None:
    assert world.replace(POD, []) == {R}
    assert world.replace(RANGE, [range_body("other")]) == {R, CACHE}
    assert world.replace(IMAGE_CACHE, []) == {CACHE, OTHER}
    assert not world.pods
    assert not world.caches
    assert set(world.ranges) == {OTHER}
    world.replace(NAMESPACE, [])
    assert world.namespaces == {}


def test_a_list_that_tells_nothing_new_touches_nobody(world: World) -> None:
    assert world.replace(RANGE, [range_body(), range_body("other")]) == frozenset()
    assert world.replace(POD, [pod()]) == frozenset()
    assert world.replace(IMAGE_CACHE, [cache_body()]) == frozenset()


def test_what_was_told_while_a_list_was_on_its_way_is_newer_than_the_list(world: World) -> None:
    world.expect_list()
    new = with_metadata(range_body("new"), uid="new")
    assert world.changed(RANGE, "ADDED", new)
    world.changed(RANGE, "MODIFIED", with_metadata(range_body(), resourceVersion="12"))
    world.reported(OTHER, "13", world.ranges[OTHER].status)
    assert world.replace(RANGE, [range_body(), range_body("other")]) == frozenset()
    assert set(world.ranges) == {R, OTHER, Key(RANGE, "default", "new")}
    versions = [world.ranges[key].metadata.resource_version for key in (R, OTHER)]
    assert versions == ["12", "13"]
    world.expect_list()
    assert Key(RANGE, "default", "new") in world.replace(RANGE, [range_body()])


def test_a_pod_made_again_under_its_name_is_another(world: World) -> None:
    again = with_metadata(pod(), uid="new")
    assert world.replace(POD, [again]) == {R}
    assert [each.uid for each in world.targets(world.ranges[R])] == ["new"]


def test_a_new_pod_ends_the_one_of_its_name_whose_deletion_nobody_told(world: World) -> None:
    assert world.changed(POD, None, with_metadata(pod(), uid="new")) == {R}
    assert list(world.pods) == ["new"]


@pytest.mark.parametrize(
    "late",
    [
        with_metadata(pod(), creationTimestamp="2026-06-02T02:00:00Z"),
        with_metadata(pod(), creationTimestamp="2026-06-02T03:00:00Z", deletionTimestamp="x"),
    ],
    ids=["older", "leaving-in-the-same-second"],
)
def test_a_late_word_on_a_pod_does_not_end_the_new_one_of_its_name(
    world: World, late: dict[str, Any]
) -> None:
    new = with_metadata(pod(), uid="new", creationTimestamp="2026-06-02T03:00:00Z")
    world.changed(POD, "ADDED", new)
    assert world.changed(POD, "MODIFIED", late) == frozenset()
    assert list(world.pods) == ["new"]


def test_only_engines_that_run_are_targets(world: World) -> None:
    world.changed(POD, None, pod("b-host", spec={"hostNetwork": True}))
    world.changed(
        POD, None, with_metadata(pod("c-going"), deletionTimestamp="2026-05-01T12:00:00Z")
    )
    world.changed(POD, None, with_metadata(pod("d-plain"), labels={"cyroid.io/range-id": "r"}))
    world.changed(POD, None, pod("a-first"))
    wanted = world.ranges[R]
    assert [each.name for each in world.targets(wanted)] == ["a-first", "dind"]
    assert [each.name for each in world.refused(wanted)] == ["b-host"]


def test_a_broken_object_is_kept_with_the_rule_it_breaks(world: World) -> None:
    broken = with_metadata(range_body(images=[{"image": "user:secret@host/x"}]), generation=4)
    assert world.changed(RANGE, "MODIFIED", broken) == {R, CACHE}
    assert R not in world.ranges
    assert world.broken[R].fault.reason is Reason.INVALID_REFERENCE
    assert "secret" not in repr(world.broken[R])


def test_a_broken_object_that_only_got_our_status_touches_nobody(world: World) -> None:
    broken = range_body(images=[])
    world.changed(RANGE, "MODIFIED", broken)
    told = with_metadata({**broken, "status": STATUS}, resourceVersion="11")
    assert world.changed(RANGE, "MODIFIED", told) == frozenset()
    assert world.broken[R].metadata.resource_version == "11"
    assert world.broken[R].status.observed_generation == 3


def test_a_name_that_is_too_long_is_told_on_its_object(world: World) -> None:
    name = "x" * 64
    key = Key(Kind.RANGE_IMAGES, "default", name)
    assert key in world.replace(RANGE, [range_body(), range_body("other"), range_body(name)])
    assert world.broken[key].fault.message.startswith("metadata.name: ")


def test_a_mended_object_is_worked_on_again(world: World) -> None:
    world.changed(RANGE, "MODIFIED", range_body(images=[]))
    assert world.changed(RANGE, "MODIFIED", range_body()) == {R, CACHE}
    assert world.broken == {}


def test_a_list_heals_the_lost_deletion_of_a_broken_object(world: World) -> None:
    world.changed(IMAGE_CACHE, "MODIFIED", cache_body(registry={}))
    world.changed(RANGE, "MODIFIED", range_body(images=[]))
    assert world.replace(RANGE, [range_body("other")]) == {R}
    assert world.replace(IMAGE_CACHE, []) == {CACHE, OTHER}
    assert world.broken == {}


def test_our_own_write_is_known_before_the_watch_tells_it(world: World) -> None:
    status = replace(world.ranges[R]).status.model_copy(update={"observed_generation": 3})
    world.reported(R, "11", status)
    held = world.ranges[R]
    assert (held.metadata.resource_version, held.status.observed_generation) == ("11", 3)
    cache = world.caches["default"].status.model_copy(update={"observed_generation": 3})
    world.reported(CACHE, "12", cache)
    assert world.caches["default"].metadata.resource_version == "12"


def test_only_older_objects_of_the_namespace_are_rivals(world: World) -> None:
    def made(name: str, hour: int, space: str = "default") -> RangeImages:
        moment = f"2026-05-01T{hour:02}:00:00Z"
        body = with_metadata(range_body(name), creationTimestamp=moment, namespace=space)
        world.changed(RANGE, None, body)
        return RangeImages.parse(body)

    made("older", 9)
    made("oldest", 8)
    made("elsewhere", 8, "lab")
    younger = made("younger", 12)
    names = [each.metadata.name for each in world.older_rivals(younger)]
    assert names == ["oldest", "older", "other", "r"]
