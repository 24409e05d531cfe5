"""Tars built from blobs: whole or without what the engine has, and under one name only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from cyroid_images.archive.tar import members
from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.images.image import content_of_config
from cyroid_images.model.images.reference import Reference
from cyroid_images.model.knowledge import HeldByUpstream, Stored
from cyroid_images.model.registry import UpstreamEndpoint
from cyroid_images.model.telemetry.progress import Progress
from cyroid_images.scheduling.cancel_scope import NEVER
from tests.component.transfer.moving import LIMITS, Moving
from tests.parts.engines import EnginePart
from tests.parts.images import TinyImage, tiny_image
from tests.parts.registry import NewRegistry, RegistryPart
from tests.parts.save_tars import noise

pytestmark = pytest.mark.slow
BASE_BYTES = 400_000


@dataclass(slots=True)
class Watched:
    """What an observer is told; `act` is done once, while the first tar is on its way."""

    act: Callable[[], object] = str
    seen: list[Progress] = field(default_factory=list)

    def __call__(self, progress: Progress) -> None:
        if not self.seen:
            self.act()
        self.seen.append(progress)

    @property
    def totals(self) -> list[int | None]:
        return list(dict.fromkeys(progress.total for progress in self.seen))

    def assert_forwards(self) -> None:
        done = [progress.done for progress in self.seen]
        assert done == sorted(done)
        assert all(progress.done <= (progress.total or 0) for progress in self.seen)


def built(target: EnginePart, registry: RegistryPart, what: str) -> Moving:
    """Nothing but the target and the registry takes part."""
    return Moving(f"tars.example/{what}-{target.port}:1", target, registry, target)


def version(one: Moving, number: int) -> tuple[Moving, Stored]:
    """An image in the registry with a base and a layer of its own."""
    base = {"base": noise(BASE_BYTES, one.target.port), "of": one.name.encode()}
    image = tiny_image((base, {"version": str(number).encode()}), {"Cmd": ["/x"]})
    named = replace(one, name=f"{one.name.rpartition(':')[0]}:{number}")
    return named, stored(one.registry, named, image)


def stored(registry: RegistryPart, one: Moving, image: TinyImage) -> Stored:
    repository = f"{one.wish.reference.host}/{one.wish.reference.path}"
    registry.push(repository, one.wish.reference.tag or "latest", image)
    content = content_of_config(image.config, manifest=image.digest)
    return Stored(repository, image.parsed, content)


def test_p_s9_an_image_of_the_registry_stands_under_the_wanted_name_alone(
    any_engine: EnginePart, registry: RegistryPart
) -> None:
    one, image = version(built(any_engine, registry, "alone"), 1)
    first, second = Watched(), Watched()
    one.load(one.cached(image), observer=first)
    arrived = one.arrived()
    assert arrived is not None
    assert arrived.names == {Reference.parse(one.name)}
    first.assert_forwards()
    assert first.seen[-1].done == first.totals[0], "the length was known, and is exact"
    one.load(one.cached(image), observer=second)
    assert second.seen == [], "the second pass moves nothing"
    one.assert_tidy()


def test_an_image_under_another_name_is_only_tagged(
    any_engine: EnginePart, registry: RegistryPart
) -> None:
    one, image = version(built(any_engine, registry, "named"), 1)
    one.load(one.cached(image))
    other = replace(one, name=f"{one.name}-b")
    watched = Watched()
    other.load(one.cached(image), observer=watched)
    assert watched.seen == []
    arrived = other.arrived()
    assert arrived is not None
    assert arrived.names == {Reference.parse(one.name), Reference.parse(other.name)}


def test_a_layer_that_the_engine_has_is_left_out(
    any_engine: EnginePart, registry: RegistryPart
) -> None:
    base, first = version(built(any_engine, registry, "lean"), 1)
    base.load(base.cached(first))
    one, second = version(base, 2)
    watched = Watched()
    one.load(one.cached(second), observer=watched)
    assert watched.seen[-1].done < BASE_BYTES / 4
    arrived = one.arrived()
    assert arrived is not None
    assert arrived.holds(second.content)
    assert saved_bytes(one) > BASE_BYTES, "the image is whole: it can be saved again"
    one.assert_tidy()


def test_a_layer_that_went_meanwhile_is_sent_after_all(
    any_engine: EnginePart, registry: RegistryPart
) -> None:
    base, first = version(built(any_engine, registry, "gone"), 1)
    base.load(base.cached(first))
    one, second = version(base, 2)
    watched = Watched(lambda: any_engine.docker("rmi", base.name))
    one.load(one.cached(second), observer=watched)
    lean, whole = watched.totals
    assert lean is not None
    assert whole is not None
    assert lean < BASE_BYTES < whole
    watched.assert_forwards()
    assert base.arrived() is None
    arrived = one.arrived()
    assert arrived is not None
    assert arrived.holds(second.content)
    assert saved_bytes(one) > BASE_BYTES
    one.assert_tidy()


def test_an_image_of_an_upstream_arrives_without_our_registry(
    any_engine: EnginePart, registry: RegistryPart
) -> None:
    one, image = version(built(any_engine, registry, "upstream"), 1)
    upstream = UpstreamEndpoint(registry.pull_host, registry.pull_endpoint)
    one.load(HeldByUpstream("hub", upstream, image))
    arrived = one.arrived()
    assert arrived is not None
    assert arrived.holds(image.content)
    one.assert_tidy()


def test_flipped_bytes_in_the_registry_are_never_an_image(
    any_engine: EnginePart, new_registry: NewRegistry
) -> None:
    one, image = version(built(any_engine, new_registry(), "flipped"), 1)
    file = one.registry.blob_file(image.manifest.layers[0].digest)
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    with pytest.raises(TransferError) as raised:
        one.load(one.cached(image))
    assert raised.value.reason is Reason.DIGEST_MISMATCH
    view = any_engine.engine.view(any_engine.engine.info(), {})
    assert not [name for name in view.images if "flipped" in name.path]
    content[-1] ^= 1
    file.write_bytes(content)
    one.load(one.cached(image))
    one.assert_tidy()


def test_an_old_engine_is_sent_no_zstd(
    old_engine: EnginePart, classic_engine: EnginePart, registry: RegistryPart
) -> None:
    """It would say that the tar of the layer has an invalid header."""
    newer = Moving(
        f"tars.example/zstd-{old_engine.port}:1", classic_engine, registry, classic_engine
    )
    newer.fill()
    image = newer.push()
    assert image.manifest.has_zstd
    one, watched = replace(newer, target=old_engine), Watched()
    with pytest.raises(TransferError, match="cannot read Zstd") as raised:
        one.load(one.cached(image), observer=watched)
    assert raised.value.reason is Reason.COMPRESSION_UNSUPPORTED
    assert watched.seen == []
    one.load()
    assert one.arrived() is not None


@pytest.mark.parametrize("estimate", [1, 10_000_000], ids=["too-small", "too-big"])
def test_progress_of_a_saved_image_never_passes_the_estimate_of_its_engine(
    classic_engine: EnginePart, registry: RegistryPart, old_engine: EnginePart, estimate: int
) -> None:
    name = f"tars.example/estimate-{estimate}:1"
    one, watched = Moving(name, classic_engine, registry, old_engine), Watched()
    one.fill()
    one.load(replace(one.seen(), size=estimate), observer=watched)
    watched.assert_forwards()
    assert max(total or 0 for total in watched.totals) == max(estimate, watched.seen[-1].done)


def saved_bytes(one: Moving) -> int:
    """Bytes of what the engine gives when it is asked for the whole image."""
    engine, name = one.target.engine, one.wish.reference
    with engine.save(name, limits=LIMITS, cancellation=NEVER) as tar:
        return sum(member.size for member, _ in members(tar))
