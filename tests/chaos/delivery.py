"""A small delivery that goes every way, and what is left when it is done.

One image is pushed, pulled by an engine that trusts the registry and brought by tar, with a
record, into one that does not; another goes by tar from its source, as the spec says. `End`
is everything that a user could tell two such deliveries apart by, without what must differ
(names, digests, moments): equal ends mean that a kill in between changed nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from difflib import unified_diff
from typing import Any

from cyroid_images.model.images.repository import TRANSPORT_HOST
from cyroid_images.registry.client import RegistryClient
from tests.chaos.engine_images import holding, names, remove
from tests.parts.apiserver import wait_for
from tests.parts.engines import EnginePart
from tests.parts.registry import RegistryPart
from tests.parts.site import Site, condition

RANGES = ("pulled", "loaded", "forced")
SECONDS = 30.0
TOLD = ("type", "status", "reason")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
"""One that no word was found for: a store makes manifests of its own for what is loaded."""


@dataclass(frozen=True, slots=True)
class End:
    """What is left, as text without names, digests and moments of this very delivery."""

    engines: str
    registry: str
    statuses: str
    leftovers: tuple[str, ...]
    """Names of ours in any engine. An upload that a kill cut is none: the registry itself
    ends it after a week, and nothing can be read from it."""

    def differs_from(self, other: End) -> str:
        """A diff, line by line; empty where both are equal."""
        mine, others = asdict(self), asdict(other)
        return "\n".join(
            line
            for part in mine
            for line in unified_diff(
                str(others[part]).splitlines(), str(mine[part]).splitlines(), part, part, n=4
            )
        )


@dataclass(frozen=True, slots=True)
class Delivery:
    """The parts of one delivery, and the objects that ask for it."""

    site: Site
    registry: RegistryPart
    trusting: EnginePart
    """Takes the registry at its outer address."""
    wary: EnginePart
    """Does not: its images come by tar."""

    def apply(self) -> None:
        """Create everything that asks for it."""
        site, pull_host = self.site, self.registry.outer_pull_host
        site.cache(self.registry, registry={"pullHost": pull_host}, refresh={"interval": "10m"})
        shared, forced = self._images()
        rarely = {"interval": "10m"}
        site.serve("pulled", self.trusting, [shared], **rarely)
        site.serve("loaded", self.wary, [shared], **rarely)
        same_pod = {
            "selector": {"matchLabels": {"cyroid.io/range-id": "loaded"}},
            "docker": {"port": self.wary.port, "insecure": True},
        }
        wanted = {"targets": same_pod, "delivery": "TarOnly", **rarely}
        site.ranges("forced", self.wary.port, [forced], **wanted)

    def make_images(self) -> None:
        """Put the images into the source, before `apply`."""
        self.site.image("shared:1", 1)
        self.site.image("forced:1", 2)

    def await_end(self) -> End:
        """The end, once everything is Ready, tidy, and stays so for one more pass."""
        for name in RANGES:
            self.site.until(name, Ready="True", seconds=SECONDS)
        self.site.until_cache(Ready="True", seconds=SECONDS)
        wait_for(
            lambda: not self._leftovers(), "a tidy end", SECONDS, lambda: str(self._leftovers())
        )
        self._pass()
        return self.end()

    def end(self) -> End:
        """As it is now."""
        return End(
            engines=self._plain([self._held(each) for each in (self.trusting, self.wary)]),
            registry=self._plain(self._tags()),
            statuses=self._plain([self._told(path) for path in self._paths()]),
            leftovers=self._leftovers(),
        )

    def remove(self) -> None:
        """Take away its objects and its images: engines that fill up become slow."""
        self.site.remove_all()
        for engine in (self.site.source, self.trusting, self.wary):
            remove(engine, self._prefix)

    @property
    def _prefix(self) -> str:
        return f"{self.site.name}.example/"

    def _pass(self) -> None:
        """One more pass of everything, which must change nothing."""
        self.site.reconcile_now("once-more", *self._paths())
        for name in RANGES:
            self.site.until(name, Ready="True", at=_has_passed)
        wait_for(lambda: _has_passed(self.site.read(self.site.cache_path)), "the cache", SECONDS)

    def _images(self) -> tuple[str, str]:
        return f"{self.site.name}.example/shared:1", f"{self.site.name}.example/forced:1"

    def _paths(self) -> list[str]:
        return [self.site.cache_path, *(self.site.path(name) for name in RANGES)]

    def _held(self, engine: EnginePart) -> list[Any]:
        """Images of this site in an engine: names, contents, ids."""
        return sorted(
            [
                sorted(image.tags),
                sorted(image.by_digest),
                image.id,
                image.content.layers,
                image.content.command,
            ]
            for image in holding(engine, self._prefix).images
        )

    def _tags(self) -> dict[str, Any]:
        """Repositories of this site, their tags, and which manifest each names."""
        root = self.registry.data_root / "docker/registry/v2/repositories"
        found = {}
        for folder in sorted(root.glob(f"{self.site.name}.example*/*")):
            tags = sorted((folder / "_manifests/tags").iterdir())
            found[str(folder.relative_to(root))] = [
                (tag.name, (tag / "current/link").read_text()) for tag in tags
            ]
        return found

    def _told(self, path: str) -> dict[str, Any]:
        """A status without messages and moments."""
        status = self.site.read(path)["status"]
        conditions = [{part: each[part] for part in TOLD} for each in status["conditions"]]
        records = [
            [record["image"], record["digest"], record["reason"]]
            for record in status.get("tarDeliveries", ())
        ]
        return {
            "conditions": sorted(conditions, key=lambda each: each["type"]),
            "records": sorted(records),
            **{field: status.get(field) for field in ("summary", "images", "targets", "failures")},
            "rows": len(status.get("targetStatuses", ())),
        }

    def _leftovers(self) -> tuple[str, ...]:
        """Transport names in any engine."""
        hosts = (TRANSPORT_HOST, self.registry.push_host, self.registry.outer_pull_host)
        engines = (self.site.source, self.trusting, self.wary)
        listed = {name for engine in engines for name in names(engine)}
        return tuple(sorted(name for name in listed if name.startswith(hosts)))

    def _plain(self, told: object) -> str:
        """As text; what this delivery is called and made of becomes a word for what it is."""
        text = json.dumps(told, indent=1)
        for found, word in self._words().items():
            text = text.replace(found, word)
        return _DIGEST.sub("<digest>", text)

    def _words(self) -> Mapping[str, str]:
        """Digest or name to word: the same for every delivery."""
        source, words = holding(self.site.source, self._prefix).named(), {}
        for name, word in zip(self._images(), ("shared", "forced"), strict=True):
            image = source[name]
            words[image.id.removeprefix("sha256:")] = f"<id of {word}>"
            words |= dict.fromkeys(image.content.layers, f"<layer of {word}>")
        with RegistryClient(self.registry.push_endpoint) as registry:
            stored = registry.manifest(f"{self.site.name}.example/shared", "1")
        if stored is not None:
            words[stored.digest.hex] = "<manifest of shared>"
            words[stored.digest.hex[:40]] = "<pin of shared>"
        return words | {self.site.name: "<site>"}


def _has_passed(body: Mapping[str, Any]) -> bool:
    said = condition(body, "Ready")
    return said.get("status") == "True" and (
        body["status"].get("lastHandledReconcileAt") == "once-more"
    )
