"""Images of several platforms: never another than the wanted one, and never in a circle."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.parts.apiserver import wait_for
from tests.parts.connections import finished_connections
from tests.parts.engines import EnginePart, NewEngine
from tests.parts.registry import RegistryPart
from tests.parts.save_tars import saved_image
from tests.parts.site import Site, condition

pytestmark = pytest.mark.slow


@pytest.mark.row("S3")
def test_p_s5_an_image_of_another_platform_is_told_and_never_moved(
    site: Site, registry: RegistryPart, containerd_engine: EnginePart
) -> None:
    name = f"{site.name}.example/arm:1"
    site.source.load(saved_image(name, architecture="arm64").tar)
    site.cache(registry)
    site.serve("arm", containerd_engine, [name])
    body = site.until("arm", Ready="False/PlatformMismatch", Stalled="True/PlatformMismatch")
    assert "linux/arm64" in condition(body, "Ready")["message"]
    looks = finished_connections(containerd_engine.port)
    wait_for(
        lambda: len(finished_connections(containerd_engine.port) - looks) >= 6, "more looks", 30
    )
    assert not [line for line in containerd_engine.happened("pull") if site.name in line]
    assert not [line for line in containerd_engine.happened("load") if site.name in line]
    assert not [line for line in site.source.happened("push") if site.name in line]


def test_p_s7_two_platforms_of_one_name_arrive_at_once_and_no_source_tag_moves(
    site: Site,
    registry: RegistryPart,
    old_engine: EnginePart,
    containerd_engine: EnginePart,
    new_engine: NewEngine,
) -> None:
    """Each source has one of them under the name that both ranges write."""
    name = f"{site.name}.example/both:1"
    sources = {"amd64": site.source, "arm64": old_engine}
    for machine, source in sources.items():
        source.load(saved_image(name, ({"m": machine.encode()},), architecture=machine).tar)
    before = {machine: shown(name)(source) for machine, source in sources.items()}
    engines = [
        {"name": machine, "engine": {"endpoint": source.endpoint.url, "insecure": True}}
        for machine, source in sources.items()
    ]
    site.cache(registry, sources=engines)
    targets = {"amd64": new_engine(), "arm64": containerd_engine}
    for machine, target in targets.items():
        site.serve(machine, target, [name], suspend=True)
        wish = {"image": name, "platform": f"linux/{machine}"}
        site.edit(machine, images=[wish], suspend=False)
    for machine, target in targets.items():
        site.until(machine, Ready="True/AllImagesPresent", TarFallback="False")
        assert shown(name)(target).endswith(machine)
    assert {machine: shown(name)(source) for machine, source in sources.items()} == before


def shown(name: str) -> Callable[[EnginePart], str]:
    """ID and machine of the image that an engine has under this name."""

    def look(part: EnginePart) -> str:
        return part.docker("image", "inspect", "--format", "{{.Id}} {{.Architecture}}", name)

    return look
