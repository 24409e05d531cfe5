"""A real API server takes what a blueprint becomes: both kinds, with all rules of their CRDs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from cyroid_images.blueprints.conversion import ConversionOptions, as_yaml, documents
from cyroid_images.blueprints.reading import blueprint_of
from tests.parts import objects
from tests.parts.apiserver import ApiServerPart
from tests.parts.catalog import AMAZING, CATALOG, CatalogBlueprint

pytestmark = pytest.mark.slow

NAMESPACE = "blueprints"
CACHE = "blueprints-cache"
LISTED = "there-before:1"


@pytest.fixture(scope="module")
def server(apiserver: ApiServerPart) -> Iterator[ApiServerPart]:
    """The API server with our kinds, a namespace, and a cache that an admin made."""
    apiserver.install_crds()
    apiserver.put_namespace(NAMESPACE)
    body = objects.image_cache(CACHE, images=[{"image": LISTED}])
    made = apiserver.kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps(body))
    assert made.returncode == 0, made.stderr
    yield apiserver
    apiserver.request("DELETE", objects.path_of(body))


def converted(blueprint: CatalogBlueprint, *, has_bundle: bool = False) -> str:
    found = blueprint_of(blueprint.document(), blueprint.name)
    options = ConversionOptions(namespace=NAMESPACE, event="spring", cache=CACHE, range_id="r01")
    return as_yaml(documents(found, options, has_bundle=has_bundle))


def apply(server: ApiServerPart, text: str, manager: str, *flags: str) -> None:
    """As the comment in the YAML says it."""
    server_side = ("--server-side", f"--field-manager={manager}", *flags)
    done = server.kubectl("apply", *server_side, "-f", "-", stdin=text)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("blueprint", CATALOG, ids=lambda each: each.name)
def test_both_kinds_of_each_blueprint_are_taken(
    server: ApiServerPart, blueprint: CatalogBlueprint
) -> None:
    text = converted(blueprint, has_bundle=True)
    apply(server, text, blueprint.name)
    ranges = stored(server, "rangeimages", blueprint.name)
    assert [each["image"] for each in ranges["spec"]["images"]] == list(blueprint.images)
    assert ranges["spec"]["imageCacheRef"] == {"name": CACHE}
    assert ranges["metadata"]["labels"] == {"cyroid.io/event": "spring"}


def test_what_the_cache_listed_before_stays(server: ApiServerPart) -> None:
    """Two blueprints that share images, one after the other."""
    for blueprint in (CATALOG[1], CATALOG[2], CATALOG[2]):
        apply(server, converted(blueprint, has_bundle=True), blueprint.name)
    cache = server.call("GET", f"{objects.API}/imagecaches/{CACHE}")["spec"]
    listed = [each["image"] for each in cache["images"]]
    assert LISTED in listed
    assert set(CATALOG[1].images) | set(CATALOG[2].images) <= set(listed)
    assert len(listed) == len(set(listed))
    assert cache["sources"] == [{"name": "bundles", "archive": {"path": "bundles"}}]
    assert cache["registry"]["pullHost"]


def test_a_platform_arrives(server: ApiServerPart) -> None:
    apply(server, converted(AMAZING), AMAZING.name)
    images = stored(server, "rangeimages", AMAZING.name)["spec"]["images"]
    assert images[0] == {"image": "dockurr/windows:latest", "platform": "linux/amd64"}
    assert images[1] == {"image": "linuxserver/webtop:ubuntu-xfce"}


def stored(server: ApiServerPart, plural: str, name: str) -> dict[str, Any]:
    return server.call("GET", f"{objects.API}/namespaces/{NAMESPACE}/{plural}/{name}")
