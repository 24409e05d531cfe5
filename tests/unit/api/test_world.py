"""What is known of both kinds, and that unknown is never empty."""

from __future__ import annotations

import asyncio

import pytest

from cyroid_images.api.problems import Problem
from cyroid_images.api.world import CachesFollower, RangesFollower, World
from tests.parts import objects
from tests.unit.overview.examples import stored
from tests.unit.reconcile.clock import run

CACHE = stored(objects.image_cache("default"))
RANGE = stored(objects.range_images("a", "red", images=[{"image": "nginx:1"}]))


def test_before_the_first_list_nothing_is_known() -> None:
    async def main() -> None:
        world = World()
        for ask in (world.caches, lambda: world.cache("default"), world.ranges):
            with pytest.raises(Problem) as refused:
                ask()
            assert refused.value.status == 503

    run(main())


def test_an_empty_list_is_known_to_be_empty() -> None:
    async def main() -> None:
        world = World()
        follower = CachesFollower(world)
        follower.replaced([])
        follower.in_contact()
        assert world.caches() == []
        with pytest.raises(Problem) as refused:
            world.cache("default")
        assert refused.value.status == 404

    run(main())


def test_what_was_known_is_unknown_while_the_api_server_is_away() -> None:
    async def main() -> None:
        world = World()
        follower = CachesFollower(world)
        follower.replaced([CACHE])
        follower.in_contact()
        assert world.cache("default").metadata.name == "default"
        seen = world.version
        follower.lost("connection refused")
        assert world.version != seen, "whoever follows is told"
        with pytest.raises(Problem, match="connection refused"):
            world.cache("default")
        follower.in_contact()
        assert world.cache("default").metadata.name == "default"

    run(main())


def test_a_relist_drops_what_went_meanwhile() -> None:
    async def main() -> None:
        world = World()
        caches, ranges = CachesFollower(world), RangesFollower(world)
        caches.replaced([CACHE])
        ranges.replaced([RANGE])
        for follower in (caches, ranges):
            follower.replaced([])
            follower.in_contact()
        assert world.caches() == []
        assert list(world.ranges()) == []

    run(main())


def test_a_cache_that_breaks_a_rule_says_which() -> None:
    async def main() -> None:
        world = World()
        follower = CachesFollower(world)
        follower.replaced([{**CACHE, "spec": {"registry": {"pushURL": "nonsense"}}}])
        follower.in_contact()
        with pytest.raises(Problem, match="breaks a rule") as refused:
            world.cache("default")
        assert refused.value.status == 503

    run(main())


def test_who_wants_an_image_is_known_anew_after_each_change() -> None:
    async def main() -> None:
        world = World()
        caches, ranges = CachesFollower(world), RangesFollower(world)
        caches.replaced([CACHE])
        ranges.replaced([RANGE])
        caches.in_contact()
        ranges.in_contact()
        cache = world.cache("default")
        assert list(world.used_by(cache).values()) == [("red/a",)]
        ranges.removed(RANGE)
        assert world.used_by(cache) == {}

    run(main())


def test_a_wait_ends_with_a_change_or_in_time() -> None:
    async def main() -> None:
        world = World()
        assert not await world.wait(world.version, 5)
        asyncio.get_running_loop().call_later(1, world.touch)
        assert await world.wait(world.version, 5)
        assert await world.wait(world.version - 1, 5)

    run(main())
