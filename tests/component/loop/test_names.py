"""Names that are easy to confuse reach a range as they are written, each with its own content."""

from __future__ import annotations

import pytest

from tests.parts.engines import EnginePart, NewEngine
from tests.parts.registry import RegistryPart
from tests.parts.site import Site, holds

pytestmark = pytest.mark.slow


@pytest.mark.row("H9")
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


@pytest.mark.row("H10")
def test_p_r2_a_digest_reference_is_cached_pulled_and_tagged(
    site: Site,
    registry: RegistryPart,
    containerd_engine: EnginePart,
    classic_engine: EnginePart,
    new_engine: NewEngine,
) -> None:
    """The digest decides, in both image stores; the tag is the name in the range."""
    site.source = containerd_engine
    name = f"{site.name}.example/pinned:1"
    containerd_engine.load_image(name, ({"seed": b"first"},), {"Cmd": ["/first"]})
    digest = containerd_engine.docker("image", "inspect", "--format", "{{.Id}}", name)
    site.cache(registry)
    targets = {"classic": classic_engine, "containerd": new_engine(containerd_store=True)}
    for store, engine in targets.items():
        site.serve(store, engine, [f"{name}@{digest}"])
    for store, engine in targets.items():
        site.until(store, Ready="True/AllImagesPresent", TarFallback="False")
        assert holds(engine, name)
        said = engine.docker("image", "inspect", "--format", "{{.Config.Cmd}}", name)
        assert said == "[/first]"
