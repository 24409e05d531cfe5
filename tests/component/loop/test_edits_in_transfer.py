"""Edits and deletions in mid-transfer: what is still wanted goes on, the rest is cut at once.

The transfers crawl through a proxy, so that an image of 100 kB is on its way for long
enough; a connection that stays open is one that still moves bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from tests.parts.apiserver import wait_for
from tests.parts.connections import open_connections
from tests.parts.engines import EnginePart
from tests.parts.proxy import Change, FaultProxy, Line, NewProxy
from tests.parts.registry import RegistryPart
from tests.parts.save_tars import noise
from tests.parts.site import Site, condition, holds

pytestmark = pytest.mark.slow

CRAWL = Line(bytes_per_second=15_000)
"""The small images of a site take seven seconds."""
CUT_SECONDS = 2.0
"""From an edit to the last byte, on both ends."""
GONE_SECONDS = 5.0
"""The same after a deletion, as promised."""
SAVES = r".*/get(\?.*)?"
"""The requests for a tar of an engine."""
NOBODY: dict[str, Any] = {"selector": {"matchLabels": {"cyroid.io/range-id": "nobody"}}}


@dataclass(slots=True)
class Moving:
    """A transfer in the middle of its way."""

    site: Site
    image: str
    other: str
    """One more image of the source, which nobody wants yet."""
    way: FaultProxy
    """What it crawls through."""
    ends: tuple[EnginePart, ...]
    """The engines that take part and that are not behind the way."""

    @contextmanager
    def cut_within(self, seconds: float) -> Iterator[None]:
        """What carries bytes before the block is over, on both ends, so soon after it.

        Only that: what is wanted instead begins at once, over connections of its own, and over
        one the operator hears the events of the source, whatever moves.
        """
        under_way = [
            each for each in self.way.exchanges if not each.is_over and "/events" not in each.target
        ]
        way = open_connections(self.way.port)
        held = {engine.port: open_connections(engine.port) for engine in self.ends}
        assert under_way

        def is_cut() -> bool:
            # The way may go on for a while with what was given to it before.
            has_left = not way & open_connections(self.way.port)
            left = {port: open_connections(port) & ends for port, ends in held.items()}
            is_left = all(
                len(ends) <= (port == self.site.source.port) for port, ends in left.items()
            )
            return is_left and (has_left or all(each.is_over for each in under_way))

        yield
        wait_for(is_cut, "the transfer to be cut", seconds, self.site.operator.log)


@pytest.fixture
def pulling(
    site: Site, registry: RegistryPart, containerd_engine: EnginePart, new_proxy: NewProxy
) -> Moving:
    """An engine pulls through a crawling way; it has the other image already."""
    way, other = new_proxy(registry.pull_host), f"{site.name}.example/o:1"
    containerd_engine.load(site.fill(other, 2).tar)
    moving = Moving(site, site.image("m:1", 1), other, way, (containerd_engine,))
    site.cache(registry, registry={"pullHost": way.host})
    way.line = CRAWL
    site.serve("moving", containerd_engine, [moving.image])
    site.until_bytes_come(way, ".*/blobs/.*")
    return moving


@pytest.fixture
def loading(
    site: Site, registry: RegistryPart, containerd_engine: EnginePart, new_proxy: NewProxy
) -> Moving:
    """A source has stopped in the middle of its tar, on its way into an engine."""
    moving = _before_source(site, new_proxy, containerd_engine)
    site.cache(registry, sources=[_source(moving)])
    site.serve("moving", containerd_engine, [moving.image], delivery="TarOnly")
    site.until_bytes_come(moving.way, SAVES)
    return moving


@pytest.fixture
def saving(site: Site, registry: RegistryPart, new_proxy: NewProxy) -> Moving:
    """A source has stopped in the middle of its tar, on its way into the registry."""
    moving = _before_source(site, new_proxy)
    site.cache(registry, sources=[_source(moving)], images=[{"image": moving.image}])
    site.until_bytes_come(moving.way, SAVES)
    return moving


def _before_source(site: Site, new_proxy: NewProxy, *ends: EnginePart) -> Moving:
    way = new_proxy(site.source.endpoint.url.removeprefix("tcp://"))
    way.on("GET", SAVES, Change(silent_at=60_000), times=1)
    return Moving(site, site.image("m:1", 1), site.image("o:1", 2), way, ends)


def _source(moving: Moving) -> dict[str, Any]:
    engine = {"endpoint": f"tcp://{moving.way.host}", "insecure": True}
    return {"name": "builder", "engine": engine}


@pytest.fixture
def pushing(site: Site, registry: RegistryPart, new_proxy: NewProxy) -> Moving:
    """An image of the cache's list crawls into the registry, and so does every answer of it."""
    way = new_proxy(registry.push_host)
    moving = Moving(site, site.image("m:1", 1), site.image("o:1", 2), way, (site.source,))
    where = {"pushURL": f"http://{way.host}"}
    way.line = CRAWL
    wanted = [{"image": moving.image}]
    site.cache(registry, registry=where, images=wanted, refresh={"interval": "10m"})
    wait_for(
        lambda: any(each.up > 10_000 for each in way.exchanges),
        "bytes to move",
        15,
        site.operator.log,
    )
    return moving


