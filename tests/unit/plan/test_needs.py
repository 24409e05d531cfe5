"""What keeps images in a registry, whoever of several caches fills it."""

from __future__ import annotations

from typing import Any

import pytest

from cyroid_images.model.kinds.image_cache import ImageCache
from cyroid_images.model.kinds.range_images import RangeImages
from cyroid_images.model.knowledge import ImageRecord
from cyroid_images.model.removal import Wanters
from cyroid_images.plan.needs import digests_needed, sharing, wanters
from tests.unit.plan.examples import cache_body, cache_view, digest, range_body, stored, wish

NGINX = ("docker.io/library/nginx", "1.25")


def cache(name: str = "default", status: Any = None, **spec: Any) -> ImageCache:
    return ImageCache.parse(cache_body(name, status, **spec))


def ranges(name: str, *images: str, of: str = "default") -> RangeImages:
    rows = [{"image": image} for image in images]
    return RangeImages.parse(range_body(name, images=rows, imageCacheRef={"name": of}))


def over(push: str, pull: str = "pull.example:5000") -> dict[str, Any]:
    return {"registry": {"pushURL": push, "pullHost": pull}}


def by_name(*caches: ImageCache) -> dict[str, ImageCache]:
    return {each.metadata.name: each for each in caches}


def test_lists_and_ranges_want_images_and_are_named() -> None:
    found = wanters(
        by_name(cache(images=[{"image": "nginx:1.25"}])),
        [ranges("b", "nginx:1.25", "kali"), ranges("a", "docker.io/library/nginx:1.25")],
    )
    assert found[NGINX] == Wanters("default/a", 3)
    assert str(found[NGINX]) == "default/a and 2 more"
    assert str(found["docker.io/library/kali", "latest"]) == "default/b"


def test_a_range_of_another_registry_wants_nothing_here() -> None:
    theirs = [ranges("a", f"nginx:1.25@{digest('theirs')}", of="other")]
    assert not wanters(by_name(cache()), theirs)
    assert digests_needed([NGINX[0]], by_name(cache()), theirs, {}) == {NGINX[0]: frozenset()}


def test_each_cache_reads_names_with_its_own_aliases() -> None:
    mine = cache("mine", aliases=["registry.example"])
    theirs = cache("theirs", images=[{"image": "registry.example/kali:1"}])
    found = wanters(by_name(mine, theirs), [ranges("a", "registry.example/kali:1", of="mine")])
    assert set(found) == {("local/kali", "1"), ("registry.example/kali", "1")}
    assert str(found["registry.example/kali", "1"]) == "spec.images of ImageCache theirs"


def test_every_digest_that_a_wanted_image_is_known_by_is_needed() -> None:
    """As written, as recorded, and as the registry has it; of what nobody wants none."""
    recorded = {
        "digests": {"nginx:1.25": str(digest("recorded")), "nginx:old": str(digest("old"))},
    }
    image = f"nginx:1.26@{digest('written')}"
    views = {"default": cache_view({wish(): ImageRecord(stored().content, stored())})}
    asked = [ranges("a", "nginx:1.25", image, "kali:1")]
    found = digests_needed([NGINX[0]], by_name(cache(status=recorded)), asked, views)
    wanted = {digest("recorded"), digest("written"), stored().manifest.digest}
    assert set(found) == {NGINX[0]}
    assert wanted < found[NGINX[0]]
    assert digest("old") not in found[NGINX[0]]


@pytest.mark.parametrize(
    ("push", "pull", "is_shared"),
    [
        ("http://reg.example:5001", "other.example:5000", True),
        ("https://REG.example:5001", "other.example:5000", True),
        ("http://reg.example", "other.example:5000", False),
        ("http://reg.example:5002", "other.example:5000", False),
        ("http://10.0.0.1:5001", "Pull.example:5000", True),
    ],
)
def test_caches_share_a_registry_by_either_of_its_names(
    push: str, pull: str, *, is_shared: bool
) -> None:
    mine = cache("mine", **over("http://reg.example:5001"))
    other = cache("other", **over(push, pull))
    assert sharing(mine, [mine, other]) == ([mine, other] if is_shared else [mine])


def test_the_usual_port_of_a_scheme_may_be_written() -> None:
    mine, other = (
        cache("a", **over("https://r.example")),
        cache("b", **over("http://r.example:443", "x.y")),
    )
    assert sharing(mine, [mine, other]) == [mine, other]
