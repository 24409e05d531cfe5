"""Every kind of engine as source and as target, by every route: the content is the same."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from pathlib import Path

import pytest

from cyroid_images.archive import Archives
from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.knowledge import HeldByArchive, ImageLocation, Wanted
from cyroid_images.registry.client import RegistryClient
from cyroid_images.transfer import lookup
from cyroid_images.transfer.known_layers import KnownLayers
from tests.component.transfer.moving import Moving, happened, image_in
from tests.parts.engines import EnginePart, NewEngine
from tests.parts.registry import RegistryPart

pytestmark = pytest.mark.slow
ENGINES = ["old_engine", "classic_engine", "containerd_engine", "docker29_engine"]
PAIRS = [
    *product(ENGINES, ENGINES),
    # Between 26 and 29, so beside one classic engine it is enough.
    ("docker28_engine", "classic_engine"),
    ("classic_engine", "docker28_engine"),
]

Make = Callable[[str], Moving]


@pytest.fixture(params=PAIRS, ids=[f"from-{one}-to-{other}" for one, other in PAIRS])
def pair(request: pytest.FixtureRequest) -> tuple[EnginePart, EnginePart]:
    one, other = request.param
    return request.getfixturevalue(one), request.getfixturevalue(other)


@pytest.fixture
def source(pair: tuple[EnginePart, EnginePart]) -> EnginePart:
    return pair[0]


@pytest.fixture
def target(pair: tuple[EnginePart, EnginePart]) -> EnginePart:
    return pair[1]


def moving(source: EnginePart, registry: RegistryPart, target: EnginePart, what: str) -> Moving:
    """An image that the source has; the target has it only where both are one engine."""
    name = f"moves.example/{what}-{source.port}-{target.port}:1"
    one = Moving(name, source, registry, target)
    one.fill(seed=source.port + target.port)
    return one


@pytest.mark.row("P5")
def test_what_is_pulled_is_what_the_source_had(
    source: EnginePart, registry: RegistryPart, target: EnginePart
) -> None:
    one = moving(source, registry, target, "pulled")
    wanted = one.seen().content
    stored = one.push()
    assert stored.content.diff_ids == wanted.diff_ids
    if source is target:
        source.docker("rmi", one.name)
    one.pull(stored)
    arrived = one.arrived()
    assert arrived is not None
    assert arrived.holds(stored.content)
    assert arrived.holds(wanted)
    assert arrived.content.diff_ids == wanted.diff_ids
    one.assert_tidy()


def test_what_is_loaded_is_what_the_source_had(
    source: EnginePart, registry: RegistryPart, target: EnginePart
) -> None:
    one = moving(source, registry, target, "loaded")
    wanted = one.seen().content
    one.load()
    arrived = one.arrived()
    assert arrived is not None
    assert arrived.holds(wanted)
    assert arrived.content.setup == wanted.setup
    one.assert_tidy()


@pytest.mark.row("P5")
def test_what_is_built_from_the_registry_is_what_the_source_had(
    source: EnginePart, registry: RegistryPart, target: EnginePart
) -> None:
    one = moving(source, registry, target, "built")
    stored = one.push()
    if source is target:
        source.docker("rmi", one.name)
    one.load(one.cached(stored))
    arrived = one.arrived()
    assert arrived is not None
    assert arrived.holds(stored.content)
    assert arrived.content.diff_ids == stored.content.diff_ids
    assert arrived.content.setup == stored.content.setup
    one.assert_tidy()


def test_what_is_loaded_from_an_archive_is_what_the_source_had(
    source: EnginePart, registry: RegistryPart, target: EnginePart, tmp_path: Path
) -> None:
    one = moving(source, registry, target, "archived")
    wanted = one.seen().content
    source.docker("save", "-o", str(tmp_path / "x.tar"), one.name)
    if source is target:
        source.docker("rmi", one.name)
    archives = Archives(tmp_path)
    (image,) = archives.look("x.tar").images
    one.load(HeldByArchive("archives", image), archives=archives)
    arrived = one.arrived()
    assert arrived is not None
    assert arrived.holds(image.content)
    assert arrived.holds(wanted)
    assert arrived.content.diff_ids == wanted.diff_ids
    one.assert_tidy()


def test_a_second_transfer_moves_no_layer(
    any_engine: EnginePart, registry: RegistryPart, new_engine: NewEngine
) -> None:
    """Of a store with plain layers the engine is asked to push once: it has sent some of them
    before that push is stopped, and on a busy machine all of them.
    """
    target, known = new_engine(), KnownLayers()
    one = moving(any_engine, registry, target, "twice")
    stored = one.push(known=known)
    one.pull(stored)
    blobs, held = blobs_of(registry), layers_of(target)
    names = happened(any_engine, "tag", "twice")  # as a transport name, for a push by the engine
    assert one.push(known=known) == stored
    one.pull(stored)
    assert happened(any_engine, "tag", "twice") == names
    assert blobs_of(registry) == blobs
    assert layers_of(target) == held
    one.assert_tidy()


def test_p_r4_the_registry_tells_what_was_pushed(
    any_engine: EnginePart, registry: RegistryPart
) -> None:
    one = moving(any_engine, registry, any_engine, "found")
    seen, stored = one.seen(), one.push()
    with RegistryClient(registry.push_endpoint) as client:
        for tag in ("1", stored.manifest.digest, f"_pin-{stored.manifest.digest.hex[:40]}"):
            found = lookup.find(client, ImageLocation(stored.repository, tag), Wanted(seen.content))
            assert found is not None
            assert found.manifest == stored.manifest
        lookup.verify(client, stored)
        missing = lookup.find(client, ImageLocation(stored.repository, "2"), Wanted())
        assert missing is None


def test_a_rebuild_that_changes_only_cmd_is_told_apart_by_both_routes(
    any_engine: EnginePart,
    registry: RegistryPart,
    docker29_engine: EnginePart,
    old_engine: EnginePart,
) -> None:
    for target in {docker29_engine, old_engine} - {any_engine}:
        one = moving(any_engine, registry, target, "rebuilt")
        one.fill(command="/old")
        old = one.push()
        one.pull(old)
        one.fill(command="/new")
        new = one.push()
        assert new.content.diff_ids == old.content.diff_ids
        arrived = one.arrived()
        assert arrived is not None
        assert arrived.holds(old.content)
        assert not arrived.holds(new.content)
        one.load()
        arrived = one.arrived()
        assert arrived is not None
        assert arrived.holds(new.content)
        assert not arrived.holds(old.content)
        one.assert_tidy()


@pytest.mark.row("S6")
def test_a_tag_that_moves_between_look_and_push_changes_nothing(
    any_engine: EnginePart, registry: RegistryPart
) -> None:
    """The push is by ID: what was seen is what arrives, whatever the tag says by then."""
    one = moving(any_engine, registry, any_engine, "moved")
    seen = one.seen()
    one.source.docker("tag", one.name, f"{one.name}-keeps-the-old-one")
    one.fill(seed=77)
    assert one.push(seen).content.is_same(seen.content)
    one.assert_tidy()


def test_an_image_that_vanishes_between_look_and_push_is_not_found(
    any_engine: EnginePart, registry: RegistryPart
) -> None:
    one = moving(any_engine, registry, any_engine, "vanished")
    seen = one.seen()
    any_engine.docker("rmi", one.name)
    with pytest.raises(TransferError) as caught:
        one.push(seen)
    assert caught.value.reason in (Reason.IMAGE_NOT_FOUND, Reason.SOURCE_CHANGED)
    assert image_in(any_engine, one.name) is None


def blobs_of(registry: RegistryPart) -> dict[str, int]:
    """Every blob that the registry holds, and when it was written."""
    blobs = (registry.data_root / "docker/registry/v2/blobs").rglob("data")
    return {str(path): path.stat().st_mtime_ns for path in blobs}


def layers_of(engine: EnginePart) -> str:
    """What the engine says of its disk: images, layers, bytes."""
    return engine.docker("system", "df", "--format", "{{.Type}} {{.TotalCount}} {{.Size}}")
