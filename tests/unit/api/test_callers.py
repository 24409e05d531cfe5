"""Who somebody is and what they may do: asked once in seconds, and never without an answer."""

from __future__ import annotations

import asyncio

import pytest

from cyroid_images.api.callers import KEPT_SECONDS, Callers, missing
from cyroid_images.api.problems import Problem
from cyroid_images.api.signing_in import LONGEST_TOKEN, is_protected, token_of
from cyroid_images.errors import ApiUnavailable
from cyroid_images.kube.reviews import Caller
from cyroid_images.kube.rights import Right
from tests.unit.reconcile.clock import run

ANN = Caller("ann", ("engineers",))
PUSH = Right("patch", "cyroid.io", "imagecaches", name="default")


class FakeReviews:
    """Knows the token `good`; counts what it is asked."""

    def __init__(self) -> None:
        self.asked: list[object] = []
        self.known = {"good": ANN}
        self.allowed = {PUSH}
        self.is_away = False

    async def who(self, token: str) -> Caller | None:
        self.asked.append(token)
        if self.is_away:
            raise ApiUnavailable("away")
        return self.known.get(token)

    async def may(self, caller: Caller, right: Right) -> bool:
        self.asked.append((caller.user, right))
        return right in self.allowed


def test_a_token_is_reviewed_once_in_seconds_and_then_again() -> None:
    async def main() -> None:
        reviews = FakeReviews()
        callers = Callers(reviews)
        assert [await callers.who("good") for _ in range(5)] == [ANN] * 5
        assert reviews.asked == ["good"]
        del reviews.known["good"]
        await asyncio.sleep(KEPT_SECONDS + 1)
        with pytest.raises(Problem) as refused:
            await callers.who("good")
        assert refused.value.status == 401

    run(main())


def test_a_right_that_was_taken_away_ends_within_seconds() -> None:
    async def main() -> None:
        reviews = FakeReviews()
        callers = Callers(reviews)
        await callers.require(ANN, PUSH, "push")
        reviews.allowed.clear()
        await asyncio.sleep(KEPT_SECONDS + 1)
        with pytest.raises(Problem) as refused:
            await callers.require(ANN, PUSH, "push")
        assert refused.value.status == 403

    run(main())


def test_an_api_server_that_is_away_makes_nobody_a_stranger() -> None:
    async def main() -> None:
        reviews = FakeReviews()
        reviews.is_away = True
        with pytest.raises(ApiUnavailable):
            await Callers(reviews).who("good")

    run(main())


@pytest.mark.parametrize(
    ("right", "words"),
    [
        (PUSH, ("patch imagecaches/default", "imagecache-admin")),
        (Right("get", "cyroid.io", "imagecaches"), ("get imagecaches", "cyroid-view")),
        (
            Right("patch", "cyroid.io", "rangeimages", "red", "range-01"),
            ("patch rangeimages/range-01", "in namespace red", "rangeimages-edit"),
        ),
    ],
)
def test_a_refusal_names_the_right_and_how_to_get_it(right: Right, words: tuple[str, ...]) -> None:
    told = missing(ANN, right, "do it")
    assert told.startswith("ann may not do it")
    for word in words:
        assert word in told


def test_what_is_not_said_to_be_open_is_protected() -> None:
    assert not is_protected("/api/v1/registry/health")
    assert not is_protected("/index.html")
    for path in ("/api/v1/registry/health/", "/api/v1/registry/healthz", "/api/x", "/api/"):
        assert is_protected(path)


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [b""],
        [b"Bearer"],
        [b"Bearer  "],
        [b"Basic abc"],
        [b"Bearer a", b"Bearer b"],
        [b"Bearer " + b"x" * (LONGEST_TOKEN + 1)],
        [b"Bearer \xff"],
    ],
)
def test_what_is_no_token_is_none(headers: list[bytes]) -> None:
    with pytest.raises(Problem) as refused:
        token_of([(b"authorization", value) for value in headers])
    assert refused.value.status == 401


def test_a_token_is_what_stands_behind_bearer() -> None:
    assert token_of([(b"host", b"x"), (b"authorization", b"bearer abc")]) == "abc"
