"""Whom each event of a watch touches; what a list heals; what is broken."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import Any

import pytest

from cyroid_images.errors import Reason
from cyroid_images.model.kinds.range_images import RangeImages
from cyroid_images.store.keys import Key, Kind
from cyroid_images.store.store import Store
from tests.unit.plan.examples import cache_body, range_body
from tests.unit.reconcile.watched import namespace, pod, with_metadata

R, CACHE = Key(Kind.RANGE_IMAGES, "default", "r"), Key(Kind.IMAGE_CACHE, "", "default")
OTHER = Key(Kind.RANGE_IMAGES, "default", "other")
STATUS = {"observedGeneration": 3}


def replaced(store: Store, kind: Kind, bodies: list[dict[str, Any]]) -> set[Key]:
    """Everybody whom a whole list touches."""
    steps = chain(store.listed(kind, bodies), store.list_ended(kind))
    return {key for touched in steps for key in touched}


@pytest.fixture
def store() -> Store:
    """A cache, two ranges that name it, a pod of the first, its namespace."""
    made = Store()
    made.changed(Kind.NAMESPACE, None, namespace(team="a"))
    made.changed(Kind.POD, None, pod())
    made.changed(Kind.IMAGE_CACHE, None, cache_body())
    made.changed(Kind.RANGE_IMAGES, None, range_body())
    made.changed(Kind.RANGE_IMAGES, None, range_body("other"))
    return made


RANGE, IMAGE_CACHE, POD, NAMESPACE = tuple(Kind)
BROKEN = with_metadata(range_body(images=[]), generation=4, resourceVersion="11")
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
    store: Store, kind: Kind, event: str, body: dict[str, Any], touched: set[Key]
) -> None:
    assert store.changed(kind, event, body) == touched


def test_what_touches_nobody_is_remembered_all_the_same(store: Store) -> None:
    store.changed(RANGE, "MODIFIED", with_metadata(range_body(status=STATUS), resourceVersion="11"))
    assert store.ranges[R].metadata.resource_version == "11"
    assert store.ranges[R].status.observed_generation == 3


def test_a_list_heals_deletions_that_no_watch_told(store: Store) -> None:
    assert replaced(store, POD, []) == {R}
    assert replaced(store, RANGE, [range_body("other")]) == {R, CACHE}
    assert replaced(store, IMAGE_CACHE, []) == {CACHE, OTHER}
    assert not store.pods
    assert not store.caches
    assert set(store.ranges) == {OTHER}
    replaced(store, NAMESPACE, [])
    assert store.namespaces == {}


def test_a_list_that_tells_nothing_new_touches_nobody(store: Store) -> None:
    assert replaced(store, RANGE, [range_body(), range_body("other")]) == set()
    assert replaced(store, POD, [pod()]) == set()
    assert replaced(store, IMAGE_CACHE, [cache_body()]) == set()


def test_what_was_told_while_a_list_was_on_its_way_is_newer_than_the_list(store: Store) -> None:
    store.expect_list()
    new = with_metadata(range_body("new"), uid="new")
    assert store.changed(RANGE, "ADDED", new)
    store.changed(RANGE, "MODIFIED", with_metadata(range_body(), resourceVersion="12"))
    store.reported(OTHER, store.ranges[OTHER].metadata, "13", store.ranges[OTHER].status)
    assert replaced(store, RANGE, [range_body(), range_body("other")]) == set()
    assert set(store.ranges) == {R, OTHER, Key(RANGE, "default", "new")}
    versions = [store.ranges[key].metadata.resource_version for key in (R, OTHER)]
    assert versions == ["12", "13"]
    store.expect_list()
    assert Key(RANGE, "default", "new") in replaced(store, RANGE, [range_body()])


def test_others_may_tell_between_two_steps_of_a_list_and_are_newer(store: Store) -> None:
    store.expect_list()
    bodies = [range_body(), range_body("other")]
    steps = chain(store.listed(RANGE, bodies), store.list_ended(RANGE))
    next(steps)
    store.changed(RANGE, "DELETED", range_body("other"))
    new = Key(RANGE, "default", "new")
    store.changed(RANGE, "ADDED", range_body("new"))
    assert not [touched for touched in steps if touched]
    assert set(store.ranges) == {R, new}


def test_a_list_is_taken_over_object_by_object(store: Store) -> None:
    edited = [with_metadata(range_body(name), generation=4) for name in ("r", "other")]
    assert [len(touched) for touched in store.listed(RANGE, edited)] == [2, 2]


def test_a_list_that_failed_half_way_takes_nothing_away_and_hides_nothing_later(
    store: Store,
) -> None:
    store.expect_list()
    assert not any(store.listed(RANGE, [range_body()]))  # and no further page came
    assert set(store.ranges) == {R, OTHER}
    store.expect_list()
    assert replaced(store, RANGE, [range_body("other")]) == {R, CACHE}
    assert set(store.ranges) == {OTHER}


def test_what_is_deleted_between_two_pages_does_not_come_back(store: Store) -> None:
    store.expect_list()
    list(store.listed(RANGE, [range_body()]))
    store.changed(RANGE, "DELETED", range_body())
    store.changed(RANGE, "DELETED", range_body("other"))
    list(store.listed(RANGE, [range_body("other")]))
    list(store.list_ended(RANGE))
    assert set(store.ranges) == set()


def test_a_pod_that_was_relabelled_or_went_is_selected_no_more(store: Store) -> None:
    mine = store.ranges[R]
    assert [each.name for each in store.targets(mine)] == ["dind"]
    store.changed(POD, "MODIFIED", pod(range_id="other"))
    assert store.targets(mine) == ()
    store.changed(POD, "MODIFIED", pod())
    assert [each.name for each in store.targets(mine)] == ["dind"]
    store.changed(POD, "DELETED", pod())
    assert store.targets(mine) == ()


def test_a_pod_made_again_under_its_name_is_another(store: Store) -> None:
    again = with_metadata(pod(), uid="new")
    assert replaced(store, POD, [again]) == {R}
    assert [each.uid for each in store.targets(store.ranges[R])] == ["new"]


def test_a_new_pod_ends_the_one_of_its_name_whose_deletion_nobody_told(store: Store) -> None:
    assert store.changed(POD, None, with_metadata(pod(), uid="new")) == {R}
    assert list(store.pods) == ["new"]


@pytest.mark.parametrize(
    "late",
    [
        with_metadata(pod(), creationTimestamp="2026-06-02T02:00:00Z"),
        with_metadata(pod(), creationTimestamp="2026-06-02T03:00:00Z", deletionTimestamp="x"),
    ],
    ids=["older", "leaving-in-the-same-second"],
)
def test_a_late_word_on_a_pod_does_not_end_the_new_one_of_its_name(
    store: Store, late: dict[str, Any]
) -> None:
    new = with_metadata(pod(), uid="new", creationTimestamp="2026-06-02T03:00:00Z")
    store.changed(POD, "ADDED", new)
    assert store.changed(POD, "MODIFIED", late) == frozenset()
    assert list(store.pods) == ["new"]


def test_only_engines_that_run_are_targets(store: Store) -> None:
    store.changed(POD, None, pod("b-host", spec={"hostNetwork": True}))
    store.changed(
        POD, None, with_metadata(pod("c-going"), deletionTimestamp="2026-05-01T12:00:00Z")
    )
    store.changed(POD, None, with_metadata(pod("d-plain"), labels={"cyroid.io/range-id": "r"}))
    store.changed(POD, None, pod("a-first"))
    wanted = store.ranges[R]
    assert [each.name for each in store.targets(wanted)] == ["a-first", "dind"]
    assert [each.name for each in store.refused(wanted)] == ["b-host"]


def test_a_broken_object_is_kept_with_the_rule_it_breaks(store: Store) -> None:
    broken = with_metadata(range_body(images=[{"image": "user:secret@host/x"}]), generation=4)
    assert store.changed(RANGE, "MODIFIED", broken) == {R, CACHE}
    assert R not in store.ranges
    assert store.broken[R].fault.reason is Reason.INVALID_REFERENCE
    assert "secret" not in repr(store.broken[R])


def test_a_broken_object_that_only_got_our_status_touches_nobody(store: Store) -> None:
    store.changed(RANGE, "MODIFIED", BROKEN)
    told = with_metadata({**BROKEN, "status": STATUS}, resourceVersion="12")
    assert store.changed(RANGE, "MODIFIED", told) == frozenset()
    assert store.broken[R].metadata.resource_version == "12"
    assert store.broken[R].status.observed_generation == 3


def test_a_name_that_is_too_long_is_told_on_its_object(store: Store) -> None:
    name = "x" * 64
    key = Key(Kind.RANGE_IMAGES, "default", name)
    assert key in replaced(store, RANGE, [range_body(), range_body("other"), range_body(name)])
    assert store.broken[key].fault.message.startswith("metadata.name: ")


def test_a_mended_object_is_worked_on_again(store: Store) -> None:
    store.changed(RANGE, "MODIFIED", BROKEN)
    assert store.changed(RANGE, "MODIFIED", range_body()) == {R, CACHE}
    assert store.broken == {}


def test_a_list_heals_the_lost_deletion_of_a_broken_object(store: Store) -> None:
    broken = with_metadata(cache_body(registry={}), generation=4, resourceVersion="11")
    store.changed(IMAGE_CACHE, "MODIFIED", broken)
    store.changed(RANGE, "MODIFIED", BROKEN)
    assert replaced(store, RANGE, [range_body("other")]) == {R}
    assert replaced(store, IMAGE_CACHE, []) == {CACHE, OTHER}
    assert store.broken == {}


def test_our_own_write_is_known_before_the_watch_tells_it(store: Store) -> None:
    status = replace(store.ranges[R]).status.model_copy(update={"observed_generation": 3})
    store.reported(R, store.ranges[R].metadata, "11", status)
    held = store.ranges[R]
    assert (held.metadata.resource_version, held.status.observed_generation) == ("11", 3)
    cache = store.caches["default"].status.model_copy(update={"observed_generation": 3})
    store.reported(CACHE, store.caches["default"].metadata, "12", cache)
    assert store.caches["default"].metadata.resource_version == "12"


def test_only_older_objects_of_the_namespace_are_rivals(store: Store) -> None:
    def made(name: str, hour: int, space: str = "default") -> RangeImages:
        moment = f"2026-05-01T{hour:02}:00:00Z"
        body = with_metadata(range_body(name), creationTimestamp=moment, namespace=space)
        store.changed(RANGE, None, body)
        return RangeImages.parse(body)

    made("older", 9)
    made("oldest", 8)
    made("elsewhere", 8, "lab")
    younger = made("younger", 12)
    names = [each.metadata.name for each in store.older_rivals(younger)]
    assert names == ["oldest", "older", "other", "r"]


@pytest.mark.parametrize(
    ("event", "made", "extra"),
    [
        ("DELETED", "2099-01-01T00:00:05Z", {}),
        ("DELETED", "2099-01-01T00:00:05Z", {"resourceVersion": "9"}),
        ("MODIFIED", "2099-01-01T00:00:04Z", {"resourceVersion": "9"}),
        (
            "MODIFIED",
            "2099-01-01T00:00:05Z",
            {"resourceVersion": "9", "deletionTimestamp": "2099-01-01T00:00:05Z"},
        ),
    ],
)
@pytest.mark.parametrize("kind", [RANGE, Kind.IMAGE_CACHE])
def test_a_late_word_on_the_object_of_before_takes_nothing_from_the_new_one(
    store: Store, kind: Kind, event: str, made: str, extra: dict[str, Any]
) -> None:
    """The events of two objects of one name come by two tasks of kopf, in any order."""
    body = range_body() if kind is RANGE else cache_body()
    new = {"uid": "new", "creationTimestamp": "2099-01-01T00:00:05Z", "resourceVersion": "20"}
    store.changed(kind, "ADDED", with_metadata(body, **new))
    late = with_metadata(body, **{"creationTimestamp": made, **extra})
    assert not store.changed(kind, event, late)
    found = store.find(R if kind is RANGE else Key(kind, "", "default"))
    assert found is not None
    assert found.metadata.uid == "new"
    later = {"uid": "newer", "creationTimestamp": "2099-01-01T00:00:06Z"}
    assert store.changed(kind, "MODIFIED", with_metadata(body, **later))
