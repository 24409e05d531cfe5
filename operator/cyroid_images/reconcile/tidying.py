"""Moves that drop what interrupted transfers left in engines: seen anew each pass, no journal."""

from __future__ import annotations

from collections.abc import Iterable

from cyroid_images.model.actions import Untag
from cyroid_images.model.engine import EngineEndpoint, EngineView
from cyroid_images.model.observed import CacheSeen, EngineShown
from cyroid_images.plan.tidy import leftovers
from cyroid_images.reconcile.job import Move
from cyroid_images.reconcile.jobs import Jobs
from cyroid_images.reconcile.ports import Movers

TIDY_SECONDS = 60.0
"""A few short calls; an engine that takes longer is looked at again anyway."""


def tidy(
    endpoint: EngineEndpoint, view: EngineView, hosts: frozenset[str], movers: Movers
) -> Move | None:
    """The move that drops our names from an engine in which no transfer runs; None: no need."""
    names = leftovers(view, hosts)
    if not names:
        return None
    action = Untag(endpoint, names)
    return Move(
        key=("tidy", endpoint),
        action=action,
        version=names,
        lanes=("all",),
        run=lambda _cancellation, _observer: movers.untag(action),
        total_seconds=TIDY_SECONDS,
    )


def tidy_sources(seen: CacheSeen, moves: Iterable[Move], jobs: Jobs, movers: Movers) -> list[Move]:
    """The same for every source engine that gives nothing just now."""
    planned = {lane for move in moves for lane in move.lanes}
    found = []
    for source in seen.sources:
        if isinstance(source.shown, EngineShown):
            endpoint, lane = source.shown.endpoint, f"source:{source.shown.endpoint}"
            if lane not in planned and not jobs.uses(lane):
                found.append(tidy(endpoint, source.shown.view, frozenset(), movers))
    return [move for move in found if move is not None]
