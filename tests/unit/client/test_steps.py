"""One call: what is tried again and what never, what is a bound, what is told."""

from __future__ import annotations

import pytest

from cyroid_images.client import calls, steps
from cyroid_images.client.errors import (
    ClientError,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    Unauthorized,
    Unavailable,
    UnexpectedAnswer,
)
from cyroid_images.client.options import ClientOptions
from tests.unit.client.driving import NOBODY, Canned, Driver, answer, problem

HEALTHY = answer({"healthy": True})
STARTED = answer({"operation_id": "1", "image_tag": "x", "message": "Push started"})


def test_an_answer_is_read() -> None:
    driver = Driver(HEALTHY)
    told = driver.run(driver.asker.ask(calls.health()))
    assert told is not None
    assert told.healthy is True
    assert driver.waits == []


@pytest.mark.parametrize("bad", [NOBODY, problem(503, "x"), problem(502, "x"), problem(429, "x")])
def test_what_only_reads_is_asked_again(bad: Canned | None) -> None:
    driver = Driver(bad, bad, HEALTHY)
    told = driver.run(driver.asker.ask(calls.health()))
    assert told is not None
    assert told.healthy
    assert driver.waits == [steps.FIRST_PAUSE, 2 * steps.FIRST_PAUSE]


def test_it_is_not_asked_for_ever() -> None:
    driver = Driver(problem(503, "the registry does not answer"), options=ClientOptions(retries=3))
    with pytest.raises(Unavailable, match="the registry does not answer") as caught:
        driver.run(driver.asker.ask(calls.health()))
    assert caught.value.status == 503
    assert len(driver.calls) == 4


def test_the_pause_that_the_server_asks_for_is_kept() -> None:
    driver = Driver(problem(429, "slowly", retry_after="7"), HEALTHY)
    driver.run(driver.asker.ask(calls.health()))
    assert driver.waits == [7.0]


@pytest.mark.parametrize("header", ["soon", "Wed, 21 Oct 2026 07:28:00 GMT", "-1", "9" * 9])
def test_an_odd_or_long_pause_is_bounded(header: str) -> None:
    driver = Driver(problem(503, "x", retry_after=header), HEALTHY)
    driver.run(driver.asker.ask(calls.health()))
    assert driver.waits[0] <= 30


@pytest.mark.parametrize("bad", [NOBODY, problem(503, "not healthy")])
def test_what_changes_something_is_sent_once(bad: Canned | None) -> None:
    driver = Driver(bad, STARTED)
    with pytest.raises(Unavailable):
        driver.run(driver.asker.ask(calls.push("x")))
    assert len(driver.calls) == 1


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Invalid),
        (401, Unauthorized),
        (403, Forbidden),
        (404, NotFound),
        (408, Unavailable),
        (409, Conflict),
        (413, Invalid),
        (422, Invalid),
        (500, Unavailable),
        (501, Unavailable),
        (503, Unavailable),
        (507, Unavailable),
        (302, UnexpectedAnswer),
        (418, UnexpectedAnswer),
    ],
)
def test_each_refusal_is_of_its_kind_and_says_why(status: int, kind: type[ClientError]) -> None:
    driver = Driver(problem(status, "two ranges\n want \x1b[31mit"))
    with pytest.raises(ClientError) as caught:
        driver.run(driver.asker.ask(calls.delete_image("a/b:1")))
    assert type(caught.value) is kind
    assert (caught.value.status, caught.value.detail) == (status, "two ranges want it")
    assert str(caught.value) == "DELETE /api/v1/registry/images/a/b:1: two ranges want it"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "HTTP 404 Not Found, without a reason"),
        (b"<html>gone</html>", "HTTP 404 Not Found, without a reason"),
        (b"[1]", "HTTP 404 Not Found, without a reason"),
        (b'{"detail": null}', "HTTP 404 Not Found, without a reason"),
        (b'{"detail": [{"loc": ["x"]}]}', '[{"loc": ["x"]}]'),
        (b"\xff\xfe", "HTTP 404 Not Found, without a reason"),
    ],
)
def test_a_refusal_without_a_problem_is_told_by_its_status(body: bytes, told: str) -> None:
    driver = Driver(Canned(404, (body,)))
    with pytest.raises(NotFound) as caught:
        driver.run(driver.asker.ask(calls.health()))
    assert caught.value.detail == told


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b'{"items": [], "total": "secret-of-somebody"}', b"\xff"]
)
def test_an_answer_that_is_none_of_this_api_says_so_and_is_not_repeated(body: bytes) -> None:
    driver = Driver(Canned(200, (body,)))
    with pytest.raises(UnexpectedAnswer) as caught:
        driver.run(driver.asker.ask(calls.tags()))
    assert "secret" not in str(caught.value)
    assert len(driver.calls) == 1


def test_an_endless_answer_is_cut() -> None:
    mebibyte = b" " * 1024 * 1024
    driver = Driver(Canned(200, (mebibyte,) * 64))
    with pytest.raises(UnexpectedAnswer, match="more than"):
        driver.run(driver.asker.ask(calls.health()))


def test_a_trickling_answer_ends_at_the_deadline() -> None:
    driver = Driver(Canned(200, (b" ",) * 1000, seconds=1.0), options=ClientOptions(retries=0))
    with pytest.raises(Unavailable, match="no whole answer in 30 s"):
        driver.run(driver.asker.ask(calls.health()))
    assert driver.now <= 32


def test_a_cut_answer_is_asked_for_again() -> None:
    driver = Driver(Canned(200, (b'{"heal',), breaks=True), HEALTHY)
    told = driver.run(driver.asker.ask(calls.health()))
    assert told is not None
    assert told.healthy
