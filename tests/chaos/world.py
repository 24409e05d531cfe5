"""What users want and what there ever was: the other side of every comparison.

The images of the source with all their versions, the ranges with their specs, the pods, and two
caches, each over a registry of its own. It edits objects and source, never the inside of a range
engine, and it judges nothing.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cyroid_images.model.pod import COMPONENT, COMPONENT_LABEL
from tests.chaos.engine_images import Content
from tests.chaos.others import HANGING, OWN, Others
from tests.chaos.stack import Stack
from tests.parts.engines import EnginePart
from tests.parts.save_tars import noise, saved_image
from tests.parts.site import Site

SIZES = (100_000, 100_000, 400_000, 1_000_000, 3_000_000, 12_000_000, 100_000, 1_000_000)
"""Bytes of the layer that each image has for itself: most are there at once, some take a while."""
SECOND = range(6, 8)
"""The numbers of the images that come by the second cache."""
DELIVERIES = ("RegistryThenTar", "TarOnly")
"""What any engine can follow in any order; RegistryOnly it cannot: a containerd store (26.1)
that got a layer by tar never fetches it by a pull, and only a tar helps then."""
INTERVAL = "2s"
TIMEOUTS = {"stall": "10s", "total": "60s"}
BYSTANDER = "bystander.example/kept:1"
TEAM = "cyroid.io/team"
RANGE = "cyroid.io/range-id"


@dataclass(slots=True)
class Range:
    """One RangeImages as it is wanted now."""

    name: str
    labels: Mapping[str, str]
    pods: tuple[int, ...]
    images: list[str]
    delivery: str
    cache: int = 0
    """The first cache, or the second."""


@dataclass(slots=True)
class World:
    """All that is wanted; every change of it goes to the API server or the source at once."""

    stack: Stack
    site: Site
    versions: dict[str, list[Content]] = field(default_factory=dict)
    """By name: every content that the source ever had, the present one last."""
    ranges: dict[str, Range] = field(default_factory=dict)
    pods: list[str] = field(default_factory=lambda: ["", ""])
    """Their uids."""
    seats: list[int] = field(default_factory=lambda: [0, 1])
    """By pod: the engine behind its address."""
    second: Site = field(init=False)
    """The site of the second cache, and of a user who breaks nothing."""
    others: Others = field(init=False)

    def __post_init__(self) -> None:
        site = self.site
        self.second = Site(f"{site.name}-two", site.api, site.operator, site.source)
        self.others = Others(self.stack, site, self.second)

    # -- to begin ---------------------------------------------------------------------

    def make(self) -> None:
        """Images, bystanders, caches, pods and ranges."""
        for number in range(len(SIZES)):
            self._fill(self.image(number))
        self._archive()
        for engine in (self.stack.source, *self.stack.engines):
            self.put_bystanders(engine)
        self.second.api.put_namespace(self.second.name, {"cyroid.io/ranges": "true"})
        for which in (0, 1):
            self._make_cache(which)
        for pod in range(len(self.seats)):
            self._put_pod(pod)
        images = [self.image(number) for number in range(len(SIZES))]
        for range_ in (
            Range("all", {TEAM: "all"}, (0, 1), [*images[:4], self.archived], DELIVERIES[0]),
            Range("one", {RANGE: "r1"}, (0,), images[1:5:3], DELIVERIES[1]),
            Range("two", {RANGE: "r2"}, (1,), images[2:6:3], DELIVERIES[0]),
            Range("other", {TEAM: "all"}, (0, 1), images[SECOND.start :], DELIVERIES[0], cache=1),
        ):
            self.ranges[range_.name] = range_
            self._make(range_)
        self.others.make(images[:4], images[SECOND.start])

    def remove_all(self) -> None:
        """Delete every object that was made."""
        for site in self.sites:
            site.remove_all()

    def put_bystanders(self, engine: EnginePart) -> None:
        """Images that nobody lists, one of them in a repository of ours."""
        for at, name in enumerate((BYSTANDER, self.by_hand)):
            engine.load_image(name, ({"kept": noise(50_000, at)},), {"Cmd": ["/kept"]})

    # -- what is wanted ---------------------------------------------------------------

    def image(self, number: int) -> str:
        return f"{self.site.name}.example/tool-{number}:1"

    @property
    def archived(self) -> str:
        """The image that only an archive has."""
        return f"{self.site.name}.example/archived:1"

    @property
    def caches(self) -> dict[str, str]:
        """Where the API serves the caches, by name."""
        return {site.name: site.cache_path for site in (self.site, self.second)}

    @property
    def sites(self) -> tuple[Site, ...]:
        """Everybody's part of the cluster."""
        return self.site, self.second, self.others.tenant

    @property
    def by_hand(self) -> str:
        """A name that somebody gave in a repository of ours."""
        return f"{self.site.name}.example/tool-0:by-hand"

    @property
    def paths(self) -> dict[str, str]:
        """Where the API serves caches and ranges, also those of others, by name."""
        ranges = {name: self.site.path(name) for name in self.ranges}
        return {**self.caches, **ranges, **self.others.paths}

    def wanted(self, engine: int) -> list[str]:
        """The images that any range wants in this engine."""
        ranges = [each for each in self.ranges.values() if engine in self.engines_of(each)]
        return sorted({image for each in ranges for image in each.images})

    def engines_of(self, range_: Range) -> list[int]:
        """The engines behind the pods of a range."""
        return [self.seats[pod] for pod in range_.pods]

    # -- changes ----------------------------------------------------------------------

    def move_tag(self, draw: int) -> str:
        """Other content under a name in the source."""
        name = self.image(draw % len(SIZES))
        self._fill(name)
        return name

    def list_image(self, draw: int) -> str:
        """One more image of its cache in a spec, if there is one that it lacks."""
        range_ = self._drawn(draw)
        second = {self.image(number) for number in SECOND}
        fitting = [name for name in self.versions if (name in second) == bool(range_.cache)]
        missing = [name for name in fitting if name not in range_.images]
        if not missing:
            return f"{range_.name} lists them all"
        range_.images.append(missing[draw % len(missing)])
        self._edit(range_)
        return f"{range_.images[-1]} to {range_.name}"

    def unlist_image(self, draw: int) -> str:
        """One image less, but never the last."""
        range_ = self._drawn(draw)
        if len(range_.images) == 1:
            return f"{range_.name} keeps its last"
        gone = range_.images.pop(draw % len(range_.images))
        self._edit(range_)
        return f"{gone} of {range_.name}"

    def switch_delivery(self, draw: int) -> str:
        """Another value of `delivery`."""
        range_ = self._drawn(draw)
        others = [each for each in DELIVERIES if each != range_.delivery]
        range_.delivery = others[draw % len(others)]
        self._edit(range_)
        return f"{range_.name} to {range_.delivery}"

    def remake(self, draw: int) -> str:
        """Delete a RangeImages and make one of the same name at once."""
        range_ = self._drawn(draw)
        self.site.delete(range_.name)
        self._make(range_)
        return range_.name

    def remake_cache(self, which: int) -> str:
        """Delete an ImageCache and make it again at once."""
        site = (self.site, self.second)[which]
        site.api.call("DELETE", site.cache_path)
        self._make_cache(which)
        return site.name

    def prune(self, draw: int) -> str:
        """Remove an image from the source, as `docker image prune` may."""
        name = self.image(draw % len(SIZES))
        self.stack.source.docker("rmi", "--force", name)
        return name

    def load_again(self, draw: int) -> None:
        """The end of `prune`."""
        name = self.image(draw % len(SIZES))
        self._load(name, len(self.versions[name]) - 1)

    def replace_pod(self, pod: int) -> str:
        """A new pod of the same name before the same engine."""
        self._delete_pod(pod)
        self._put_pod(pod)
        return f"dind-r{pod + 1}"

    def swap_pods(self) -> str:
        """New pods of the same names, each at the address that the other had."""
        for pod in range(len(self.seats)):
            self._delete_pod(pod)
        self.seats.reverse()
        for pod in range(len(self.seats)):
            self._put_pod(pod)
        return f"dind-r1 is at engine-{self.seats[0] + 1}"

    # -- how --------------------------------------------------------------------------

    def _fill(self, name: str) -> None:
        """The next version of an image."""
        versions = self.versions.setdefault(name, [])
        versions.append(self._load(name, len(versions)))

    def _load(self, name: str, version: int) -> Content:
        """Put it into the source: a layer of its own over one that all share."""
        number = int(name.partition("tool-")[2].partition(":")[0])
        seed = random.Random(f"{name} {version}").randrange(1 << 30)  # noqa: S311 - no secret
        layers = ({"base": noise(200_000, 1)}, {"own": noise(SIZES[number], seed)})
        command = f"/version-{version}"
        saved = self.stack.source.load_image(name, layers, {"Cmd": [command]})
        return Content(saved.diff_ids, "linux/amd64", (command,))

    def _archive(self) -> None:
        """Folders of the archive volume, and the image that lies in one of them."""
        for purpose in (OWN, HANGING):
            self.others.folder(purpose).mkdir(exist_ok=True)
        saved = saved_image(self.archived, ({"own": noise(50_000, 9)},), {"Cmd": ["/archived"]})
        (self.others.folder(HANGING) / "archived.tar").write_bytes(saved.tar)
        self.versions[self.archived] = [Content(saved.diff_ids, "linux/amd64", ("/archived",))]

    def _make_cache(self, which: int) -> None:
        site = (self.site, self.second)[which]
        held = [self.image(0), self.archived] if which == 0 else [self.image(SECOND.start)]
        purpose = (HANGING, OWN)[which]
        engine = {"endpoint": self.stack.source.endpoint.url, "insecure": True}
        builder = {"name": "builder", "engine": engine}
        archive = {"name": "archives", "archive": {"path": self.others.folder(purpose).name}}
        site.cache(
            self.stack.registries[which],
            images=_listed(held),
            sources=[builder, archive] if which == 0 else [archive, builder],
            refresh={"interval": INTERVAL},
        )

    def _put_pod(self, pod: int) -> None:
        labels = {COMPONENT_LABEL: COMPONENT, RANGE: f"r{pod + 1}", TEAM: "all"}
        address = self.stack.engines[self.seats[pod]].address
        self.pods[pod] = self.site.pod(f"r{pod + 1}", address, labels=labels)

    def _delete_pod(self, pod: int) -> None:
        self.site.api.delete_pod(f"dind-r{pod + 1}", self.site.name)

    def _make(self, range_: Range) -> None:
        port = self.stack.engines[0].port
        selector = {"matchLabels": dict(range_.labels)}
        self.site.ranges(
            range_.name,
            port,
            range_.images,
            targets={"selector": selector, "docker": {"port": port, "insecure": True}},
            delivery=range_.delivery,
            imageCacheRef={"name": (self.site, self.second)[range_.cache].name},
            interval=INTERVAL,
            timeouts=TIMEOUTS,
        )

    def _edit(self, range_: Range) -> None:
        spec: dict[str, Any] = {"images": _listed(range_.images), "delivery": range_.delivery}
        self.site.edit(range_.name, **spec)

    def _drawn(self, draw: int) -> Range:
        return list(self.ranges.values())[draw // 7 % len(self.ranges)]


def _listed(images: Sequence[str]) -> list[dict[str, str]]:
    return [{"image": image} for image in images]
