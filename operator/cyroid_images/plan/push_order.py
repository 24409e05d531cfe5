"""Whose turn it is: images on one base enter the registry one after the other, so that each
layer is compressed and sent once; the others find it there or have it mounted.

Large ones go first: what is started last decides when everything is done.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from cyroid_images.model.actions import Fill, Load, Pull
from cyroid_images.model.knowledge import (
    HeldByArchive,
    HeldByCache,
    HeldByEngine,
    HeldByUpstream,
    SourceImage,
)


def due(fills: Iterable[Fill], running: Iterable[Fill]) -> tuple[Fill, ...]:
    """Those that may begin now: at most one per base, none whose base is on its way."""
    taken = {_base(fill) for fill in running}
    chosen = []
    for fill in sorted(fills, key=_size_first):
        if _base(fill) not in taken:
            taken.add(_base(fill))
            chosen.append(fill)
    return tuple(chosen)


def large_first(moves: Iterable[Pull | Load]) -> list[Pull | Load]:
    """The deliveries of one pass in the order in which they should begin."""
    return sorted(moves, key=lambda move: -_bytes_of_move(move))


def _base(fill: Fill) -> Hashable:
    """Images with an equal first layer have been built on one base."""
    return fill.source.content.diff_ids[:1] or fill.wish


def _size_first(fill: Fill) -> tuple[int, str]:
    return -_bytes(fill.source), str(fill.wish)


def _bytes_of_move(move: Pull | Load) -> int:
    if isinstance(move, Pull):
        return move.stored.manifest.size
    return _bytes(move.source)


def _bytes(source: SourceImage | HeldByCache) -> int:
    """About how many bytes will move: good enough for an order."""
    match source:
        case HeldByEngine():
            return source.size
        case HeldByArchive():
            return sum(layer.blob.size for layer in source.image.layers)
        case HeldByUpstream() | HeldByCache():
            return source.stored.manifest.size
