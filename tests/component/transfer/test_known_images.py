"""What the registry has proven need not be asked of each engine that lists it."""

from __future__ import annotations

import asyncio

import pytest

from cyroid_images.model.telemetry.request_observer import RequestDone
from cyroid_images.observe.places import EnginePlace
from cyroid_images.transfer.known_contents import KnownContents
from cyroid_images.wiring.lookers import EngineLooker
from tests.component.transfer.moving import Moving
from tests.parts.engines import EnginePart
from tests.parts.registry import RegistryPart
from tests.unit.reconcile.fakes import NoSecrets

pytestmark = pytest.mark.slow

OTHER = "known.example/other:1"


def test_a_first_look_inspects_only_what_the_registry_did_not_tell(
    classic_engine: EnginePart, registry: RegistryPart, any_engine: EnginePart
) -> None:
    """By a pull both stores name it by a digest of the registry, which proves what it is."""
    one = Moving("known.example/tool:1", classic_engine, registry, any_engine)
    one.fill()
    stored = one.push()
    if any_engine is classic_engine:
        classic_engine.engine.untag(one.wish.reference)
    one.pull(stored)
    any_engine.load_image(OTHER, ({"other": b"other"},), {"Cmd": ["/y"]})
    known = KnownContents()
    known.learn(stored.content)
    asked: list[RequestDone] = []
    looker = EngineLooker(NoSecrets(), asked.append, known)
    url = any_engine.endpoint.url
    place = EnginePlace(owner="", containers=(), url=url, secret="", server_name="", party="")
    shown = asyncio.run(looker.prepare(place))(None)
    by_name = {str(name): image for name, image in shown.view.images.items()}
    tool, other = by_name[one.name], by_name[OTHER]
    assert tool.content is stored.content
    assert other.content.setup == '{"Cmd": ["/y"]}'
    assert not [each.path for each in asked if tool.id.hex in each.path]
    assert [each.path for each in asked if other.id.hex in each.path]
