"""What a cache remembers of its registry: losses, foreign tags, and what credentials change."""

from __future__ import annotations

from dataclasses import replace

from cyroid_images.errors import Reason
from cyroid_images.model.registry import Credentials
from cyroid_images.reconcile.cache_memory import CacheMemory
from tests.unit.plan.examples import NOW, REGISTRY, cache_item, digest, failure, stored, wish


def memory() -> CacheMemory:
    return CacheMemory.of(cache_item("nginx:1.25"), NOW)


def test_other_credentials_make_what_was_refused_worth_another_try() -> None:
    mine = memory()
    mine.dials(REGISTRY)
    mine.refused(wish(), failure(Reason.UNAUTHORIZED))
    mine.refused(wish("nginx:1.26"), failure(Reason.PUSH_FAILED))
    mine.dials(REGISTRY)
    assert wish() in mine.failures
    mine.dials(replace(REGISTRY, credentials=Credentials("cyroid", "another")))
    assert list(mine.failures) == [wish("nginx:1.26")]
    assert mine.write is None


def test_only_what_was_there_is_refilled_and_until_it_is_back() -> None:
    mine = memory()
    mine.lost(wish())
    assert mine.refilling == set()
    mine.found(wish(), stored(), 1.0)
    mine.lost(wish())
    assert mine.refilling == {wish()}
    mine.pushed(wish(), stored(), 2.0)
    assert mine.refilling == set()


def test_a_tag_that_names_content_of_ours_is_nobody_elses() -> None:
    mine = memory()
    mine.found(wish(), stored(), 1.0)
    mine.found(wish("nginx:1.26"), stored("two"), 1.0)
    mine.tagged(wish(), stored("two").manifest.digest)  # two platforms share one tag
    assert mine.foreign == {}
    mine.tagged(wish(), digest("theirs"))
    assert mine.foreign == {wish(): digest("theirs")}
    mine.tagged(wish(), stored().manifest.digest)
    assert mine.foreign == {}