@pytest.mark.row("U1")
@pytest.mark.parametrize(
    ("edit", "said"),
    [
        pytest.param({"images": [{"image": "{other}"}]}, None, id="another-image"),
        pytest.param(
            {"images": [{"image": f"{{image}}@sha256:{'0' * 64}"}]}, "ImageNotFound",
            id="another-digest",
        ),
        pytest.param({"targets": NOBODY}, "NoTargets", id="another-selector"),
        pytest.param({"suspend": True}, "Suspended", id="suspended"),
    ],
)  # fmt: skip
def test_a_pull_that_is_no_longer_wanted_is_cut_on_both_ends(
    pulling: Moving, edit: dict[str, Any], said: str | None
) -> None:
    site, (engine,) = pulling.site, pulling.ends
    with pulling.cut_within(CUT_SECONDS):
        site.edit("moving", **_named(edit, pulling))
    pulling.way.line = Line()
    body = site.until("moving", Ready=f"False/{said}" if said else "True/AllImagesPresent")
    assert body["metadata"]["generation"] == condition(body, "Ready")["observedGeneration"] == 2
    assert not holds(engine, pulling.image)


@pytest.mark.row("U1")
def test_a_pull_that_is_still_wanted_goes_on_and_no_old_generation_reads_as_new(
    pulling: Moving,
) -> None:
    """Before the edit is taken up the status speaks of the generation before, with its counts."""
    site, (engine,) = pulling.site, pulling.ends
    site.edit("moving", images=[{"image": pulling.image}, {"image": pulling.other}])
    wanted = {1: 1, 2: 2}
    seen: set[int] = set()

    def is_taken_up() -> bool:
        body = site.read(site.path("moving"))
        ready = condition(body, "Ready")
        seen.add(ready["observedGeneration"])
        assert body["status"]["images"]["desired"] == wanted[ready["observedGeneration"]]
        assert ready["status"] == "False"
        assert body["status"]["observedGeneration"] <= 1
        return 2 in seen

    wait_for(is_taken_up, "the edit to be taken up", 10)
    pulling.way.line = Line()
    site.until("moving", Ready="True/AllImagesPresent")
    assert len(_pulls(site, engine)) == 1


