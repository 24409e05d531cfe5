"""What people change, as patches: made for one version, keeping what this version cannot read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cyroid_images import edits
from cyroid_images.errors import InvalidReference, InvalidSpec

KALI = "cyroid/kali:latest"
SAMBA = "cyroid/samba-dc:latest"
ODD = {"image": "NOT a name", "newer": True}
"""A row that a newer schema let in."""


def rows(*images: str) -> list[dict[str, Any]]:
    return [{"image": image} for image in images]


def cache(images: list[Any] | None = None, removed: list[Any] | None = None) -> dict[str, Any]:
    spec = {"images": images, "removedImages": removed}
    return {
        "metadata": {"name": "default", "resourceVersion": "42"},
        "spec": {name: value for name, value in spec.items() if value is not None},
    }


def spec_of(patch: edits.Patch | None) -> dict[str, Any]:
    assert patch is not None
    spec: dict[str, Any] = patch["spec"]
    return spec


def merged(body: dict[str, Any], patch: edits.Patch | None) -> dict[str, Any]:
    """The object after the API server took the patch (RFC 7386 for maps of one level)."""
    if patch is None:
        return body
    spec = {**body["spec"], **patch["spec"]}
    return {**body, "spec": {name: value for name, value in spec.items() if value is not None}}


def test_a_push_lists_the_image_behind_what_is_listed() -> None:
    patch = edits.push(cache(rows(SAMBA)), [KALI])
    assert spec_of(patch) == {"images": rows(SAMBA, KALI), "removedImages": None}


def test_each_patch_of_a_list_is_for_the_version_that_it_was_made_from() -> None:
    for patch in (edits.push(cache(), [KALI]), edits.remove(cache(), [KALI])):
        assert patch is not None
        assert patch["metadata"] == {"resourceVersion": "42"}


@pytest.mark.parametrize("spelling", [KALI, "cyroid/kali", "docker.io/cyroid/kali:latest"])
def test_what_is_listed_under_any_spelling_is_not_pushed_again(spelling: str) -> None:
    assert edits.push(cache(rows(KALI)), [spelling]) is None


def test_two_spellings_in_one_push_are_one_row() -> None:
    patch = edits.push(cache(), ["cyroid/kali", KALI])
    assert len(spec_of(patch)["images"]) == 1


def test_a_push_asks_for_its_platform() -> None:
    patch = edits.push(cache(), [KALI], platform="linux/arm64")
    assert spec_of(patch)["images"] == [{"image": KALI, "platform": "linux/arm64"}]


def test_a_push_takes_back_a_removal_and_only_that_one() -> None:
    patch = edits.push(cache(rows(KALI), rows("cyroid/kali", SAMBA)), [KALI])
    assert spec_of(patch) == {"images": rows(KALI), "removedImages": rows(SAMBA)}


def test_a_removal_takes_the_image_off_the_list_and_names_it() -> None:
    patch = edits.remove(cache(rows(KALI, SAMBA)), ["docker.io/cyroid/kali"])
    assert spec_of(patch) == {"images": rows(SAMBA), "removedImages": rows("docker.io/cyroid/kali")}


def test_the_last_listed_image_leaves_no_empty_list() -> None:
    assert spec_of(edits.remove(cache(rows(KALI)), [KALI]))["images"] is None


def test_what_is_removed_already_needs_no_patch() -> None:
    assert edits.remove(cache(rows(SAMBA), rows(KALI)), [KALI]) is None


def test_what_is_listed_and_removed_is_taken_off_the_list() -> None:
    patch = edits.remove(cache(rows(KALI), rows(KALI)), [KALI])
    assert spec_of(patch) == {"images": None, "removedImages": rows(KALI)}


def test_a_push_and_a_removal_undo_each_other() -> None:
    before = cache(rows(SAMBA))
    pushed = merged(before, edits.push(before, [KALI]))
    gone = merged(pushed, edits.remove(pushed, [KALI]))
    assert gone["spec"] == {"images": rows(SAMBA), "removedImages": rows(KALI)}
    again = merged(gone, edits.push(gone, [KALI]))
    assert again["spec"] == pushed["spec"]


def test_rows_of_a_newer_schema_stay_as_they_are() -> None:
    body = cache([ODD, *rows(SAMBA)], [ODD])
    assert spec_of(edits.push(body, [KALI])) == {
        "images": [ODD, *rows(SAMBA, KALI)],
        "removedImages": [ODD],
    }
    assert spec_of(edits.remove(body, [SAMBA])) == {
        "images": [ODD],
        "removedImages": [ODD, *rows(SAMBA)],
    }


def test_a_full_list_takes_no_more_and_says_what_to_do() -> None:
    full = cache(rows(*(f"a/b:{number}" for number in range(edits.MOST_LISTED))))
    with pytest.raises(InvalidSpec, match=r"spec\.images.*128.*take off") as caught:
        edits.push(full, [KALI])
    assert caught.value.path == "spec.images"
    assert edits.push(full, ["a/b:5"]) is None, "it is listed"


def test_a_list_takes_its_last_row() -> None:
    nearly = cache(rows(*(f"a/b:{number}" for number in range(edits.MOST_LISTED - 1))))
    assert len(spec_of(edits.push(nearly, [KALI]))["images"]) == edits.MOST_LISTED


@pytest.mark.parametrize("before", [0, 5, edits.MOST_LISTED - 1, edits.MOST_LISTED])
def test_the_oldest_removals_make_room_for_the_newest(before: int) -> None:
    removed = [f"a/b:{number}" for number in range(before)]
    told = spec_of(edits.remove(cache(removed=rows(*removed)), [KALI, SAMBA]))["removedImages"]
    assert told == rows(*removed[max(0, before + 2 - edits.MOST_LISTED) :], KALI, SAMBA)


def test_more_removals_than_fit_are_refused_not_cut() -> None:
    with pytest.raises(InvalidSpec, match=r"spec\.removedImages.*fewer at a time"):
        edits.remove(cache(), [f"a/b:{number}" for number in range(edits.MOST_LISTED + 1)])


@pytest.mark.parametrize("edit", [edits.push, edits.remove])
def test_a_name_that_is_none_changes_nothing(edit: Any) -> None:
    with pytest.raises(InvalidReference):
        edit(cache(rows(SAMBA)), [KALI, "user:secret@host/x"])


@pytest.mark.parametrize("spec", [None, {}, {"images": None}])
def test_an_object_without_lists_can_be_edited(spec: Any) -> None:
    body = {"metadata": {"resourceVersion": "1"}, "spec": spec}
    assert spec_of(edits.push(body, [KALI]))["images"] == rows(KALI)


def test_the_object_itself_is_not_changed() -> None:
    body = cache(rows(SAMBA), rows("x/y:1"))
    before = json.dumps(body)
    edits.push(body, [KALI, "x/y:1"])
    edits.remove(body, [SAMBA])
    assert json.dumps(body) == before


def test_annotations_ask_for_a_pass_and_for_a_collection() -> None:
    assert edits.reconcile("t1") == {"metadata": {"annotations": {"cyroid.io/reconcile-at": "t1"}}}
    assert edits.collect("t2", dry_run=True) == {
        "metadata": {"annotations": {"cyroid.io/collect": "dry-run/t2"}}
    }
    assert edits.collect("t2", dry_run=False) == {
        "metadata": {"annotations": {"cyroid.io/collect": "run/t2"}}
    }


def test_suspending_is_a_flag_that_is_absent_for_no() -> None:
    assert edits.suspend(on=True) == {"spec": {"suspend": True}}
    assert edits.suspend(on=False) == {"spec": {"suspend": None}}
