"""A range that wants an image just when the registry lost it waits for the refill, no longer."""

from __future__ import annotations

import pytest

from tests.chaos.stack import wipe
from tests.parts.engines import EnginePart, NewEngine
from tests.parts.registry import NewRegistry
from tests.parts.site import Site, condition, holds

pytestmark = pytest.mark.slow


@pytest.mark.row("R13")
def test_a_pull_that_finds_an_emptied_registry_is_done_once_it_is_refilled(
    site: Site, new_registry: NewRegistry, containerd_engine: EnginePart, new_engine: NewEngine
) -> None:
    registry, late, images = new_registry(), new_engine(), [site.image("lost:1")]
    site.cache(registry, refresh={"interval": "10m"})
    site.serve("early", containerd_engine, images)
    site.until("early", Ready="True")
    registry.stop()
    wipe(registry)
    registry.start()
    site.serve("late", late, images, delivery="RegistryOnly")
    body = site.until("late", Ready="True", TarFallback="False", seconds=20)
    assert condition(body, "RegistryAvailable")["status"] == "True"
    assert holds(late, *images)
    site.until("early", Ready="True")
