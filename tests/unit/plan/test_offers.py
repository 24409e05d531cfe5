"""What engine sources offer unasked, what of it goes into the registry, and what is said of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cyroid_images.errors import Reason
from cyroid_images.model.actions import Push
from cyroid_images.model.archive import ArchiveImage, ArchiveView
from cyroid_images.model.images.reference import Reference
from cyroid_images.model.kinds.image_cache import ImageCache
from cyroid_images.model.knowledge import HeldByEngine
from cyroid_images.model.observed import CacheSeen, SourceSeen
from cyroid_images.model.offer import Offer, Offers
from cyroid_images.plan.offers import (
    automatic,
    believed,
    created_at,
    due_unasked,
    goes_on,
    kept_unasked,
    offered,
)
from cyroid_images.plan.status import cache_report
from tests.parts.conformance import assert_status_conforms
from tests.unit.plan.examples import (
    REGISTRY,
    cache_body,
    cache_item,
    cache_seen,
    content,
    failure,
    fault,
    source,
    source_seen,
    stored,
    view,
    wish,
)

SOURCES = [{"name": "builder", "engine": {"endpoint": "tcp://10.0.0.9:2376", "insecure": True}}]


def names(sources: list[SourceSeen], **spec: Any) -> list[str]:
    chosen, _ = offered(sources, cache_item(**spec), {})
    return [str(each.reference) for each, _ in chosen]


def built(word: str, created: str) -> Any:
    return replace(content(word), created=created)


def lacking(name: str = "kali:1", word: str = "kali", **about: Any) -> Offer:
    usual = {"is_looked_up": True, "is_lacking": True}
    return Offer(wish(name), source(word), **{**usual, **about})


def seen_with(*offers: Offer, item: ImageCache | None = None, **seen: Any) -> CacheSeen:
    usual = {"wishes": {}, "offers": Offers(offers)}
    automatic_item = cache_item(pushPolicy="Automatic", sources=SOURCES)
    return cache_seen(item or automatic_item, **{**usual, **seen})


# -- what is offered ------------------------------------------------------------------


def test_named_images_are_offered_the_newest_first_and_by_name_where_none_tells() -> None:
    shown = view(
        {
            "old:1": built("old", "2024-01-01T00:00:00Z"),
            "b:1": content("b"),
            "new:1": built("new", "2026-01-01T00:00:00.5Z"),
            "a:1": content("a"),
        },
        {"pulled@sha256:" + "a" * 64: content("pulled")},
    )
    assert names([source_seen(shown)]) == ["new:1", "old:1", "a:1", "b:1"]


def test_what_appeared_last_is_offered_first_however_old_it_is() -> None:
    shown = view({"new:1": built("new", "2026-01-01T00:00:00Z"), "loaded:1": content("loaded")})
    loaded = Reference.parse("loaded:1")
    appeared = {(loaded, shown.images[loaded].id): 1}
    chosen, _ = offered([source_seen(shown)], cache_item(), appeared)
    assert [str(each.reference) for each, _ in chosen] == ["loaded:1", "new:1"]


def test_names_of_ours_and_of_the_registrys_own_address_are_no_offers() -> None:
    """But an address that is an alias is how a blueprint spells the registry."""
    shown = view(
        {
            "transfer.cyroid.io/image:abc": content("a"),
            "127.0.0.1:5000/docker.io/library/nginx:1": content("b"),
            "lab/tool:1": content("c"),
        }
    )
    where = {"registry": {"pushURL": "http://127.0.0.1:5001", "pullHost": "127.0.0.1:5000"}}
    assert names([source_seen(shown)], **where) == ["lab/tool:1"]
    aliased = names([source_seen(shown)], aliases=["127.0.0.1:5000"], **where)
    assert set(aliased) == {"lab/tool:1", "127.0.0.1:5000/docker.io/library/nginx:1"}


def test_the_first_source_of_a_name_is_the_one_that_a_push_would_take() -> None:
    first = source_seen(view({"tool:1": content("one")}), "first")
    second = source_seen(view({"tool:1": content("two"), "other:1": content("two")}), "second")
    chosen, omitted = offered([first, second], cache_item(), {})
    assert {str(each.reference): held.source for each, held in chosen} == {
        "tool:1": "first",
        "other:1": "second",
    }
    assert omitted == 0


def test_a_name_that_an_earlier_archive_gives_is_no_offer_of_an_engine() -> None:
    held = ArchiveImage("a.tar", frozenset({Reference.parse("tool:1")}), content("x"), b"{}", ())
    engine = source_seen(view({"tool:1": content("one")}))
    assert names([SourceSeen("bundles", ArchiveView((held,))), engine]) == []
    assert names([engine, SourceSeen("bundles", ArchiveView((held,)))]) == ["tool:1"]


def test_no_more_than_256_are_listed_and_the_others_counted() -> None:
    shown = view({f"n{number:04}:1": content(str(number)) for number in range(300)})
    chosen, omitted = offered([source_seen(shown)], cache_item(), {})
    assert (len(chosen), omitted) == (256, 44)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("2026-01-02T03:04:05.678Z", "2026-01-02T03:04:05+00:00"),
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05+00:00"),
        ("", None),
        ("yesterday", None),
        ("9" * 500, None),
    ],
)
def test_when_it_was_built_is_told_where_it_is_a_moment(text: str, told: str | None) -> None:
    held = replace(source(), content=replace(content(), created=text))
    found = created_at(held)
    assert (found.isoformat() if found else None) == told


# -- what is pushed unasked -----------------------------------------------------------


def pushed(seen: CacheSeen, *running: Push) -> list[str]:
    pushes = automatic(seen, REGISTRY)
    return [str(each.wish.reference) for each in due_unasked(pushes, seen, running)]


def test_only_automatic_pushes_what_nobody_asked_for() -> None:
    assert pushed(seen_with(lacking())) == ["kali:1"]
    assert pushed(seen_with(lacking(), item=cache_item(sources=SOURCES))) == []


def test_what_is_there_or_not_looked_up_yet_is_not_pushed() -> None:
    there = lacking(is_lacking=False, stored=stored("kali"))
    unknown = lacking(is_looked_up=False, is_lacking=False)
    assert pushed(seen_with(there)) == []
    assert pushed(seen_with(unknown)) == []


def test_what_somebody_wants_is_left_to_its_own_step() -> None:
    assert pushed(seen_with(lacking(), wishes={wish("kali:1"): True})) == []
    assert pushed(seen_with(lacking(), wishes={wish("kali:1"): False})) == ["kali:1"]


def test_what_is_to_be_removed_is_never_pushed_whichever_way_it_is_spelled() -> None:
    item = cache_item(
        pushPolicy="Automatic",
        sources=SOURCES,
        aliases=["127.0.0.1:5000", "lab.local:5000"],
        removedImages=[{"image": "127.0.0.1:5000/kali:1"}],
    )
    assert pushed(seen_with(lacking("lab.local:5000/kali:1"), item=item)) == []
    assert pushed(seen_with(lacking("lab.local:5000/kali:2"), item=item)) != []


def test_a_pinned_name_keeps_its_first_content() -> None:
    item = cache_item(pushPolicy="Automatic", sources=SOURCES, refresh={"policy": "Pin"})
    moved = seen_with(lacking(), item=item, anchors={wish("kali:1"): stored("old").manifest.digest})
    assert pushed(moved) == []
    assert pushed(seen_with(lacking(), item=item)) == ["kali:1"]


def test_two_at_a_time_and_none_while_the_registry_refuses() -> None:
    offers = [lacking(f"n{number}:1", f"word {number}") for number in range(5)]
    seen = seen_with(*offers)
    first, second = due_unasked(automatic(seen, REGISTRY), seen, ())
    assert pushed(seen, first, second) == []
    assert len(pushed(seen, first)) == 1
    assert pushed(replace(seen, registry=fault(Reason.REGISTRY_UNREACHABLE))) == []
    assert pushed(replace(seen, write=fault(Reason.REGISTRY_FULL))) == []


def test_one_that_the_registry_refused_holds_the_others_and_another_failure_only_itself() -> None:
    other = lacking("other:1", "other")
    full = seen_with(lacking(failure=failure(Reason.REGISTRY_FULL)), other)
    assert pushed(full) == []
    gone = seen_with(lacking(failure=failure(Reason.SOURCE_CHANGED)), other)
    assert pushed(gone) == ["other:1"]
    due = seen_with(lacking(failure=failure(Reason.REGISTRY_FULL, due=0.0)), other)
    assert set(pushed(due)) == {"kali:1", "other:1"}


def test_a_push_goes_on_while_it_is_offered_or_its_source_cannot_be_seen() -> None:
    seen = seen_with(lacking())
    pushes = automatic(seen, REGISTRY)
    (push,) = pushes
    assert goes_on(push, pushes, seen)
    moved = replace(push, source=source("moved"))
    assert not goes_on(moved, pushes, seen)
    away = seen_with(sources=(source_seen(fault(Reason.ENGINE_UNREACHABLE)),))
    assert goes_on(push, (), away)
    assert not goes_on(push, (), seen_with(sources=(source_seen(view()),)))
    assert not goes_on(push, pushes, replace(seen, item=cache_item(sources=SOURCES)))


def test_what_automatic_keeps_in_the_registry_is_believed_and_nothing_else() -> None:
    there = lacking(is_lacking=False, stored=stored("kali"))
    told = [(wish("kali:1"), stored("kali").manifest.digest)]
    assert list(believed(seen_with(there, lacking("b:1", "b")))) == told
    assert believed(seen_with(there, item=cache_item(sources=SOURCES))) == ()
    assert believed(seen_with(there, wishes={wish("kali:1"): True})) == ()


def test_what_the_policy_keeps_is_in_use_also_while_its_source_cannot_be_seen() -> None:
    automatic_of = {"pushPolicy": "Automatic", "sources": SOURCES}
    removed = [{"image": "old:1"}]
    item = cache_item(**automatic_of, removedImages=removed)
    seen = seen_with(lacking(), lacking("old:1"), item=item)
    assert kept_unasked(seen) == {wish("kali:1")}
    away = (source_seen(fault(Reason.ENGINE_UNREACHABLE)),)
    told = replace(item, status=before("kali:1", "old:1").status)
    assert kept_unasked(seen_with(item=told, sources=away)) == {wish("kali:1")}
    assert kept_unasked(seen_with(item=told, sources=(source_seen(view()),))) == frozenset()
    assert kept_unasked(seen_with(lacking(), item=cache_item(sources=SOURCES))) == frozenset()


# -- what is said ---------------------------------------------------------------------


def told(seen: CacheSeen) -> dict[str, Any]:
    status = cache_report.report(seen, (), ()).to_document()
    body = cache_body()
    assert_status_conforms({"kind": "ImageCache", "metadata": body["metadata"], "status": status})
    return status


def rows(seen: CacheSeen) -> list[tuple[str, bool | None]]:
    return [(row["image"], row.get("inRegistry")) for row in told(seen).get("sourceImages", [])]


def test_what_the_registry_lacks_stands_first_then_what_is_not_known() -> None:
    unknown = lacking("unknown:1", is_looked_up=False, is_lacking=False)
    there = lacking("there:1", is_lacking=False, stored=stored("kali"))
    seen = seen_with(there, unknown, lacking("lacks:1"))
    assert rows(seen) == [("lacks:1", False), ("unknown:1", None), ("there:1", True)]


def test_offers_change_neither_counts_nor_conditions() -> None:
    plain, item = cache_item(), cache_item("nginx:1.25")
    failing = lacking(failure=failure(Reason.REGISTRY_FULL))
    for each in (plain, item):
        without = told(cache_seen(each, wishes={}))
        with_offers = told(cache_seen(each, wishes={}, offers=Offers((failing, lacking("b:1")))))
        (row,) = with_offers.pop("failures")
        assert (row["image"], row["reason"]) == ("kali:1", "RegistryFull")
        assert len(with_offers.pop("sourceImages")) == 2
        assert with_offers == without


def test_a_push_that_failed_says_so_in_its_row() -> None:
    (row,) = told(seen_with(lacking(failure=failure(Reason.REGISTRY_FULL))))["sourceImages"]
    assert (row["reason"], row["inRegistry"]) == ("RegistryFull", False)


def before(*images: str, **more: Any) -> ImageCache:
    row = {"source": "builder", "id": str(source("kali").id), "inRegistry": True}
    status = {"sourceImages": [{"image": each, **row} for each in images], **more}
    return cache_item(status=status, sources=SOURCES)


def test_of_a_source_that_cannot_be_seen_the_rows_stay() -> None:
    away = (source_seen(fault(Reason.ENGINE_UNREACHABLE)),)
    assert rows(seen_with(item=before("kali:1"), sources=away)) == [("kali:1", True)]
    here = (source_seen(view()),)
    assert rows(seen_with(item=before("kali:1"), sources=here)) == []
    other = replace(source_seen(fault(Reason.ENGINE_UNREACHABLE)), name="another")
    assert rows(seen_with(item=before("kali:1"), sources=(other,))) == []
    many = before(*(f"n{number}:1" for number in range(256)), sourceImagesOmitted=7)
    assert told(seen_with(item=many, sources=away))["sourceImagesOmitted"] == 7


def test_what_was_known_of_an_image_stands_until_the_registry_was_asked_again() -> None:
    unasked = lacking(is_looked_up=False, is_lacking=False)
    assert rows(seen_with(unasked, item=before("kali:1"))) == [("kali:1", True)]
    moved = replace(unasked, held=replace(source("new"), source="builder"))
    assert isinstance(moved.held, HeldByEngine)
    assert rows(seen_with(moved, item=before("kali:1"))) == [("kali:1", None)]


def test_the_first_round_of_looks_says_nothing_new() -> None:
    item = before("kali:1")
    seen = seen_with(item=item, offers=Offers((lacking("new:1"),), is_settled=False))
    assert rows(seen) == [("kali:1", True)]


def test_of_two_spellings_of_one_name_one_is_pushed() -> None:
    """Both would go under one tag, and each would lack as long as it names the other."""
    aliases = ["127.0.0.1:5000", "localhost:5000"]
    item = cache_item(pushPolicy="Automatic", sources=SOURCES, aliases=aliases)
    new, old = lacking("localhost:5000/x:1", "new"), lacking("127.0.0.1:5000/x:1", "old")
    pushes = automatic(seen_with(new, old, item=item), REGISTRY)
    assert [str(each.wish.reference) for each in pushes] == ["localhost:5000/x:1"]
