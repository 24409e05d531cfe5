"""Who wants an image: two spellings of one place in the registry are one image."""

from __future__ import annotations

from cyroid_images.model.images.reference import Reference
from cyroid_images.overview.used_by import stored_as, used_by
from tests.unit.overview.examples import SHA, a_cache, a_range

CACHE = a_cache(aliases=("127.0.0.1:5000", "reg.example"))


def test_ranges_that_spell_an_image_by_different_aliases_want_the_same() -> None:
    ranges = [
        a_range("b", images=("reg.example/cyroid/kali:1",)),
        a_range("a", images=("127.0.0.1:5000/cyroid/kali:1", "nginx")),
        a_range("c", images=("cyroid/kali:1",)),
    ]
    assert used_by(CACHE, ranges) == {
        ("local/cyroid/kali", "1"): ("red/a", "red/b"),
        ("docker.io/library/nginx", "latest"): ("red/a",),
        ("docker.io/cyroid/kali", "1"): ("red/c",),
    }


def test_a_range_that_spells_it_twice_wants_it_once() -> None:
    twice = a_range("a", images=("reg.example/x:1", "127.0.0.1:5000/x:1"))
    assert used_by(CACHE, [twice]) == {("local/x", "1"): ("red/a",)}


def test_ranges_of_another_cache_want_nothing_of_this_one() -> None:
    other = a_range("a", spec={"imageCacheRef": {"name": "other"}})
    assert used_by(CACHE, [other]) == {}


def test_an_image_by_digest_alone_has_a_place_of_its_own() -> None:
    by_tag = stored_as(CACHE, Reference.parse("nginx:1"))
    pinned = stored_as(CACHE, Reference.parse(f"nginx@{SHA}"))
    assert by_tag[0] == pinned[0]
    assert pinned[1] == f"_by-{'a' * 40}"
