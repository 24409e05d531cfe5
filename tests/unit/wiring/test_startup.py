"""A start without the rights ends, but not for a refusal of an API server that itself starts."""

from __future__ import annotations

import asyncio

import pytest

from cyroid_images.errors import AccessDenied, ApiUnavailable
from cyroid_images.wiring.startup import AGAIN_SECONDS, DOUBT_SECONDS, check_rights
from tests.unit.reconcile import clock

REFUSED = AccessDenied("POST selfsubjectaccessreviews: 403 forbidden")
AWAY = ApiUnavailable("POST selfsubjectaccessreviews: connection refused")
LACKING = ("watch pods", "patch rangeimages/status")


class Cluster:
    """Answers in turn; the last answer for ever."""

    def __init__(self, *answers: tuple[str, ...] | Exception) -> None:
        self.answers = list(answers)

    async def missing_rights(self) -> tuple[str, ...]:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


async def seconds_of(cluster: Cluster) -> float:
    began = asyncio.get_running_loop().time()
    await check_rights(cluster)
    return asyncio.get_running_loop().time() - began


@pytest.mark.row("K1")
@pytest.mark.parametrize("answer", [REFUSED, LACKING, AWAY], ids=["refused", "lacking", "away"])
def test_a_refusal_that_does_not_last_ends_nothing(answer: tuple[str, ...] | Exception) -> None:
    assert clock.run(seconds_of(Cluster(answer, answer, ()))) == 2 * AGAIN_SECONDS


@pytest.mark.parametrize("answer", [REFUSED, LACKING], ids=["refused", "lacking"])
def test_a_refusal_that_lasts_ends_the_start(answer: tuple[str, ...] | Exception) -> None:
    with pytest.raises(AccessDenied, match=r"forbidden|missing rights: watch pods, patch range"):
        clock.run(seconds_of(Cluster(answer)))


def test_an_api_server_that_is_away_between_is_refused_anew() -> None:
    few = int(DOUBT_SECONDS / AGAIN_SECONDS) - 1
    answers: list[tuple[str, ...] | Exception] = [*[REFUSED] * few, AWAY, *[REFUSED] * few, ()]
    assert clock.run(seconds_of(Cluster(*answers))) == (2 * few + 1) * AGAIN_SECONDS
