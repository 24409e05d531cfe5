"""What an older CRD let into the store all the same is told on its object, and told safely."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.parts import objects
from tests.parts.apiserver import ApiServerPart, wait_for
from tests.parts.engines import EnginePart
from tests.parts.registry import RegistryPart
from tests.parts.site import Site, condition, holds

pytestmark = pytest.mark.slow

CRD = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/rangeimages.cyroid.io"
CANARY = "hunter2"


@pytest.fixture
def lax(apiserver: ApiServerPart, site: Site) -> Iterator[Site]:
    """A site whose API server takes every spec of a RangeImages."""
    strict = apiserver.call("GET", CRD)
    loose = json.loads(json.dumps(strict))
    schema = loose["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
    schema["spec"] = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    apiserver.call("PUT", CRD, loose)
    odd = objects.range_images("odd", site.name, images=[{"image": "NO NAME"}])
    path = f"{objects.path_of(odd).rpartition('/')[0]}?dryRun=All"
    wait_for(lambda: apiserver.request("POST", path, odd).is_success, "any spec to be taken", 15)
    yield site
    now = apiserver.call("GET", CRD)["metadata"]["resourceVersion"]
    strict["metadata"]["resourceVersion"] = now
    apiserver.call("PUT", CRD, strict)
    wait_for(lambda: apiserver.request("POST", path, odd).status_code == 422, "the rules", 15)


@pytest.mark.row("H3", "P10")
def test_a_password_in_a_name_is_refused_and_never_repeated(
    lax: Site, registry: RegistryPart, containerd_engine: EnginePart
) -> None:
    began = lax.operator.log_size()
    lax.cache(registry)
    lax.serve("odd", containerd_engine, [f"user:{CANARY}@{lax.name}.example/x:1"])
    body = lax.until("odd", Ready="False/InvalidReference", Stalled="True/InvalidReference")
    assert "spec.images[0]" in condition(body, "Stalled")["message"]
    wait_for(lambda: bool(lax.events("InvalidReference", "odd")), "the event", 5)
    said = [body["status"], lax.events("InvalidReference"), lax.operator.log(began)]
    assert CANARY not in json.dumps(said)


@pytest.mark.row("H10")
def test_a_digest_without_a_tag_says_how_to_write_it(
    lax: Site, registry: RegistryPart, containerd_engine: EnginePart
) -> None:
    name, digest = f"{lax.name}.example/x", f"sha256:{'0a' * 32}"
    lax.cache(registry)
    lax.serve("bare", containerd_engine, [f"{name}@{digest}"])
    body = lax.until("bare", Ready="False/TagRequired", Stalled="True/TagRequired")
    assert "name:tag@sha256" in condition(body, "Stalled")["message"]
    lax.image("x:1")
    lax.edit("bare", images=[{"image": f"{name}:1"}])
    lax.until("bare", Ready="True/AllImagesPresent", Stalled="absent")
    assert holds(containerd_engine, f"{name}:1")
