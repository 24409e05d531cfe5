"""What must be so. Each check raises DemoError with one sentence when it is not."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tests.demo import cache, engines, events
from tests.demo.archive import Content
from tests.demo.cluster import Cluster
from tests.demo.errors import DemoError
from tests.demo.ranges import NAMESPACE, Range


def holds_exactly(cluster: Cluster, checked: Range, wanted: Iterable[str]) -> None:
    """The engine lists the wanted names and no other: no transport name, no leftover."""
    found, expected = set(engines.names(cluster, checked)), set(wanted)
    if found != expected:
        missing = ", ".join(sorted(expected - found)) or "nothing"
        extra = ", ".join(sorted(found - expected)) or "nothing"
        raise DemoError(f"the engine of {checked.name} lacks {missing} and has {extra} too many")


def same_content(cluster: Cluster, checked: Range, built: Mapping[str, Content]) -> None:
    """Every image is the one that was built: the same layers, and an ID that names it.

    An engine's ID is the digest of the config or of the manifest, by its image store;
    the first we know from the build, the second from the cache's status.
    """
    cached = cache.digests(cluster)
    for reference, content in built.items():
        held = engines.held(cluster, checked, reference)
        if held.layers != content.layers:
            raise DemoError(f"{reference} has other layers in {checked.name} than in the builder")
        known = {content.config, cached.get(reference), engines.built(cluster, reference).id}
        if held.id not in known:
            raise DemoError(
                f"{reference} has ID {held.id} in {checked.name}; the builder and the registry "
                f"know {', '.join(sorted(filter(None, known)))}"
            )


def came_by_registry(cluster: Cluster, checked: Range) -> None:
    """No wanted image came by tar."""
    _tar_fallback(cluster, checked, "False", "NotNeeded")


def came_by_tar(cluster: Cluster, checked: Range, *, reason: str) -> None:
    """The record TarFallback says that images came by tar, and why."""
    _tar_fallback(cluster, checked, "True", reason)


@dataclass(frozen=True, slots=True)
class Pushed:
    """What the registry was given until now."""

    pushes: int
    digests: Mapping[str, str]


def pushed_so_far(cluster: Cluster) -> Pushed:
    """Taken before something that must not push."""
    return Pushed(events.pushes(cluster), cache.digests(cluster))


def nothing_pushed(cluster: Cluster, before: Pushed) -> None:
    """No push was told since, and the registry holds the same content."""
    now = pushed_so_far(cluster)
    if now.pushes != before.pushes:
        raise DemoError(f"{now.pushes - before.pushes} images were pushed again")
    if now.digests != before.digests:
        raise DemoError(f"the registry held {before.digests} and now holds {now.digests}")


def _tar_fallback(cluster: Cluster, checked: Range, status: str, reason: str) -> None:
    told = cluster.read(checked.rimg, f"--namespace={NAMESPACE}")["status"]["conditions"]
    found = next(each for each in told if each["type"] == "TarFallback")
    if (found["status"], found["reason"]) != (status, reason):
        raise DemoError(
            f"TarFallback of {checked.name} is {found['status']}/{found['reason']}, "
            f"expected was {status}/{reason}: {found['message']}"
        )
