"""A layer that an engine has in another form does not keep an image from it."""

from __future__ import annotations

import pytest

from tests.parts.engines import NewEngine
from tests.parts.registry import RegistryPart
from tests.parts.save_tars import noise
from tests.parts.site import Site, condition, holds

pytestmark = pytest.mark.slow


def test_an_image_on_a_base_that_came_by_tar_comes_by_tar_too(
    site: Site, registry: RegistryPart, new_engine: NewEngine
) -> None:
    """A containerd store fetches no blob of a layer that it has, and does not list the image."""
    base = {"base": noise(90_000, sum(site.name.encode()))}
    first, second = f"{site.name}.example/first:1", f"{site.name}.example/second:1"
    for image in (first, second):
        site.source.load_image(image, (base, {"own": image.encode()}), {"Cmd": [f"/{image}"]})
    site.cache(registry)
    engine = new_engine(containerd_store=True)
    site.serve("one", engine, [first], delivery="TarOnly")
    site.until("one", Ready="True", TarFallback="True/ForcedBySpec")
    site.edit("one", images=[{"image": first}, {"image": second}], delivery="RegistryOnly")
    body = site.until("one", Ready="False/LoadFailed")
    assert "delivery RegistryThenTar brings it" in condition(body, "Ready")["message"]
    site.edit("one", delivery="RegistryThenTar")
    site.until("one", Ready="True", TarFallback="True", seconds=60)
    assert holds(engine, first, second)
