"""What `explain` says of one name, and what it does not claim to know."""

from __future__ import annotations

from typing import Any

import pytest

from cyroid_images.errors import InvalidReference
from cyroid_images.overview.explain import MOST_RANGES, SourceView, explain
from cyroid_images.overview.images import cached_images
from tests.unit.overview.bodies import (
    ALIAS,
    DIGEST,
    KALI,
    NOT_READY,
    READY,
    a_cache,
    a_range,
    told,
)

ENGINE = {"name": "builder", "engine": {"endpoint": "tcp://b.c:2375", "insecure": True}}
HUB = {"name": "hub", "upstream": {"hosts": ["docker.io"]}}
ARCHIVE = {"name": "files", "archive": {"path": "bundles"}}
SOURCES = [ENGINE, HUB, ARCHIVE]
THERE = {"image": KALI, "digest": DIGEST, "sizeBytes": 5, "source": "builder"}
ABSENT = {"image": KALI, "reason": "ImageNotFound", "message": "no source has it"}


def sources(image: str, status: dict[str, Any]) -> dict[str, SourceView]:
    found = explain(a_cache(status, sources=SOURCES), image, ()).sources
    return {each.name: each for each in found}


def test_it_tells_how_the_name_is_read_and_where_it_is_stored() -> None:
    found = explain(a_cache({"imageStatuses": [THERE]}, images=[{"image": KALI}]), KALI, ())
    assert (found.host, found.path, found.tag, found.is_alias) == (ALIAS, "cyroid/kali", "1", True)
    assert (found.repository, found.stored_tag) == ("local/cyroid/kali", "1")
    assert (found.stored_digest, found.size_bytes, found.source) == (DIGEST, 5, "builder")
    assert found.listed
    assert found.reason is None


def test_another_spelling_of_the_same_image_is_the_same_image() -> None:
    cache = a_cache(
        {"imageStatuses": [THERE]}, aliases=[ALIAS, "cyroid.local:5000"], images=[{"image": KALI}]
    )
    found = explain(cache, "CYROID.local:5000/cyroid/kali:1", [a_range("a")])
    assert (found.listed, found.stored_digest, found.wanted_by) == (True, DIGEST, 1)


def test_a_name_that_nobody_asks_for_has_no_push_and_no_reason() -> None:
    found = explain(a_cache({}), "nginx", ())
    assert (found.push, found.reason, found.listed, found.removed) == (None, None, False, False)
    assert found.wanted_by == 0


def test_a_removed_name_says_so() -> None:
    assert explain(a_cache({}, removedImages=[{"image": KALI}]), KALI, ()).removed


def test_what_is_no_name_raises() -> None:
    with pytest.raises(InvalidReference):
        explain(a_cache({}), "user:secret@host/x", ())


def test_a_source_that_was_never_seen_is_not_said_to_lack_it() -> None:
    found = sources(KALI, {})
    assert [each.has for each in found.values()] == [None, None, None]
    assert found["hub"].what == "not asked: it serves docker.io"


def test_an_engine_that_lists_it_has_it_and_one_whose_whole_list_lacks_it_has_it_not() -> None:
    row = {"image": "cyroid/kali:1", "source": "builder", "id": DIGEST, "inRegistry": False}
    found = sources(KALI, {"sourceImages": [row]})["builder"]
    assert found.has is True
    assert found.what == "has it as cyroid/kali:1, and the registry lacks that content"
    other = {**row, "image": "cyroid/other:1"}
    assert sources(KALI, {"sourceImages": [other]})["builder"].has is False
    cut = {"sourceImages": [other], "sourceImagesOmitted": 1}
    assert sources(KALI, cut)["builder"].has is None


def test_a_source_that_was_asked_in_vain_lacks_it() -> None:
    found = sources("nginx:1", {"imageStatuses": [{**ABSENT, "image": "nginx:1"}]})
    assert (found["hub"].has, found["files"].has) == (False, False)
    given = {**THERE, "image": "nginx:1", "source": "hub"}
    assert sources("nginx:1", {"imageStatuses": [given]})["hub"].has is True


def test_ranges_that_want_it_are_counted_and_those_that_lack_it_are_named() -> None:
    row = {"image": KALI, "reason": "PullFailed", "message": "cut", "pods": 1, "firstPod": "d"}
    ranges = [
        a_range("has", told(READY)),
        a_range("lacks", told(NOT_READY, missing=[row])),
        a_range("unseen"),
        a_range("blind", told(NOT_READY, targets={"matched": 0})),
        a_range("cut", told(NOT_READY, missingOmitted=3)),
        a_range("elsewhere", told(READY), imageCacheRef={"name": "other"}),
        a_range("other", told(READY), images=[{"image": "nginx"}]),
    ]
    found = explain(a_cache({}), KALI, ranges)
    assert (found.wanted_by, found.present_in) == (5, 1)
    assert [(each.range, each.reason) for each in found.lacking] == [
        ("n/lacks", "PullFailed"),
        ("n/unseen", "Unknown"),
        ("n/blind", "ImagesMissing"),
        ("n/cut", "ImagesMissing"),
    ]


def test_ranges_that_may_not_be_read_are_unknown_not_none() -> None:
    found = explain(a_cache({}), KALI, None)
    assert (found.wanted_by, found.present_in) == (None, None)


def test_many_ranges_are_named_up_to_a_bound() -> None:
    found = explain(a_cache({}), KALI, [a_range(f"r{at}") for at in range(100)])
    assert (found.wanted_by, len(found.lacking)) == (100, MOST_RANGES)


def test_images_are_those_of_status_and_those_that_are_listed_and_have_no_row_yet() -> None:
    cache = a_cache(
        {"imageStatuses": [THERE, {"image": "nginx:1", "onDemand": True}, {"image": "Not A Name"}]},
        images=[{"image": KALI}, {"image": "new:1"}],
    )
    rows = {row.image: row for row in cached_images(cache, [a_range("a")])}
    assert list(rows) == [KALI, "nginx:1", "new:1"]
    assert [row.listed for row in rows.values()] == [True, False, True]
    assert (rows[KALI].used_by, rows[KALI].used_by_count) == (("n/a",), 1)
    assert cached_images(cache, None)[0].used_by_count is None
