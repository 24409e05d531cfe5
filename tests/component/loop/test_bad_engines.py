"""One bad engine keeps no other one back, and is neither believed nor hammered."""

from __future__ import annotations

import pytest

from tests.parts.apiserver import wait_for
from tests.parts.connections import finished_connections
from tests.parts.engines import NewEngine
from tests.parts.registry import RegistryPart
from tests.parts.scripted import ScriptedServer, raw, reply
from tests.parts.site import Site, condition, holds

pytestmark = pytest.mark.slow
OTHER = "127.0.0.2"
"""Where the second pod of a range lives; on the same port."""


@pytest.mark.row("D3", "P8")
def test_a_hung_engine_keeps_nothing_from_the_other_one(
    site: Site, registry: RegistryPart, new_engine: NewEngine
) -> None:
    """Neither the first image nor one that is added, nor one that was removed by hand."""
    good = new_engine()
    hung = new_engine(port=good.port, address=OTHER)
    images = [site.image("beside:1"), site.image("beside:2", 2)]
    site.cache(registry)
    hung.pause()
    site.serve("beside", good, images[:1])
    site.pod("beside", OTHER, "-hung")

    def until_there(count: int) -> None:
        body = site.until(
            "beside",
            Ready="False",
            at=lambda body: (
                row(body, "dind-beside").get("present") == count and holds(good, *images[:count])
            ),
        )
        assert row(body, "dind-beside-hung")["reason"] in ("Progressing", "WaitingForEngine")

    until_there(1)
    site.edit("beside", images=[{"image": image} for image in images])
    until_there(2)
    good.docker("rmi", images[0])
    until_there(2)
    site.until(
        "beside",
        Ready="False/WaitingForEngine",
        TargetsAvailable="Unknown/WaitingForEngine",
        seconds=40,
    )
    hung.resume()
    site.until("beside", Ready="True", seconds=60)
    assert holds(hung, *images)


@pytest.mark.row("D3")
def test_an_engine_that_was_there_and_went_is_unreachable(
    site: Site, registry: RegistryPart, new_engine: NewEngine
) -> None:
    engine = new_engine()
    site.cache(registry)
    site.serve("gone", engine, [site.image("gone:1")])
    site.until("gone", Ready="True")
    engine.kill()
    site.until("gone", Ready="False/EngineUnreachable", TargetsAvailable="False/EngineUnreachable")
    engine.start()
    site.until("gone", Ready="True", TargetsAvailable="True", seconds=60)


NONSENSE = {"no-http": raw(b"220 ready\r\n"), "no-json": reply(200, "<html>"), "404": reply(404)}


@pytest.mark.row("H8", "P8")
@pytest.mark.parametrize("answer", NONSENSE.values(), ids=NONSENSE.keys())
def test_an_engine_that_talks_nonsense_is_named_and_not_hammered(
    site: Site, registry: RegistryPart, new_engine: NewEngine, answer: object
) -> None:
    with ScriptedServer(OTHER) as liar:
        liar.script("GET", ".*", answer)  # type: ignore[arg-type] # the values are steps
        good = new_engine(port=int(liar.host.rpartition(":")[2]))
        images = [site.image("liar:1")]
        site.cache(registry)
        site.serve("liar", good, images, interval="10m")
        site.pod("liar", OTHER, "-false")
        body = site.until(
            "liar", Ready="False", at=lambda body: row(body, "dind-liar").get("present") == 1
        )
        reason = row(body, "dind-liar-false")["reason"]
        assert reason in ("ProtocolError", "EngineUnreachable", "WaitingForEngine")
        assert condition(body, "TargetsAvailable")["status"] != "True"
        asked, looks = len(liar.requests), finished_connections(registry_port(registry))
        wait_for(
            lambda: len(finished_connections(registry_port(registry)) - looks) >= 4, "a while", 30
        )
        assert len(liar.requests) - asked < 25
        site.remove_all()  # before the liar is gone, which would be another fault


def row(body: object, pod: str) -> dict[str, object]:
    """What the status says of one pod."""
    assert isinstance(body, dict)
    rows = body["status"].get("targetStatuses") or []
    return next((each for each in rows if each["pod"] == pod), {})


def registry_port(registry: RegistryPart) -> int:
    """Of the push listener, which the cache asks once a second."""
    return int(registry.push_host.rpartition(":")[2])
