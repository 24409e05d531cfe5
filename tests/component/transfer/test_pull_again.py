"""A pull of what is there already, because another range brought it since it was planned."""

from __future__ import annotations

import pytest

from tests.component.transfer.moving import Moving, happened
from tests.parts.engines import EnginePart
from tests.parts.registry import RegistryPart

pytestmark = pytest.mark.slow


@pytest.mark.row("P2", "P4")
def test_a_pull_leaves_an_image_alone_that_a_tar_just_brought(
    classic_engine: EnginePart, registry: RegistryPart, containerd_engine: EnginePart
) -> None:
    """This store would fetch no blob of the layers, and no longer list the image."""
    one = Moving("again.example/by-tar:1", classic_engine, registry, containerd_engine)
    one.fill()
    stored = one.push()
    one.load()
    before = one.arrived()
    one.pull(stored)
    assert before is not None
    assert one.arrived() == before
    assert happened(containerd_engine, "pull", "again.example") == 0
    one.assert_tidy()
