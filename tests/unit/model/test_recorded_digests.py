"""S9, B15: what was proven against a source is kept where the registry cannot change it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.platform import Platform
from cyroid_images.model.images.reference import Reference
from cyroid_images.model.kinds.read_status import read_status
from cyroid_images.model.kinds.recorded_digests import digests_to_record, entry_key, read_digests
from cyroid_images.model.kinds.status import (
    DIGEST_BYTES,
    MOST_DIGESTS,
    CacheImageCounts,
    ImageCacheStatus,
)
from cyroid_images.model.knowledge import Wish
from tests.unit.model.references import HOSTS, PATHS, TAGS

ONE, TWO = Digest.of(b"one"), Digest.of(b"two")
REFERENCES = st.builds("{}/{}{}".format, HOSTS, PATHS, TAGS).map(Reference.parse)
PLATFORMS = st.sampled_from(["linux/amd64", "linux/arm64", "linux/arm/v7"]).map(Platform.parse)


def wish(image: str, platform: str | None = None) -> Wish:
    return Wish(Reference.parse(image), Platform.parse(platform) if platform else None)


@given(st.dictionaries(st.builds(Wish, REFERENCES, st.none() | PLATFORMS), st.just(ONE)))
def test_s9_what_is_recorded_reads_back_equal(anchors: dict[Wish, Digest]) -> None:
    digests, omitted = digests_to_record(anchors)
    document = ImageCacheStatus(digests=digests).to_document()
    assert omitted == 0
    assert read_digests(read_status(ImageCacheStatus, document)) == anchors


def test_one_image_for_two_platforms_has_two_entries() -> None:
    assert entry_key(wish("nginx")) == "nginx:latest"
    assert entry_key(wish("nginx", "linux/arm64")) == "nginx:latest linux/arm64"


STRANGE: dict[str, dict[str, Any]] = {
    "another-algorithm": {"redis:7": "blake3:0a"},
    "no-digest": {"redis:7": 5},
    "nothing": {"redis:7": None},
    "no-image": {"Not An Image": str(TWO)},
    "no-platform": {"redis:7 plan9": str(TWO)},
    "an-empty-key": {"": str(TWO)},
}


@pytest.mark.parametrize("strange", STRANGE.values(), ids=STRANGE)
def test_an_entry_that_cannot_be_read_costs_no_other_and_no_other_field(
    strange: dict[str, Any],
) -> None:
    document = {
        "images": {"desired": 2},
        "digests": {"a:1": str(ONE), **strange, "z:1": str(TWO)},
    }
    status = read_status(ImageCacheStatus, document)
    assert read_digests(status) == {wish("a:1"): ONE, wish("z:1"): TWO}
    assert status.images == CacheImageCounts(desired=2)


def test_b15_more_than_128_are_kept() -> None:
    anchors = {wish(f"nginx:{number}"): ONE for number in range(500)}
    assert len(digests_to_record(anchors)[0]) == 500


def test_entries_beyond_the_bound_are_counted_and_those_of_listed_images_kept() -> None:
    anchors = {wish(f"a:{number}"): ONE for number in range(MOST_DIGESTS)}
    digests, omitted = digests_to_record({**anchors, wish("z:1"): TWO}, {wish("z:1")})
    assert (len(digests), omitted, digests["z:1"]) == (MOST_DIGESTS, 1, TWO)


def test_names_that_are_too_long_for_all_of_them_end_at_a_number_of_bytes() -> None:
    anchors = {wish(f"a/{number:0>500}:1"): ONE for number in range(MOST_DIGESTS)}
    digests, omitted = digests_to_record(anchors)
    written = ImageCacheStatus(digests=digests, digests_omitted=omitted).model_dump_json()
    assert len(digests) + omitted == MOST_DIGESTS
    assert 0.9 * DIGEST_BYTES < len(written) < DIGEST_BYTES + 4096
