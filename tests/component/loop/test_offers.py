"""What is built, loaded or tagged in a real source engine is seen at once, whoever asks for it.

`refresh.interval` is ten minutes here: what is seen within seconds was told by an event.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.parts.apiserver import wait_for
from tests.parts.company import other
from tests.parts.engines import EnginePart, NewEngine
from tests.parts.proxy import NewProxy
from tests.parts.registry import RegistryPart
from tests.parts.scripted import ScriptedServer, endless, reply_json
from tests.parts.site import Site, condition
from tests.parts.waiting import A_WHILE

__all__ = ["other"]

pytestmark = pytest.mark.slow

RARELY = {"interval": "10m"}


@pytest.fixture(params=["classic", "containerd"])
def built(site: Site, request: pytest.FixtureRequest) -> Site:
    """A site whose source has that image store."""
    if request.param == "containerd":
        site.source = request.getfixturevalue("docker29_engine")
    return site


def source_of(engine: EnginePart, name: str = "builder", at: str = "") -> dict[str, Any]:
    where = at or f"{engine.address}:{engine.port}"
    return {"name": name, "engine": {"endpoint": f"tcp://{where}", "insecure": True}}


def rows(site: Site) -> Mapping[str, Mapping[str, Any]]:
    """By image: what status says of the source's images."""
    status = site.read(site.cache_path).get("status") or {}
    return {row["image"]: row for row in status.get("sourceImages", [])}


def until(site: Site, so: Callable[[Mapping[str, Mapping[str, Any]]], bool], what: str) -> None:
    wait_for(
        lambda: so(rows(site)),
        what,
        A_WHILE,
        lambda: f"{rows(site)}\n{site.operator.log()[-6000:]}",
    )


def lacks(site: Site, image: str) -> None:
    """Wait until it is shown as what the registry lacks."""
    until(site, lambda shown: shown.get(image, {}).get("inRegistry") is False, f"{image} to lack")


def stored(site: Site, image: str) -> None:
    """Wait until it is shown as what the registry has."""
    until(
        site, lambda shown: shown.get(image, {}).get("inRegistry") is True, f"{image} to be there"
    )


def quiet(site: Site, registry: RegistryPart, **spec: Any) -> None:
    """A cache whose source was looked at, and would be looked at again in ten minutes."""
    site.cache(registry, refresh=RARELY, **spec)
    site.until_cache(Ready="True", SourceAvailable="True")
    first = site.image("first:1")
    until(site, lambda shown: first in shown, "the first look")


def test_what_is_loaded_tagged_and_removed_is_seen_by_its_event(
    built: Site, registry: RegistryPart
) -> None:
    site = built
    quiet(site, registry)
    image, twin = site.image("kali-attack:latest", 7), f"{site.name}.example/twin:2"
    lacks(site, image)
    row = rows(site)[image]
    assert row["source"] == "builder"
    assert row["id"].startswith("sha256:")
    assert row["sizeBytes"] > 100_000
    site.source.docker("tag", image, twin)
    lacks(site, twin)
    wait_for(lambda: site.tells_of("ImageBuilt", site.name, image, twin), "the events", A_WHILE)
    site.source.docker("rmi", twin)
    until(site, lambda shown: twin not in shown, "the removed name to go")
    ready = condition(site.read(site.cache_path), "Ready")
    assert (ready["status"], ready["reason"]) == ("True", "AllImagesCached")
    assert not site.events("ImagePushed")
    site.edit_cache(images=[{"image": image}])
    site.until_cache(Ready="True/AllImagesCached")
    stored(site, image)


def test_automatic_pushes_what_is_built_and_what_was_there_but_not_what_is_to_be_removed(
    built: Site, registry: RegistryPart
) -> None:
    site = built
    there, removed = site.image("there:1", 3), f"{site.name}.example/removed:1"
    quiet(site, registry, pushPolicy="Automatic", removedImages=[{"image": removed}])
    stored(site, there)
    image = site.image("kali-attack:latest", 7)
    stored(site, image)
    site.fill(removed, 9)
    lacks(site, removed)
    rebuilt = rows(site)[image]["id"]
    site.fill(image, 8)
    until(site, lambda shown: shown[image]["id"] != rebuilt, "the new content")
    stored(site, image)
    pushed = [event["note"] for event in site.events("ImagePushed")]
    assert sum(image in note for note in pushed) == 2, pushed
    assert sum(there in note for note in pushed) == 1, pushed
    assert not any(removed in note for note in pushed)
    assert not site.events("ImageBuilt")
    assert rows(site)[removed]["inRegistry"] is False
    status = site.read(site.cache_path)["status"]
    assert status["images"]["desired"] == 0
    assert image in status["digests"]


