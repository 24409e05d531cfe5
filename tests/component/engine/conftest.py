"""An engine that does what a test scripts, beside the real ones of every component test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cyroid_images.engine import Engine
from cyroid_images.model.engine import EngineEndpoint
from tests.parts.range_engine import RangeEngine
from tests.parts.scripted import ScriptedServer, reply_json
from tests.parts.stand_in import StandInEngine, StandIns


@pytest.fixture
def engine(scripted: ScriptedServer) -> Engine:
    """An Engine whose other side negotiates well and then does what a test scripts."""
    scripted.script("GET", "/version", reply_json(200, {"ApiVersion": "1.45", "Version": "26"}))
    return Engine(EngineEndpoint(f"tcp://{scripted.host}"), answer_seconds=0.6)


@pytest.fixture(scope="session")
def stand_in() -> Iterator[StandInEngine]:
    """One of the engines that the load test is made of."""
    with StandIns().running() as all_of_them:
        yield all_of_them.at("127.0.1.1")


@pytest.fixture(
    params=["old_engine", "classic_engine", "containerd_engine", "docker29_engine", "stand_in"]
)
def range_engine(request: pytest.FixtureRequest) -> RangeEngine:
    """Whoever keeps the contract of an engine that images are brought to."""
    part: RangeEngine = request.getfixturevalue(request.param)
    return part
