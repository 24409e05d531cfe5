"""Which names in an engine an interrupted transfer left: seen anew in each pass, no journal."""

from __future__ import annotations

from cyroid_images.model.engine import EngineView
from cyroid_images.model.reference import Reference
from cyroid_images.model.repository import TRANSPORT_HOST


def leftovers(view: EngineView, registry_hosts: frozenset[str]) -> tuple[Reference, ...]:
    """Names that only a transfer of ours gives, to drop while no transfer runs there.

    A repository of our registry under which the engine also has a tag is somebody's own
    name for an image: it stays.
    """
    loads = [name for name in view.images if name.host == TRANSPORT_HOST]
    kept = {name.name for name in view.images}
    pulls = [
        name for name in view.by_digest if name.host in registry_hosts and name.name not in kept
    ]
    return tuple(sorted((*loads, *pulls), key=str))
