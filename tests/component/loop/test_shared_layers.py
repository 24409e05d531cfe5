"""A layer that an engine has in another form does not keep an image from it, nor leave it half."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from cyroid_images.model.images.reference import Reference
from cyroid_images.model.telemetry.progress import ignore
from cyroid_images.scheduling.cancel_scope import NEVER
from tests.lab import docker
from tests.parts.engines import EnginePart, NewEngine
from tests.parts.range_engine import LIMITS
from tests.parts.registry import RegistryPart
from tests.parts.save_tars import noise
from tests.parts.saving import assert_saved_whole
from tests.parts.site import Site, condition, holds

pytestmark = pytest.mark.slow


@pytest.fixture(params=docker.VERSIONS, ids=[f"docker-{version}" for version in docker.VERSIONS])
def store(request: pytest.FixtureRequest, new_engine: NewEngine) -> EnginePart:
    """A containerd store of each version: what it says of a half image differs in all of them."""
    return new_engine(version=request.param, containerd_store=True)


@pytest.mark.row("P1", "P4")
def test_an_image_on_a_base_that_came_by_tar_comes_by_tar_too(
    site: Site, registry: RegistryPart, store: EnginePart
) -> None:
    """A containerd store fetches no blob of a layer that it has; what it then has is half."""
    base = base_of(site)
    first, second = f"{site.name}.example/first:1", f"{site.name}.example/second:1"
    for image in (first, second):
        fill(site, image, base)
    site.cache(registry)
    site.serve("one", store, [first], delivery="TarOnly")
    site.until("one", Ready="True", TarFallback="True/ForcedBySpec")
    site.edit("one", images=[{"image": first}, {"image": second}], delivery="RegistryOnly")
    body = site.until("one", Ready="False/LoadFailed")
    assert "set delivery: RegistryThenTar" in condition(body, "Ready")["message"]
    assert second not in store.docker("images", "--format", "{{.Repository}}:{{.Tag}}").split()
    site.edit("one", delivery="RegistryThenTar")
    site.until("one", Ready="True", TarFallback="True", seconds=60)
    assert holds(store, first, second)
    assert_saved_whole(store, second, layers=2)


@pytest.mark.row("P1", "P4")
def test_an_image_on_a_base_that_was_pulled_as_gzip_comes_by_tar_at_once(
    site: Site, registry: RegistryPart, store: EnginePart
) -> None:
    """As when somebody pulled a base from elsewhere: our registry holds it as Zstd."""
    base, image = base_of(site), f"{site.name}.example/on-gzip:1"
    pushed = registry.push_image(f"{site.name}/gzip", "1", layers=(base,))
    name = Reference.parse(f"{registry.pull_host}/{site.name}/gzip@{pushed.parsed.digest}")
    store.engine.pull(name, ignore, limits=LIMITS, cancellation=NEVER)
    store.engine.tag(name, Reference.parse(f"{site.name}.example/base:1"))
    fill(site, image, base)
    site.cache(registry)
    site.serve("one", store, [image])
    site.until("one", Ready="True", TarFallback="True/LoadFailed", seconds=60)
    assert_saved_whole(store, image, layers=2)


def base_of(site: Site) -> dict[str, bytes]:
    return {"base": noise(90_000, sum(site.name.encode()))}


def fill(site: Site, image: str, base: Mapping[str, bytes]) -> None:
    """The source has an image of this base and a layer of its own."""
    layers = (base, {"own": image.encode()})
    site.source.load_image(image, layers, {"Cmd": [f"/{image}"]})