@pytest.mark.row("U1")
def test_a_pull_whose_bytes_are_told_outlives_a_change_to_tar(
    site: Site, registry: RegistryPart, containerd_engine: EnginePart, new_proxy: NewProxy
) -> None:
    """A containerd store tells of each MiB; a pull without one gives way to the tar."""
    way, image = new_proxy(registry.pull_host), f"{site.name}.example/m:1"
    site.source.load_image(image, ({"noise": noise(4_000_000, 6)},))
    site.cache_behind(way, registry, image)
    way.line = Line(bytes_per_second=500_000)
    site.serve("moving", containerd_engine, [image])
    moves = "KiB/s"
    site.until(
        "moving", Ready="False", at=lambda body: moves in condition(body, "Ready")["message"]
    )
    site.edit("moving", delivery="TarOnly")
    site.until(
        "moving", Ready="False", at=lambda body: condition(body, "Ready")["observedGeneration"] == 2
    )
    way.line = Line()
    site.until("moving", Ready="True/AllImagesPresent", TarFallback="False/NotNeeded")
    assert len(_pulls(site, containerd_engine)) == 1


def _pulls(site: Site, engine: EnginePart) -> list[str]:
    """Pulls of the image `m` that have ended well there."""
    return [line for line in engine.happened("pull") if "m@sha256" in line and site.name in line]


@pytest.mark.row("U1")
def test_a_load_that_is_no_longer_wanted_is_cut_on_both_ends(loading: Moving) -> None:
    site, (engine,) = loading.site, loading.ends
    with loading.cut_within(CUT_SECONDS):
        site.edit("moving", images=[{"image": loading.other}])
    site.until("moving", Ready="True/AllImagesPresent", TarFallback="True/ForcedBySpec")
    assert not holds(engine, loading.image)


@pytest.mark.row("U1")
def test_a_push_that_is_no_longer_wanted_is_cut_on_both_ends(
    saving: Moving, registry: RegistryPart
) -> None:
    site = saving.site
    with saving.cut_within(CUT_SECONDS):
        site.edit_cache(images=[{"image": saving.other}])
    body = site.until_cache(Ready="True/AllImagesCached")
    assert [row["image"] for row in body["status"]["imageStatuses"]] == [saving.other]
    assert [saving.other in event["note"] for event in site.events("ImagePushed")] == [True]
    port = int(registry.push_host.rpartition(":")[2])
    wait_for(lambda: not open_connections(port), "the registry to be left", CUT_SECONDS)


@pytest.mark.row("U2", "P9")
@pytest.mark.parametrize("step", ["pulling", "loading", "pushing"])
def test_an_object_that_is_deleted_in_mid_transfer_is_gone_at_once_and_nothing_is_written(
    step: str, request: pytest.FixtureRequest
) -> None:
    moving: Moving = request.getfixturevalue(step)
    site = moving.site
    path = site.cache_path if step == "pushing" else site.path("moving")
    assert not site.read(path)["metadata"].get("finalizers")
    began = site.operator.log_size()
    with moving.cut_within(GONE_SECONDS):
        site.api.call("DELETE", path)
        assert site.api.request("GET", path).status_code == 404
    assert not any(holds(engine, moving.image) for engine in moving.ends if step != "pushing")
    assert holds(site.source, moving.image)
    said = site.operator.log(began)
    assert "ERROR" not in said, said
    assert "status of" not in said, said


@pytest.mark.row("K9")
def test_a_namespace_that_is_deleted_in_mid_pull_ends_the_pull_without_errors(
    pulling: Moving,
) -> None:
    """The controllers' part is played here: they delete what is in it, objects before pods."""
    site = pulling.site
    began = site.operator.log_size()
    with pulling.cut_within(GONE_SECONDS):
        site.api.call("DELETE", f"/api/v1/namespaces/{site.name}")
        body = site.read(site.path("moving"))
        assert not body["metadata"].get("finalizers")
        site.delete("moving")
        site.api.delete_pod("dind-moving", site.name)
    said = site.operator.log(began)
    assert "ERROR" not in said, said
    assert "WARNING" not in said, said


def _named(value: Any, moving: Moving) -> Any:
    """The same with the names of this test's images."""
    match value:
        case str():
            return value.replace("{image}", moving.image).replace("{other}", moving.other)
        case list():
            return [_named(each, moving) for each in value]
        case dict():
            return {key: _named(each, moving) for key, each in value.items()}
    return value
