"""An engine that lies costs a bounded number of everything, and is believed by nobody else."""

from __future__ import annotations

from contextlib import closing

import pytest

from tests.chaos.engine_images import holding
from tests.parts.apiserver import wait_for
from tests.parts.company import NewFleet, new_fleet, other, stand_ins, want
from tests.parts.engines import NewEngine
from tests.parts.images import tiny_image
from tests.parts.proxy import NewProxy
from tests.parts.registry import NewRegistry, RegistryPart
from tests.parts.site import Site, condition
from tests.parts.stand_in import Lie

__all__ = ["new_fleet", "other", "stand_ins"]

pytestmark = pytest.mark.slow

LIARS = 8
"""So that one of them is looked at between any two looks at the honest one."""
WATCHED_SECONDS = 15
MOST = 45
"""In that time, with an interval of a second: three a second. Who is believed makes hundreds."""


@pytest.mark.row("H8")
def test_s2_another_architecture_at_each_look_is_no_news_each_time(
    site: Site,
    registry: RegistryPart,
    new_registry: NewRegistry,
    new_proxy: NewProxy,
    new_fleet: NewFleet,
) -> None:
    """Looks, writes and questions to the upstream, of which Docker Hub allows a hundred."""
    upstream, engine = new_registry(), new_fleet()
    upstream.push(f"{site.name}/tool", "1", tiny_image())
    way = new_proxy(upstream.pull_host)
    engine.tell(Lie.PLATFORM)
    hosts = {"hosts": [way.host], "insecure": True}
    site.cache(registry, sources=[{"name": "hub", "upstream": hosts}])
    want(site, "liar", engine, [f"{way.host}/{site.name}/tool:1"])
    wait_for(lambda: engine.asked()[0] > 0, "a look", 30)
    asked_before = len(way.exchanges)
    looks_before = engine.asked()[0]
    with closing(site.api.versions(site.path("liar"), WATCHED_SECONDS)) as versions:
        writes = len(list(versions))
    assert writes <= MOST
    assert len(way.exchanges) - asked_before <= MOST
    assert engine.asked()[0] - looks_before <= 4 * MOST  # of a look, and a pull


@pytest.mark.row("H8")
@pytest.mark.parametrize("lie", [Lie.CLAIMS, Lie.FORGETS])
def test_b17_what_an_engine_is_given_in_vain_it_is_not_given_at_once_again(
    site: Site, registry: RegistryPart, new_fleet: NewFleet, lie: Lie
) -> None:
    """A pull ends well, but brought nothing; or it is proven, and gone at the next look."""
    image, engine = site.image("claimed:1"), new_fleet()
    engine.tell(lie, names=image)
    site.cache(registry, images=[{"image": image}])
    site.until_cache(Ready="True")
    want(site, "vain", engine, [image])
    # What does not last by the one route gives way to the other.
    counted = ("pulls", "loads") if lie is Lie.FORGETS else ("requests",)
    wait_for(
        lambda: sum(engine.asked(what)[0] for what in counted) > 3,
        "tries",
        60,
        site.operator.log,
    )
    tries, writes = engine.asked()[0], 0
    with closing(site.api.versions(site.path("vain"), WATCHED_SECONDS)) as versions:
        writes = len(list(versions))
    assert writes <= MOST
    assert engine.asked()[0] - tries <= 6 * MOST  # a try takes some requests


@pytest.mark.row("H8", "P8")
def test_s16_an_engine_that_takes_the_id_of_another_is_not_believed_for_it(
    site: Site, other: Site, registry: RegistryPart, new_fleet: NewFleet, new_engine: NewEngine
) -> None:
    """It says beforehand what the images are that the other one is about to have."""
    target, liar = new_engine(), new_fleet(LIARS)
    image = site.image("mine:1")
    mine = holding(site.source).named()[image].id  # equal in each classic store
    named = f"{other.name}.example/stolen:1"
    liar.tell(Lie.IDENTITY, id=target.engine.info().id, images=mine, names=named)
    other.cache(registry)
    want(other, "liar", liar, [named])
    wait_for(lambda: min(liar.asked()) >= 6, "each of them to be looked at", 60)
    site.cache(registry)
    site.serve("mine", target, [image])
    site.until("mine", Ready="True/AllImagesPresent", TarFallback="False/NotNeeded")
    with closing(site.api.versions(site.path("mine"), WATCHED_SECONDS)) as versions:
        told = [condition(each, "Ready")["status"] for each in versions]
    assert set(told) == {"True"}, told
    assert len(target.happened("pull")) == 1
