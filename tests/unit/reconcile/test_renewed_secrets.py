"""A password that was renewed beside the registry's own: used at once, and nobody is alarmed."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.registry import Credentials, RegistryEndpoint
from cyroid_images.store.keys import Kind
from cyroid_images.reconcile.loop import Loop
from tests.unit.plan.examples import cache_body
from tests.unit.reconcile.clock import until
from tests.unit.reconcile.fakes import FakeRegistries, NoSecrets
from tests.unit.reconcile.test_loop import CACHE, CACHED, READY, SOURCES, Stage, tried

WHERE = {
    "pushURL": "http://127.0.0.1:5001",
    "pullHost": "127.0.0.1:5000",
    "pushSecretRef": {"name": "push"},
}


@dataclass(slots=True)
class Picky(FakeRegistries):
    """A registry that takes one password."""

    right: str = "new"

    def ping(self, endpoint: RegistryEndpoint) -> None:
        self.pings += 1
        if endpoint.credentials is None or endpoint.credentials.password != self.right:
            raise TransferError(Reason.UNAUTHORIZED, "401 authentication required")


class Renewed(NoSecrets):
    """A Secret that was read a moment before it was renewed."""

    def __init__(self) -> None:
        self.password = "old"
        self.forgotten = 0

    def forget(self, name: str) -> None:
        assert name == "push"
        self.password, self.forgotten = "new", self.forgotten + 1

    async def credentials(self, name: str) -> Credentials:  # noqa: ARG002 - the port
        return Credentials("me", self.password)


async def begin(stage: Stage, registries: FakeRegistries, secrets: Renewed) -> None:
    """The loop of this stage with these two."""
    stage.registries = registries
    stage.site = replace(stage.site, registries=registries, secrets=secrets)
    stage.loop = Loop(stage.site, stage.cluster, workers=4, sweep_seconds=600)
    stage.cluster.listed[Kind.IMAGE_CACHE] = [cache_body(sources=SOURCES, registry=WHERE)]
    await stage.loop.start()


@pytest.mark.row("R5")
def test_a_renewed_password_is_used_at_once_and_nobody_is_alarmed() -> None:
    secrets = Renewed()

    async def scenario(stage: Stage) -> None:
        await begin(stage, Picky(), secrets)
        await until(lambda: stage.told().get("Ready") == READY)
        await until(lambda: stage.told(CACHE).get("Ready") == CACHED)

    stage = tried(scenario)
    assert secrets.forgotten == 1
    assert "Unauthorized" not in str(stage.cluster.statuses)
    assert Reason.UNAUTHORIZED not in {note.reason for note in stage.cluster.notes}


def test_a_password_that_stays_wrong_is_told() -> None:
    async def scenario(stage: Stage) -> None:
        await begin(stage, Picky(right="another"), Renewed())
        await until(lambda: stage.told(CACHE).get("Stalled") == "True/Unauthorized")

    tried(scenario)
