"""What must be so. Each check raises DemoError with one sentence when it is not."""

from collections.abc import Iterable, Mapping

from tests.demo import cache, engines
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


def came_by(cluster: Cluster, checked: Range, *, tar: bool, reason: str = "") -> None:
    """The record TarFallback says which way the images came, and why."""
    status = cluster.read(checked.rimg, f"--namespace={NAMESPACE}")["status"]
    found = next(each for each in status["conditions"] if each["type"] == "TarFallback")
    if found["status"] != str(tar) or reason not in ("", found["reason"]):
        raise DemoError(
            f"TarFallback of {checked.name} is {found['status']}/{found['reason']}, "
            f"expected was {tar}/{reason or 'any reason'}: {found['message']}"
        )
