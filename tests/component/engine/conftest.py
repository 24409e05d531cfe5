"""An engine that does what a test scripts, beside the real ones of every component test."""

from __future__ import annotations

import pytest

from cyroid_images.engine import Engine
from cyroid_images.model.engine import EngineEndpoint
from tests.parts.scripted import ScriptedServer, reply_json


@pytest.fixture
def engine(scripted: ScriptedServer) -> Engine:
    """An Engine whose other side negotiates well and then does what a test scripts."""
    scripted.script("GET", "/version", reply_json(200, {"ApiVersion": "1.45", "Version": "26"}))
    return Engine(EngineEndpoint(f"tcp://{scripted.host}"), answer_seconds=0.6)
