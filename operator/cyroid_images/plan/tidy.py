"""Which names in an engine an interrupted transfer left: seen anew in each pass, no journal."""

from __future__ import annotations

from collections.abc import Collection

from cyroid_images.model.engine import EngineView
from cyroid_images.model.images.reference import Reference
from cyroid_images.model.images.repository import TRANSPORT_HOST


def leftovers(view: EngineView, transports: Collection[Reference]) -> tuple[Reference, ...]:
    """Names that only a transfer of ours gives, to drop while no transfer runs there.

    `transports` are the repository@digest names by which ours pull, or pulled: what else the
    engine has by digest, also from our registry, is somebody's own. So is a repository under
    which the engine has a tag, too.
    """
    loads = [name for name in (*view.images, *view.half) if name.host == TRANSPORT_HOST]
    kept = {name.name for name in view.images}
    pulls = [
        name
        for name in (*view.by_digest, *view.half)
        if name in transports and name.name not in kept
    ]
    return tuple(sorted({*loads, *pulls}, key=str))
