"""Names that are easy to confuse reach a range as they are written, each with its own content."""

from __future__ import annotations

import pytest

from tests.parts.engines import EnginePart
from tests.parts.registry import RegistryPart
from tests.parts.site import Site, holds

pytestmark = pytest.mark.slow


def test_p_r3_p_r5_one_path_on_several_hosts_is_another_image_on_each(
    site: Site, registry: RegistryPart, containerd_engine: EnginePart
) -> None:
    """`localhost` is a host as others are; a name without a host is Docker Hub's."""
    path = f"{site.name}/app:1"
    names = {
        text: f"/{number}"
        for number, text in enumerate((f"localhost/{path}", f"quay.example:5000/{path}", path))
    }
    for seed, (text, command) in enumerate(names.items()):
        site.source.load_image(text, ({"seed": bytes([seed])},), {"Cmd": [command]})
    site.cache(registry)
    site.serve("hosts", containerd_engine, list(names))
    site.until("hosts", Ready="True/AllImagesPresent", TarFallback="False")
    for text, command in names.items():
        said = containerd_engine.docker("image", "inspect", "--format", "{{.Config.Cmd}}", text)
        assert said == f"[{command}]"


def test_p_r2_a_digest_reference_is_cached_pulled_and_tagged(
    site: Site, registry: RegistryPart, containerd_engine: EnginePart, classic_engine: EnginePart
) -> None:
    """The digest decides, also when the tag has moved on; the tag is the name in the range."""
    site.source = containerd_engine
    name = f"{site.name}.example/pinned:1"
    containerd_engine.load_image(name, ({"seed": b"first"},), {"Cmd": ["/first"]})
    digest = containerd_engine.docker("image", "inspect", "--format", "{{.Id}}", name)
    site.cache(registry)
    site.serve("digest", classic_engine, [f"{name}@{digest}"])
    site.until("digest", Ready="True/AllImagesPresent", TarFallback="False")
    assert holds(classic_engine, name)
    said = classic_engine.docker("image", "inspect", "--format", "{{.Config.Cmd}}", name)
    assert said == "[/first]"
