"""One question at a time, its answer for seconds."""

from __future__ import annotations

import asyncio

import pytest

from cyroid_images.api.remembered import Remembered
from cyroid_images.errors import ApiUnavailable
from tests.unit.reconcile.clock import run


class Oracle:
    """Counts what it is asked; answers its count, after a second."""

    def __init__(self) -> None:
        self.asked = 0
        self.error: Exception | None = None

    async def ask(self) -> int:
        self.asked += 1
        await asyncio.sleep(1)
        if self.error is not None:
            raise self.error
        return self.asked


def test_all_who_want_it_meanwhile_share_one_question() -> None:
    async def main() -> None:
        oracle, kept = Oracle(), Remembered[str, int](10, 5)
        assert await asyncio.gather(*(kept.get("a", oracle.ask) for _ in range(50))) == [1] * 50
        assert await kept.get("a", oracle.ask) == 1
        await asyncio.sleep(11)
        assert await kept.get("a", oracle.ask) == 2

    run(main())


def test_a_failure_is_told_and_not_kept() -> None:
    async def main() -> None:
        oracle, kept = Oracle(), Remembered[str, int](10, 5)
        oracle.error = ApiUnavailable("away")
        with pytest.raises(ApiUnavailable):
            await kept.get("a", oracle.ask)
        oracle.error = None
        assert await kept.get("a", oracle.ask) == 2

    run(main())


def test_who_leaves_takes_the_answer_from_nobody() -> None:
    async def main() -> None:
        oracle, kept = Oracle(), Remembered[str, int](10, 5)
        first = asyncio.ensure_future(kept.get("a", oracle.ask))
        second = asyncio.ensure_future(kept.get("a", oracle.ask))
        await asyncio.sleep(0.5)
        first.cancel()
        assert await second == 1

    run(main())


def test_only_so_many_are_kept() -> None:
    async def main() -> None:
        oracle, kept = Oracle(), Remembered[int, int](10, 5)
        for key in range(100):
            await kept.get(key, oracle.ask)
        assert len(kept) == 5

    run(main())


def test_what_is_forgotten_is_asked_again() -> None:
    async def main() -> None:
        oracle, kept = Oracle(), Remembered[str, int](10, 5)
        await kept.get("a", oracle.ask)
        kept.forget("a")
        assert await kept.get("a", oracle.ask) == 2

    run(main())
