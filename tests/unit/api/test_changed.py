"""The ranges with the order of their changes, and what a stream is told of them."""

from __future__ import annotations

import json
from typing import Any

from cyroid_images.api.changed import MOST_REMOVED, RangesByName
from cyroid_images.api.routes.following import ROWS_AT_ONCE, changes
from cyroid_images.overview.pages import RangeChanges
from tests.parts import objects
from tests.unit.overview.examples import condition, stored


def body(name: str, event: str = "", namespace: str = "red", **status: Any) -> dict[str, Any]:
    made = objects.range_images(name, namespace)
    if event:
        made["metadata"]["labels"] = {"cyroid.io/event": event}
    return stored(made, **status)


def told(pieces: list[bytes]) -> list[RangeChanges]:
    """What the events hold, as a client reads it."""
    datas = [piece.split(b"\ndata: ")[1].strip() for piece in pieces]
    assert all(piece.startswith(b"event: ranges\n") for piece in pieces)
    return [RangeChanges.model_validate(json.loads(data)) for data in datas]


def test_a_reader_is_told_all_and_then_what_changed() -> None:
    known = RangesByName()
    known.replace([body("a"), body("b")])
    (first,) = told(changes(known, -1, None, None))
    assert first.reset
    assert [row.name for row in first.changed] == ["a", "b"]
    seen = known.number
    assert changes(known, seen, None, None) == []
    known.put(body("b", conditions=[condition("Ready", "True", "AllImagesPresent")]))
    known.remove(("red", "a"))
    (news,) = told(changes(known, seen, None, None))
    assert not news.reset
    assert [row.name for row in news.changed] == ["b"]
    assert news.removed == ("red/a",)
    assert (news.ready, news.total) == (1, 1)


def test_the_same_told_twice_is_no_change() -> None:
    known = RangesByName()
    known.put(body("a"))
    seen = known.number
    known.put(body("a"))
    known.replace([body("a")])
    assert known.number == seen


def test_what_leaves_an_event_is_gone_from_it() -> None:
    known = RangesByName()
    known.put(body("a", "spring"))
    seen = known.number
    known.put(body("a", "summer"))
    (news,) = told(changes(known, seen, "spring", None))
    assert (news.changed, news.removed, news.total) == ((), ("red/a",), 0)


def test_what_one_may_not_see_is_told_in_no_way() -> None:
    known = RangesByName()
    known.replace([body("a"), body("secret", namespace="blue")])
    seen = known.number
    known.remove(("blue", "secret"))
    known.put(body("other", namespace="blue"))
    assert changes(known, seen, None, frozenset({"red"})) == []
    (all_,) = told(changes(known, -1, None, frozenset({"red"})))
    assert ([row.name for row in all_.changed], all_.total) == (["a"], 1)


def test_many_come_in_parts_and_only_the_first_resets() -> None:
    known = RangesByName()
    known.replace([body(f"r{number}") for number in range(2 * ROWS_AT_ONCE + 1)])
    parts = told(changes(known, -1, None, None))
    assert [part.reset for part in parts] == [True, False, False]
    assert sum(len(part.changed) for part in parts) == 2 * ROWS_AT_ONCE + 1


def test_an_empty_cluster_is_told_as_empty() -> None:
    (first,) = told(changes(RangesByName(), -1, None, None))
    assert (first.reset, first.changed, first.total) == (True, (), 0)


def test_who_looked_away_for_too_long_is_told_everything_again() -> None:
    known = RangesByName()
    for number in range(MOST_REMOVED + 1):
        known.put(body(f"r{number}"))
        known.remove(("red", f"r{number}"))
    known.put(body("last"))
    (again,) = told(changes(known, 0, None, None))
    assert again.reset
    assert [row.name for row in again.changed] == ["last"]


def test_an_object_that_breaks_a_rule_is_shown_with_it() -> None:
    broken = body("a")
    broken["spec"]["images"] = [{"image": "NOT A NAME"}]
    known = RangesByName()
    known.put(broken)
    (found,) = list(known)
    assert found.item is None
    assert (found.row.ready, found.row.reason) == (False, "InvalidSpec")
    assert list(known.items()) == []
