"""What takes more than one call: pages, a push that is followed, streams that come back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cyroid_images.client import programs
from cyroid_images.client.errors import (
    Forbidden,
    NotFound,
    NotOver,
    Unauthorized,
    Unavailable,
    UnexpectedAnswer,
)
from cyroid_images.client.options import ClientOptions
from cyroid_images.client.programs import PushesTold, StatsTold, StreamTrouble, UnpushedTold
from cyroid_images.overview.operations import PushPhase
from tests.unit.client.driving import NOBODY, Canned, Driver, answer, problem

STARTED = answer({"operation_id": "op", "image_tag": "x", "message": "Push started"})
ONCE = ClientOptions(retries=0, patience=20)


def images(*names: str, total: int) -> Canned:
    return answer([{"name": name, "tags": ["latest"]} for name in names], x_total_count=str(total))


def status(phase: str, percent: int = 0) -> Canned:
    return answer(
        {"operation_id": "op", "image_tag": "x", "status": phase, "progress_percent": percent}
    )


def told(name: str, document: Any) -> bytes:
    return f"event: {name}\ndata: {json.dumps(document)}\n\n".encode()


# -- pages --


def test_all_pages_are_asked_for() -> None:
    driver = Driver(images("a", "b", total=5), images("c", "d", total=5), images("e", total=5))
    driver.run(programs.all_images(driver.asker, matching="x"))
    assert [each.name for each in driver.given] == ["a", "b", "c", "d", "e"]
    assert [call.query["offset"] for call in driver.calls] == ["0", "2", "4"]
    assert {call.query["filter"] for call in driver.calls} == {"x"}


def test_a_page_without_items_is_the_last_whatever_the_total_says() -> None:
    driver = Driver(images("a", total=5), images(total=5))
    driver.run(programs.all_images(driver.asker))
    assert len(driver.calls) == 2


def test_a_list_that_never_ends_is_left() -> None:
    driver = Driver(images("a", total=10**9))
    driver.run(programs.all_images(driver.asker))
    assert len(driver.calls) == programs.MOST_PAGES


# -- a push --


def test_a_push_is_told_until_it_is_completed_and_each_state_once() -> None:
    driver = Driver(
        STARTED,
        status("starting"),
        status("pushing", 10),
        status("pushing", 10),
        status("verifying", 99),
        status("completed", 100),
    )
    driver.run(programs.push_and_follow(driver.asker, "x", cache="other"))
    phases = [(each.status, each.progress_percent) for each in driver.given]
    assert phases == [
        (PushPhase.STARTING, 0),
        (PushPhase.PUSHING, 10),
        (PushPhase.VERIFYING, 99),
        (PushPhase.COMPLETED, 100),
    ]
    assert driver.calls[0].query == {"cache": "other"}


def test_a_push_that_failed_is_over() -> None:
    driver = Driver(STARTED, status("failed"))
    driver.run(programs.push_and_follow(driver.asker, "x"))
    assert [each.status for each in driver.given] == [PushPhase.FAILED]


def test_an_api_that_is_restarted_meanwhile_is_waited_for() -> None:
    away = [NOBODY] * 10
    driver = Driver(status("pushing", 1), *away, status("completed", 100), options=ONCE)
    driver.run(programs.follow_push(driver.asker, "op"))
    assert [each.progress_percent for each in driver.given] == [1, 100]


def test_an_api_that_stays_away_is_told() -> None:
    driver = Driver(status("pushing", 1), NOBODY, options=ONCE)
    with pytest.raises(Unavailable):
        driver.run(programs.follow_push(driver.asker, "op"))
    assert ONCE.patience <= driver.now < 2 * ONCE.patience


def test_a_push_that_is_not_seen_yet_is_waited_for_a_moment() -> None:
    driver = Driver(STARTED, problem(404, "no such push"), status("completed", 100))
    driver.run(programs.push_and_follow(driver.asker, "x"))
    assert len(driver.given) == 1


def test_a_push_that_nobody_asked_for_is_not_found() -> None:
    driver = Driver(problem(404, "no such push"))
    with pytest.raises(NotFound, match="no such push"):
        driver.run(programs.follow_push(driver.asker, "op"))
    assert driver.now < 30


def test_a_push_that_takes_longer_than_the_caller_waits_goes_on() -> None:
    driver = Driver(status("pushing", 1))
    with pytest.raises(NotOver, match="goes on all the same"):
        driver.run(programs.follow_push(driver.asker, "op", within=60))
    assert 60 <= driver.now < 65


def test_who_may_not_push_follows_nothing() -> None:
    driver = Driver(problem(403, "you may not patch imagecaches"))
    with pytest.raises(Forbidden):
        driver.run(programs.push_and_follow(driver.asker, "x"))
    assert driver.given == []


# -- streams --


def test_news_of_the_registry_are_of_their_types_and_newer_ones_are_passed_over() -> None:
    push = {"operation_id": "1", "image_tag": "x", "status": "pushing", "progress_percent": 5}
    row = {"image": "y", "source": "builder", "id": "sha256:1"}
    stream = Canned(
        chunks=(
            told("pushes", [push]),
            told("newer", {}),
            told("stats", {"healthy": None}),
            told("unpushed", [row]),
        )
    )
    driver = Driver(stream, problem(401, "expired"))
    with pytest.raises(Unauthorized):
        driver.run(programs.watch_registry(driver.asker))
    pushes, stats, lacking = driver.given
    assert isinstance(pushes, PushesTold)
    assert pushes.pushes[0].progress_percent == 5
    assert isinstance(stats, StatsTold)
    assert stats.stats.healthy is None
    assert isinstance(lacking, UnpushedTold)
    assert lacking.images[0].image == "y"


def test_a_stream_that_cannot_tell_says_why_and_goes_on() -> None:
    bad = {"type": "about:blank", "title": "x", "status": 503, "detail": "the registry is down"}
    driver = Driver(Canned(chunks=(told("problem", bad), told("stats", {"healthy": True}))))
    driver.run(programs.watch_registry(driver.asker), until=lambda: len(driver.given) == 2)
    assert driver.given[0] == StreamTrouble(status=503, detail="the registry is down")


def test_an_ended_token_ends_the_stream_only_where_there_is_no_newer_one() -> None:
    ended = Canned(chunks=(told("problem", {"status": 401, "detail": "expired"}),))
    driver = Driver(ended, Canned(chunks=(told("stats", {"healthy": True}),)), problem(401, "no"))
    with pytest.raises(Unauthorized):
        driver.run(programs.watch_registry(driver.asker))
    assert [type(each) for each in driver.given] == [StatsTold]


CHANGES = {"reset": True, "changed": [], "removed": ["red/a"], "ready": 1, "total": 2}


def test_a_stream_that_ends_is_opened_again() -> None:
    driver = Driver(Canned(chunks=(told("ranges", CHANGES),)), options=ONCE)
    driver.run(programs.watch_ranges(driver.asker), until=lambda: len(driver.given) == 5)
    assert len(driver.calls) == 5
    assert driver.given[4].removed == ("red/a",)


def test_a_stream_that_breaks_within_an_event_gives_no_half_of_it() -> None:
    whole = told("ranges", CHANGES)
    driver = Driver(Canned(chunks=(whole, whole[:9]), breaks=True), Canned(chunks=(whole,)))
    driver.run(programs.watch_ranges(driver.asker), until=lambda: len(driver.given) == 2)
    assert len(driver.calls) == 2


def test_a_stream_that_nobody_serves_is_told_after_a_while_with_growing_pauses() -> None:
    driver = Driver(NOBODY, options=ONCE)
    with pytest.raises(Unavailable):
        driver.run(programs.watch_ranges(driver.asker))
    assert driver.waits == sorted(driver.waits)
    assert ONCE.patience <= driver.now < ONCE.patience + 10


def test_a_stream_whose_right_was_taken_away_ends() -> None:
    driver = Driver(Canned(chunks=(told("ranges", CHANGES),)), problem(403, "you may not"))
    with pytest.raises(Forbidden):
        driver.run(programs.watch_ranges(driver.asker))


def test_an_event_that_is_none_of_this_api_is_told() -> None:
    driver = Driver(Canned(chunks=(told("ranges", {"changed": 3}),)))
    with pytest.raises(UnexpectedAnswer, match="changed"):
        driver.run(programs.watch_ranges(driver.asker))