def test_what_automatic_pushed_is_delivered_while_its_source_is_gone(
    site: Site, registry: RegistryPart, new_engine: NewEngine, containerd_engine: EnginePart
) -> None:
    site.source = new_engine()
    quiet(site, registry, pushPolicy="Automatic")
    image = site.image("kali-attack:latest", 7)
    stored(site, image)
    site.source.kill()
    site.serve("late", containerd_engine, [image])
    site.until("late", Ready="True/AllImagesPresent", TarFallback="False/NotNeeded")


def test_after_a_restart_what_was_built_meanwhile_is_shown_and_nothing_told_as_new(
    site: Site, registry: RegistryPart
) -> None:
    quiet(site, registry)
    assert site.operator.stop() == 0
    image = site.image("kali-attack:latest", 7)
    site.operator.start()
    lacks(site, image)
    later = site.image("later:1", 8)
    lacks(site, later)
    wait_for(lambda: bool(site.events("ImageBuilt")), "the event", A_WHILE)
    told = [event["note"] for event in site.events("ImageBuilt")]
    assert not any(image in note for note in told), told


def test_a_source_that_is_restarted_or_cut_off_is_listened_to_again(
    site: Site, registry: RegistryPart, new_engine: NewEngine, new_proxy: NewProxy
) -> None:
    site.source = new_engine()
    way = new_proxy(f"{site.source.address}:{site.source.port}")
    quiet(site, registry, sources=[source_of(site.source, at=way.host)])
    asked = len(way.seen("GET", ".*/events.*"))
    assert asked == 1
    way.reset()
    wait_for(lambda: len(way.seen("GET", ".*/events.*")) > asked, "another ask", A_WHILE)
    lacks(site, site.image("after-the-cut:1", 2))
    site.source.kill()
    site.source.start()
    lacks(site, site.image("after-the-crash:1", 3))


def test_an_engine_that_talks_without_end_costs_nobody_else_anything(
    site: Site, other: Site, registry: RegistryPart, scripted: ScriptedServer
) -> None:
    about = {"ID": "LIAR", "Name": "liar", "ServerVersion": "26", "OSType": "linux"}
    about |= {"Architecture": "x86_64"}
    scripted.script("GET", "/version", reply_json(200, {"ApiVersion": "1.45", "Version": "26"}))
    scripted.script("GET", ".*/info", reply_json(200, about))
    scripted.script("GET", ".*/images/json", reply_json(200, []))
    told = b'{"Type":"image","Action":"tag","Actor":{"ID":"sha256:a"}}\n'
    scripted.script("GET", ".*/events", endless(told * 100))
    liar = {"name": "liar", "engine": {"endpoint": f"tcp://{scripted.host}", "insecure": True}}
    quiet(site, registry, sources=[liar, source_of(site.source)])
    quiet(other, registry)
    for each in (site, other):
        lacks(each, each.image("kali-attack:latest", 7))
    lists = len(scripted.seen("GET", ".*/images/json"))
    wait_for(lambda: len(scripted.seen("GET", ".*/images/json")) > lists, "a look", A_WHILE)
    assert len(scripted.seen("GET", ".*/events")) == 1
    site.edit_cache(sources=[source_of(site.source)])
    lacks(site, site.image("another:1", 8))


def test_what_is_in_the_registry_costs_one_head_an_interval_and_image(
    site: Site, registry: RegistryPart, new_proxy: NewProxy
) -> None:
    way = new_proxy(registry.push_host)
    site.cache(
        registry,
        registry={"pushURL": f"http://{way.host}"},
        refresh={"interval": "3s"},
        pushPolicy="Automatic",
    )
    images = [site.image(f"tool-{number}:1", number) for number in range(3)]
    for image in images:
        stored(site, image)
    mine = f"/v2/{site.name}[.]example/.*"
    looks, all_of_them = len(way.seen("HEAD", mine)), len(way.seen(".*", mine))
    wait_for(lambda: len(way.seen("HEAD", mine)) >= looks + 9, "three rounds", A_WHILE)
    heads, asked = len(way.seen("HEAD", mine)) - looks, len(way.seen(".*", mine)) - all_of_them
    assert asked - heads <= 1, "nothing but HEAD"  # a request may come between the two counts
