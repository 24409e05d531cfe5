"""What the registry of a cache holds and lacks, as far as it is known."""

from __future__ import annotations

from typing import Any

import pytest

from cyroid_images.model.images.reference import Reference
from cyroid_images.model.kinds.image_cache import ImageCache
from cyroid_images.overview.places import is_shown, name_of, names_of
from cyroid_images.overview.registry import (
    cache_row,
    host_images,
    is_healthy,
    is_unknown,
    presence,
    stats,
    unpushed,
)
from cyroid_images.overview.used_by import stored_as
from tests.parts import objects
from tests.unit.overview.examples import SHA, a_cache, condition, stored

ENGINE = {"name": "builder", "engine": {"endpoint": "tcp://b:2375", "insecure": True}}
HUB = {"name": "hub", "upstream": {"hosts": ["docker.io"]}}
SEEN = condition("SourceAvailable", "True", "Available")


def at_source(image: str, **more: Any) -> dict[str, Any]:
    return {"image": image, "source": "builder", "id": SHA, **more}


def cache_of(*sources: dict[str, Any], **status: Any) -> ImageCache:
    body = objects.image_cache("default", sources=list(sources), aliases=["127.0.0.1:5000"])
    return ImageCache.parse(stored(body, **status))


@pytest.mark.parametrize(
    ("conditions", "healthy"),
    [
        ([], None),
        ([condition("RegistryAvailable", "Unknown", "Progressing")], None),
        ([condition("RegistryAvailable", "True", "Available")], True),
        ([condition("RegistryAvailable", "False", "RegistryFull")], False),
    ],
)
def test_a_registry_is_healthy_unhealthy_or_unknown(
    conditions: list[dict[str, Any]], healthy: bool | None
) -> None:
    cache = a_cache(conditions=conditions)
    assert is_healthy(cache) is healthy
    assert stats(cache, None).healthy is healthy
    assert (stats(cache, None).image_count, stats(cache, (2, 3)).tag_count) == (None, 3)


def test_a_version_that_nobody_looked_at_is_not_ready_and_not_unready() -> None:
    old = [condition("Ready", "True", "AllImagesCached", generation=2)]
    assert cache_row(a_cache(conditions=old)).ready is None
    now = [condition("Ready", "False", "ImagesMissing")]
    assert (cache_row(a_cache(conditions=now)).ready, cache_row(a_cache()).ready) == (False, None)


def test_only_what_is_surely_lacking_is_unpushed() -> None:
    rows = [at_source("a:1", inRegistry=False), at_source("b:1", inRegistry=True), at_source("c:1")]
    assert [each.image for each in unpushed(a_cache(sourceImages=rows))] == ["a:1"]


def test_names_of_one_content_are_one_image_of_the_host() -> None:
    rows = [
        at_source("a:1", inRegistry=True),
        at_source("a:2"),
        at_source("b:1", id=SHA[:-1] + "b"),
    ]
    first, second = host_images(a_cache(sourceImages=rows))
    assert (first.tags, first.in_registry) == (("a:1", "a:2"), None)
    assert second.tags == ("b:1",)


@pytest.mark.parametrize(
    ("rows", "digest", "expected"),
    [
        ([], "", (False, None, False)),
        ([], None, (None, None, False)),
        ([at_source("kali:1", inRegistry=True)], SHA, (True, True, False)),
        ([at_source("kali:1", inRegistry=False)], SHA, (True, True, True)),
        ([at_source("kali:1")], SHA, (True, True, False)),
        ([at_source("kali:1")], "", (False, True, True)),
        ([at_source("kali:1")], None, (None, True, None)),
        ([at_source("other:1")], "", (False, False, False)),
    ],
)
def test_where_an_image_is(
    rows: list[dict[str, Any]], digest: str | None, expected: tuple[bool | None, ...]
) -> None:
    cache = cache_of(ENGINE, conditions=[SEEN], sourceImages=rows)
    found = presence(cache, Reference.parse("kali:1"), digest, None)
    assert (found.in_registry, found.on_host, found.needs_push) == expected


AWAY = condition("SourceAvailable", "False", "SourceUnreachable")
OTHER = [at_source("other:1")]


@pytest.mark.parametrize(
    ("sources", "status", "unknown"),
    [
        ([ENGINE], {"conditions": [SEEN], "sourceImages": OTHER}, True),
        ([ENGINE], {"conditions": [SEEN], "sourceImages": [at_source("kali:1")]}, False),
        ([ENGINE], {"conditions": [SEEN], "sourceImages": [at_source("127.0.0.1:5000/x:1")]}, True),
        ([ENGINE], {"conditions": [AWAY], "sourceImages": OTHER}, False),
        ([ENGINE], {"conditions": [SEEN]}, False),
        ([ENGINE], {"conditions": [SEEN], "sourceImages": OTHER, "sourceImagesOmitted": 1}, False),
        ([ENGINE, HUB], {"conditions": [SEEN], "sourceImages": OTHER}, False),
        ([HUB], {"imageStatuses": [{"image": "kali:1", "reason": "ImageNotFound"}]}, True),
        ([HUB], {"imageStatuses": [{"image": "kali:1", "reason": "SourceUnreachable"}]}, False),
        ([], {}, False),
    ],
)
def test_only_what_surely_nobody_has_is_unknown(
    sources: list[dict[str, Any]], status: dict[str, Any], unknown: bool
) -> None:
    why = is_unknown(cache_of(*sources, **status), Reference.parse("kali:1"))
    assert (why is not None) is unknown


@pytest.mark.parametrize(
    "image",
    [
        "nginx:1",
        "cyroid/kali:latest",
        "ghcr.io/a/b:1",
        "registry.example:5000/a/b:1",
        "localhost/a:1",
        "127.0.0.1:5000/cyroid/kali:1",
        "a.b-c/d__e/f.g:1",
    ],
)
def test_a_name_is_found_again_from_its_place(image: str) -> None:
    cache = cache_of()
    repository, tag = stored_as(cache, Reference.parse(image))
    name = name_of(cache, repository)
    assert name is not None
    assert stored_as(cache, Reference.parse(f"{name}:{tag}")) == (repository, tag)
    assert f"{name}:{tag}" == image


@pytest.mark.parametrize(
    "repository",
    ["team/app", "x__long/0123", "library", "docker.io/", "docker.io", "local/", "a_b/c"],
)
def test_what_is_not_ours_has_no_name(repository: str) -> None:
    assert name_of(cache_of(), repository) is None


def test_an_alias_is_needed_for_what_is_stored_below_it() -> None:
    assert name_of(a_cache(), "local/cyroid/kali") is None


def test_long_names_are_known_from_who_asked_for_them() -> None:
    long = f"ghcr.io/{'a' * 120}/{'b' * 120}:1"
    cache = a_cache(long)
    place = stored_as(cache, Reference.parse(long))
    assert place[0].startswith("x__long/")
    assert str(names_of(cache)[place]) == long


def test_tags_that_only_keep_a_manifest_are_not_shown() -> None:
    assert is_shown("latest")
    assert is_shown("_by-0123")
    assert not is_shown("_pin-0123")
