"""A password that was renewed beside the registry's own: used at once, and nobody is alarmed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import pytest

from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.fault import Fault
from cyroid_images.model.registry import Credentials, RegistryEndpoint
from cyroid_images.observe.places import RegistryPlace
from cyroid_images.store.keys import Kind
from tests.unit.plan.examples import cache_body
from tests.unit.reconcile.clock import until
from tests.unit.reconcile.fakes import FakeLooker
from tests.unit.reconcile.stage import CACHE, CACHED, READY, SOURCES, Stage, tried

WHERE = {
    "pushURL": "http://127.0.0.1:5001",
    "pullHost": "127.0.0.1:5000",
    "pushSecretRef": {"name": "push"},
}


@dataclass(slots=True)
class Renewed:
    """A Secret that was read a moment before it was renewed, and what its registry takes."""

    right: str = "new"
    password: str = "old"
    forgotten: int = 0

    def look(self, place: RegistryPlace, last: RegistryEndpoint | None) -> RegistryEndpoint:
        del last
        assert place.push_secret == "push"
        if self.password != self.right:
            raise TransferError(Reason.UNAUTHORIZED, "401 authentication required")
        return RegistryEndpoint(place.url, credentials=Credentials("me", self.password))

    async def renew(self, place: RegistryPlace, fault: Fault) -> bool:
        assert place.push_secret == "push"
        assert fault.reason is Reason.UNAUTHORIZED
        before, self.password = self.password, "new"
        self.forgotten += 1
        return before != self.password


async def begin(stage: Stage, secret: Renewed) -> None:
    """The loop of this stage with this Secret."""
    renew: Callable[[RegistryPlace, Fault], Awaitable[bool]] = secret.renew
    registries = FakeLooker(secret.look, renew=renew)
    stage.join(replace(stage.lookers(), registries=registries))
    stage.cluster.listed[Kind.IMAGE_CACHE] = [cache_body(sources=SOURCES, registry=WHERE)]
    await stage.loop.start()


@pytest.mark.row("R5")
def test_a_renewed_password_is_used_at_once_and_nobody_is_alarmed() -> None:
    secret = Renewed()

    async def scenario(stage: Stage) -> None:
        await begin(stage, secret)
        await until(lambda: stage.told().get("Ready") == READY)
        await until(lambda: stage.told(CACHE).get("Ready") == CACHED)

    stage = tried(scenario)
    assert secret.forgotten == 1
    assert "Unauthorized" not in str(stage.cluster.statuses)
    assert Reason.UNAUTHORIZED not in {note.reason for note in stage.cluster.notes}


def test_a_password_that_stays_wrong_is_told() -> None:
    async def scenario(stage: Stage) -> None:
        await begin(stage, Renewed(right="another"))
        await until(lambda: stage.told(CACHE).get("Stalled") == "True/Unauthorized")

    tried(scenario)
