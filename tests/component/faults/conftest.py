"""What provoked faults share: a CA that no engine knows, and a registry in trouble."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.parts.credentials import Authority
from tests.parts.engines import EnginePart
from tests.parts.scripted import ScriptedServer, reply


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A CA that no engine knows."""
    return Authority.make(tmp_path_factory.mktemp("authority") / "ca")


@pytest.fixture(params=["containerd_engine", "docker28_engine", "docker29_engine"])
def containerd_store(request: pytest.FixtureRequest) -> EnginePart:
    """Each engine with that store: what it says of a push has changed between 26 and 28."""
    part: EnginePart = request.getfixturevalue(request.param)
    return part


@pytest.fixture
def odd_registry() -> Iterator[ScriptedServer]:
    """A registry that answers its ping well, and the rest as a test scripts."""
    with ScriptedServer() as server:
        server.script("GET", "/v2/", reply(200, "{}"))
        yield server
