"""A watch that had to list again has lost deletions: the sweep comes soon, not in ten minutes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from cyroid_images.errors import ApiUnavailable
from cyroid_images.reconcile.controller import RELIST_SECONDS, SWEEP_AGAIN_SECONDS
from cyroid_images.store.keys import Kind
from cyroid_images.store.relists import Relists
from tests.unit.reconcile import clock
from tests.unit.reconcile.stage import Stage
from tests.unit.reconcile.watched import namespace, pod, with_metadata

LIST = [(None, pod()), (None, with_metadata(pod(), uid="two"))]


def shown(*events: tuple[str | None, Mapping[str, Any]]) -> list[bool]:
    """Of each of these events about pods: does it begin a further list?"""
    relists = Relists()
    return [relists.shows(Kind.POD, event, body) for event, body in events]


def test_the_first_list_and_what_follows_it_begin_none() -> None:
    assert not any(shown(*LIST, ("ADDED", with_metadata(pod(), uid="x")), ("MODIFIED", pod())))


def test_a_list_of_what_was_told_before_is_noticed_once() -> None:
    assert shown(*LIST, *LIST) == [False, False, True, False]
    assert shown(*LIST, *LIST, *LIST).count(True) == 2


def test_what_a_watch_told_as_new_comes_again_in_a_list() -> None:
    assert shown(("ADDED", pod()), (None, pod())) == [False, True]


def test_an_object_made_again_is_another() -> None:
    assert not any(shown(*LIST, ("DELETED", pod()), (None, pod())))


def test_the_lists_of_two_kinds_are_not_mixed_up() -> None:
    relists = Relists()
    assert not relists.shows(Kind.POD, None, pod())
    assert not relists.shows(Kind.NAMESPACE, None, pod())


@pytest.mark.row("K3")
@pytest.mark.parametrize("failures", [0, 1])
def test_a_deletion_that_a_watch_lost_is_found_soon_after_it_lists_again(failures: int) -> None:
    async def scenario() -> None:
        stage = Stage()
        for kind in (Kind.IMAGE_CACHE, Kind.RANGE_IMAGES):
            stage.cluster.listed[kind] = []
        await stage.loop.start()
        stage.loop.changed("Namespace", None, namespace())
        stage.cluster.listed[Kind.POD] = []
        await asyncio.sleep(4 * RELIST_SECONDS)
        assert stage.parts.store.pods
        stage.cluster.errors += [ApiUnavailable("not quite back")] * failures
        stage.loop.changed("Namespace", None, namespace())
        await asyncio.sleep(RELIST_SECONDS + failures * SWEEP_AGAIN_SECONDS + 0.1)
        assert not stage.parts.store.pods
        await stage.loop.stop()

    clock.run(scenario())
