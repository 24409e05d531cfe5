"""Killed or ended at any step of a delivery, the operator ends it the same after a restart."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import count

import pytest

from cyroid_images.model.telemetry.milestones import Milestone
from tests.chaos.delivery import Delivery, End
from tests.chaos.engine_images import happened
from tests.chaos.stack import JSON_LOG, RegistryCalls, logging_registry
from tests.chaos.stepping import Ending, await_step, end_at, steps_in
from tests.parts.apiserver import ApiServerPart, free_ports
from tests.parts.dockerd import Setup
from tests.parts.engines import EnginePart
from tests.parts.identity import OWN_NAMESPACE
from tests.parts.operator import OperatorPart
from tests.parts.registry import RegistryPart
from tests.parts.site import Site

pytestmark = pytest.mark.slow

GRACE_SECONDS = 20.0
LEASES = f"/apis/coordination.k8s.io/v1/namespaces/{OWN_NAMESPACE}/leases"
NOT_TRIED = {
    Milestone.COPY_STARTED,  # a delivery from an engine copies nothing
    Milestone.COPIED,
    Milestone.LOOKED,  # moments before what follows, with nothing done in between
    Milestone.PULL_STARTED,
}
Undisturbed = tuple[End, dict[str, int]]
"""How a delivery ends that nobody cuts, and what it moves."""
STEPS = [step for step in Milestone if step not in NOT_TRIED]


@pytest.fixture(scope="module")
def logging(operator_process: OperatorPart) -> Iterator[OperatorPart]:
    """The operator with a log for machines, for the time of this file."""
    operator_process.kill()
    operator_process.settings.update(JSON_LOG)
    yield operator_process
    operator_process.kill()
    for name in JSON_LOG:
        del operator_process.settings[name]


@pytest.fixture(scope="module")
def store() -> Iterator[RegistryPart]:
    """A registry that logs what it is asked."""
    with logging_registry() as part:
        yield part


@pytest.fixture(scope="module")
def trusting(store: RegistryPart) -> Iterator[EnginePart]:
    """An engine with the classic store that takes this registry at its outer address."""
    part = EnginePart(Setup(free_ports(1)[0], insecure_registries=(store.outer_pull_host,)))
    try:
        part.start()
        yield part
    finally:
        part.close()


@pytest.fixture(scope="module")
def places(
    store: RegistryPart, trusting: EnginePart, containerd_engine: EnginePart
) -> tuple[RegistryPart, EnginePart, EnginePart]:
    """What every delivery fills."""
    return store, trusting, containerd_engine


class Moved:
    """Bytes of blobs out of the registry, uploads, saves and loads, since this was made."""

    def __init__(self, delivery: Delivery) -> None:
        self._delivery = delivery
        self._calls = RegistryCalls(delivery.registry)
        self._since = time.time()

    def counts(self) -> dict[str, int]:
        calls = self._calls.of_layers()
        return {
            "bytes down": sum(call.size for call in calls if call.method == "GET"),
            "blobs up": sum(call.method == "PUT" for call in calls),
            "saves": happened(self._delivery.site.source, self._since, "save"),
            "loads": happened(self._delivery.wary, self._since, "load"),
        }


@pytest.fixture(scope="module")
def new(
    apiserver: ApiServerPart,
    logging: OperatorPart,
    classic_engine: EnginePart,
    places: tuple[RegistryPart, EnginePart, EnginePart],
) -> Callable[[], Delivery]:
    """Makes deliveries, each with a site and images of its own, that nobody asked for yet."""
    numbers = count(1)

    def make() -> Delivery:
        logging.start()
        site = Site(f"kill-{next(numbers)}", apiserver, logging, classic_engine)
        apiserver.put_namespace(site.name, {"cyroid.io/ranges": "true"})
        delivery = Delivery(site, *places)
        delivery.make_images()
        return delivery

    return make


@pytest.fixture(scope="module")
def undisturbed(new: Callable[[], Delivery]) -> Undisturbed:
    """How such a delivery ends when nobody cuts it, and what it moves."""
    delivery = new()
    moved = Moved(delivery)
    delivery.apply()
    end = delivery.await_end()
    counts = moved.counts()
    delivery.remove()
    return end, counts


@pytest.mark.row("O1", "P3")
@pytest.mark.parametrize("step", STEPS)
def test_a_delivery_that_sigterm_cut_ends_the_same(
    new: Callable[[], Delivery], logging: OperatorPart, undisturbed: Undisturbed, step: Milestone
) -> None:
    delivery = new()
    moved, start = Moved(delivery), logging.log_size()
    assert end_at(logging, step, Ending.TERM, delivery.apply) < GRACE_SECONDS
    assert not held_leases(delivery.site.api)
    logging.start()
    assert_ends_as(undisturbed, delivery, moved, lambda: steps_in(logging, start))


@pytest.mark.row("O2", "P3")
@pytest.mark.parametrize("step", STEPS)
def test_a_delivery_that_sigkill_cut_ends_the_same(
    new: Callable[[], Delivery], logging: OperatorPart, undisturbed: Undisturbed, step: Milestone
) -> None:
    delivery = new()
    moved, start = Moved(delivery), logging.log_size()
    end_at(logging, step, Ending.KILL, delivery.apply)
    logging.start()
    assert_ends_as(undisturbed, delivery, moved, lambda: steps_in(logging, start))


@pytest.mark.row("O1", "P3")
def test_sigterm_ends_it_also_while_the_api_server_hangs(
    new: Callable[[], Delivery],
    apiserver: ApiServerPart,
    logging: OperatorPart,
    undisturbed: Undisturbed,
) -> None:
    delivery, start = new(), logging.log_size()
    moved = Moved(delivery)
    delivery.apply()
    await_step(logging, Milestone.PULLED, start)
    apiserver.pause()
    try:
        began = time.monotonic()
        assert logging.stop() == 0
        assert time.monotonic() - began < GRACE_SECONDS
    finally:
        apiserver.resume()
    logging.start()
    assert_ends_as(undisturbed, delivery, moved, lambda: steps_in(logging, start))


def assert_ends_as(
    undisturbed: Undisturbed, delivery: Delivery, moved: Moved, steps: Callable[[], list[str]]
) -> None:
    """The same end, and nothing moved more than once more."""
    end, most = undisturbed
    difference = delivery.await_end().differs_from(end)
    assert not difference, f"{difference}\n{steps()}"
    counts = moved.counts()
    too_many = [what for what in most if counts[what] > 2 * most[what]]
    assert not too_many, f"{counts}, undisturbed {most}\n{steps()}"
    delivery.remove()


def held_leases(api: ApiServerPart) -> list[str]:
    """Who holds a Lease of the operator's namespace."""
    specs = [lease["spec"] for lease in api.call("GET", LEASES)["items"]]
    return [spec["holderIdentity"] for spec in specs if spec.get("holderIdentity")]
