"""Transfers that drop what interrupted ones left in engines: seen anew each pass, no journal."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from cyroid_images.execute.executor import Executor
from cyroid_images.execute.ports import Movers
from cyroid_images.execute.transfer import Transfer
from cyroid_images.model.actions import Untag
from cyroid_images.model.engine import EngineEndpoint, EngineView
from cyroid_images.model.images.reference import Reference
from cyroid_images.model.observed import CacheSeen, EngineShown
from cyroid_images.plan.tidy import leftovers
from cyroid_images.store.keys import Key

TIDY_SECONDS = 60.0
"""A few short calls; an engine that takes longer is looked at again anyway."""


def tidy(
    endpoint: EngineEndpoint,
    view: EngineView,
    transports: Collection[Reference],
    movers: Movers,
    party: str,
) -> Transfer | None:
    """What drops our names from an engine in which no transfer runs; None: no need."""
    names = leftovers(view, transports)
    if not names:
        return None
    action = Untag(endpoint, names)
    return Transfer(
        key=("tidy", endpoint),
        action=action,
        version=names,
        party=party,
        limits=("tidy",),
        run=lambda cancellation, _: movers.untag(action, cancellation),
        total_seconds=TIDY_SECONDS,
    )


def tidy_sources(
    key: Key, seen: CacheSeen, transfers: Iterable[Transfer], executor: Executor, movers: Movers
) -> list[Transfer]:
    """The same for every source engine that gives nothing just now; what runs there goes on."""
    planned = {limit for transfer in transfers for limit in transfer.limits}
    running = {
        job.transfer.action.endpoint: job.transfer
        for job in executor.running(key)
        if isinstance(job.transfer.action, Untag)
    }
    found: list[Transfer | None] = []
    for source in seen.sources:
        if isinstance(source.shown, EngineShown):
            endpoint, limit = source.shown.endpoint, f"source:{source.shown.endpoint}"
            if limit in planned or executor.uses(limit):
                continue
            if endpoint in running:
                found.append(running[endpoint])
            elif not source.is_stale:
                party = f"cache {seen.item.metadata.name}"
                found.append(tidy(endpoint, source.shown.view, (), movers, party))
    return [transfer for transfer in found if transfer is not None]
