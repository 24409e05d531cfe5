"""A registry whose content is damaged or lost: told as what it is, mended where that can be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.manifest import Manifest
from cyroid_images.registry.client import RegistryClient
from tests.parts.apiserver import wait_for
from tests.parts.engines import EnginePart
from tests.parts.images import tiny_image
from tests.parts.proxy import Line, NewProxy
from tests.parts.registry import NewRegistry, RegistryPart
from tests.parts.site import Site, condition, holds

pytestmark = pytest.mark.slow


@dataclass(frozen=True, slots=True)
class Cached:
    """An image in the registry of a site."""

    image: str
    repository: str
    digest: Digest
    manifest: Manifest


def cached(site: Site, registry: RegistryPart, name: str, **how: str) -> Cached:
    """Make an image and have it brought into the registry; `how` it is reached."""
    image = site.image(name)
    site.cache(registry, images=[{"image": image}], registry=how)
    (row,) = site.until_cache(Ready="True/AllImagesCached")["status"]["imageStatuses"]
    digest = Digest.parse(row["digest"])
    with RegistryClient(registry.push_endpoint) as client:
        found = client.manifest(row["repository"], digest)
    assert found is not None
    assert isinstance(found.parsed, Manifest)
    return Cached(image, row["repository"], digest, found.parsed)


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


def reword(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b'"schemaVersion":', b'"schemaVersion": '))


@dataclass(frozen=True, slots=True)
class Damage:
    """What is done to which file of the registry, and what it is called then."""

    of_manifest: bool
    act: Callable[[Path], object]
    reason: str


DAMAGES = {
    "flipped-layer": Damage(False, flip, "DigestMismatch"),
    "cut-layer": Damage(False, cut, "BlobMissing"),
    "altered-manifest": Damage(True, reword, "ManifestDigestMismatch"),
}


@pytest.mark.row("R8", "R9", "R10", "P7")
@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damage_that_cannot_be_mended_leads_to_tar_and_the_cache_asks_for_help(
    site: Site, new_registry: NewRegistry, containerd_engine: EnginePart, damage: Damage
) -> None:
    """Pushed once more in vain; a range that had it all already stays as it is."""
    registry = new_registry()
    one = cached(site, registry, "damaged:1")
    largest = max(one.manifest.layers, key=lambda layer: layer.size)
    damage.act(registry.blob_file(one.digest if damage.of_manifest else largest.digest))
    site.serve("dind", containerd_engine, [one.image])
    site.until("dind", Ready="True/AllImagesPresent", TarFallback=f"True/{damage.reason}")
    assert holds(containerd_engine, one.image)
    body = site.until_cache(Ready=f"False/{damage.reason}", Stalled=f"True/{damage.reason}")
    assert "run its garbage collection" in condition(body, "Ready")["message"]
    assert "builder" not in condition(body, "Ready")["message"]
    (failure,) = body["status"]["failures"]
    assert failure["attempts"] == 2
    site.until("dind", Ready="True/AllImagesPresent")


@pytest.mark.row("R9")
def test_a_layer_that_is_gone_is_pushed_again(
    site: Site, new_registry: NewRegistry, containerd_engine: EnginePart
) -> None:
    registry = new_registry()
    one = cached(site, registry, "gone:1")
    registry.blob_file(max(one.manifest.layers, key=lambda layer: layer.size).digest).unlink()
    site.serve("dind", containerd_engine, [one.image])
    site.until("dind", Ready="True/AllImagesPresent", TarFallback="False/NotNeeded")
    site.until_cache(Ready="True/AllImagesCached")


@pytest.mark.row("R7", "P7")
def test_a_push_that_a_stale_registry_forgets_is_told_and_the_range_filled_by_tar(
    site: Site, new_registry: NewRegistry, containerd_engine: EnginePart
) -> None:
    """It answers 201 to what it does not store, until it is restarted (distribution #3743)."""
    registry = new_registry(has_cache=True)
    one = cached(site, registry, "forgotten:1")
    with RegistryClient(registry.push_endpoint) as client:
        client.delete_manifest(one.repository, one.digest)
    registry.collect_garbage()
    site.reconcile_now("look", site.cache_path)
    body = site.until_cache(Ready="False/PushNotDurable", Stalled="True/PushNotDurable")
    assert "restart it" in condition(body, "Ready")["message"]
    site.serve("dind", containerd_engine, [one.image])
    site.until("dind", Ready="True/AllImagesPresent", TarFallback="True/PushNotDurable")
    assert holds(containerd_engine, one.image)
    registry.stop()
    registry.start()
    site.reconcile_now("mended", site.cache_path)
    site.until_cache(Ready="True/AllImagesCached")
    site.until("dind", Ready="True/AllImagesPresent", TarFallback="True/PushNotDurable")


@pytest.mark.row("R13", "P7")
def test_a_registry_that_lost_its_volume_is_filled_again_and_ranges_stay_ready(
    site: Site, new_registry: NewRegistry, new_proxy: NewProxy, containerd_engine: EnginePart
) -> None:
    registry = new_registry()
    proxy = new_proxy(registry.push_host)
    one = cached(site, registry, "volume:1", pushURL=f"http://{proxy.host}")
    site.serve("dind", containerd_engine, [one.image])
    before = site.until("dind", Ready="True/AllImagesPresent")
    pulls = containerd_engine.happened("pull")
    proxy.line = Line(bytes_per_second=50_000)  # time to see what is said meanwhile
    registry.stop()
    registry.wipe()
    registry.start()
    site.reconcile_now("look", site.cache_path)
    site.until_cache(Ready="False/Refilling", Reconciling="True/Refilling")
    during = site.until("dind", Ready="True/AllImagesPresent")
    proxy.heal()
    site.until_cache(Ready="True/AllImagesCached")
    for kind in ("Ready", "TarFallback"):
        assert condition(during, kind) == condition(before, kind)
    assert containerd_engine.happened("pull") == pulls
    assert len(site.events("ImagePushed")) == 1  # the same digest: told once in ten minutes


@pytest.mark.row("R12")
def test_a_tag_that_somebody_moves_in_the_registry_is_told_and_harms_nobody(
    site: Site, new_registry: NewRegistry, containerd_engine: EnginePart
) -> None:
    registry = new_registry()
    one = cached(site, registry, "moved:1")
    registry.push(one.repository, "1", tiny_image([{"evil": site.name.encode()}]))
    site.reconcile_now("look", site.cache_path)
    wait_for(lambda: bool(site.events("RegistryTagDrift")), "the warning", 15)
    (told,) = site.events("RegistryTagDrift")
    assert told["type"] == "Warning"
    assert str(one.digest) in told["note"]
    site.serve("dind", containerd_engine, [one.image])
    site.until("dind", Ready="True/AllImagesPresent", TarFallback="False/NotNeeded")
    labels = containerd_engine.docker("image", "inspect", "--format", "{{.Config.Cmd}}", one.image)
    assert "/x" in labels
    site.until_cache(Ready="True/AllImagesCached")
