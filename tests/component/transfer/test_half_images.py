"""A containerd store that has a layer as another blob: what it then pulls is half, and told so.

Defect A: 26 does not list such an image, 28 lists it without a platform, 29 as if it were
whole. On all of them the wanted name never stands on it, and a tar makes it whole.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.images.reference import Reference
from cyroid_images.model.telemetry.progress import ignore
from cyroid_images.scheduling.cancel_scope import NEVER
from tests.component.transfer.moving import LIMITS, Moving
from tests.parts.engines import EnginePart
from tests.parts.registry import RegistryPart
from tests.parts.save_tars import noise
from tests.parts.saving import assert_saved_whole

pytestmark = pytest.mark.slow

TELLING = ("docker28_engine", "docker29_engine")
"""Their list says what is not whole; that of 26 leaves it out."""
STORES = ("containerd_engine", *TELLING)

Prepare = Callable[[Moving, dict[str, bytes]], None]


def by_tar(one: Moving, base: dict[str, bytes]) -> None:
    """The target has the base as the plain tar of a save."""
    one.target.load_image("half.example/base:1", (base,))


def as_gzip(one: Moving, base: dict[str, bytes]) -> None:
    """The target has pulled the base as gzip, where ours is Zstd."""
    found = one.registry.push_image(f"half/base-{one.target.port}", "1", layers=(base,))
    name = f"{one.registry.pull_host}/half/base-{one.target.port}@{found.parsed.digest}"
    one.target.engine.pull(Reference.parse(name), ignore, limits=LIMITS, cancellation=NEVER)


@pytest.fixture(params=STORES)
def target(request: pytest.FixtureRequest) -> EnginePart:
    part: EnginePart = request.getfixturevalue(request.param)
    return part


@pytest.fixture(params=TELLING)
def telling(request: pytest.FixtureRequest) -> EnginePart:
    part: EnginePart = request.getfixturevalue(request.param)
    return part


@pytest.fixture(params=[by_tar, as_gzip])
def prepare(request: pytest.FixtureRequest) -> Prepare:
    """How the base came."""
    made: Prepare = request.param
    return made


@pytest.mark.row("P1", "P4")
def test_a_pull_that_ends_half_gives_no_name_and_a_tar_makes_it_whole(
    classic_engine: EnginePart, registry: RegistryPart, target: EnginePart, prepare: Prepare
) -> None:
    one = sharing(classic_engine, registry, target, prepare)
    stored = one.push()
    with pytest.raises(TransferError, match="set delivery: RegistryThenTar") as raised:
        one.pull(stored)
    assert raised.value.reason is Reason.LOAD_FAILED
    assert one.name not in names_in(target)
    one.assert_tidy()
    one.load(one.cached(stored))
    arrived = one.arrived()
    assert arrived is not None
    assert arrived.holds(stored.content)
    assert_saved_whole(target, one.name, layers=2)
    one.assert_tidy()


def test_a_half_image_under_the_wanted_name_is_told_apart_and_replaced(
    classic_engine: EnginePart, registry: RegistryPart, telling: EnginePart, prepare: Prepare
) -> None:
    """As a person leaves it who pulls by hand."""
    one = sharing(classic_engine, registry, telling, prepare)
    stored, name = one.push(), one.wish.reference
    pulled_by_hand(one, f"{registry.pull_host}/{stored.repository}@{stored.manifest.digest}")
    info = telling.engine.info()
    view = telling.engine.view(info, {})
    assert name in view.half
    assert name not in view.images
    # What was known of it when it was whole does not make it whole.
    known = {image.id: image.content for image in view.listed}
    known |= {stored.manifest.digest: stored.content}
    assert telling.engine.images_named(info, [name], known) == {name: None}
    one.load(one.cached(stored))
    assert telling.engine.view(info, {}).half == frozenset()
    assert_saved_whole(telling, one.name, layers=2)


def sharing(
    source: EnginePart, registry: RegistryPart, target: EnginePart, prepare: Prepare
) -> Moving:
    """An image of the source whose first layer the target has already, in another form."""
    kind = prepare.__name__.replace("_", "-")
    one = Moving(f"half.example/{kind}-{target.port}:1", source, registry, target)
    base = {"base": noise(90_000, target.port + len(kind))}
    layers = (base, {"own": one.name.encode()})
    one.source.load_image(one.name, layers, {"Cmd": [f"/{one.name}"]})
    prepare(one, base)
    return one


def pulled_by_hand(one: Moving, transport: str) -> None:
    name = Reference.parse(transport)
    one.target.engine.pull(name, ignore, limits=LIMITS, cancellation=NEVER)
    one.target.engine.tag(name, one.wish.reference)
    one.target.engine.untag(name)


def names_in(engine: EnginePart) -> list[str]:
    """Every name that the engine itself shows to people, half images too."""
    return engine.docker("images", "--format", "{{.Repository}}:{{.Tag}}").splitlines()
