"""Which ranges a caller may see: all of the cluster, or those of the namespaces they may list."""

from __future__ import annotations

import asyncio

from cyroid_images.api.callers import missing
from cyroid_images.api.problems import Problem
from cyroid_images.api.services import Asking
from cyroid_images.kube.resources import GROUP
from cyroid_images.kube.rights import Right
from cyroid_images.overview.ranges import RangeRow

MOST_NAMESPACES = 64
"""Each is a question to the API server; where there are more, a caller names one."""


async def visible_ranges(about: Asking, namespace: str | None) -> list[RangeRow]:
    """Rows of the ranges of one namespace, or of all that the caller may list."""
    allowed = await visible_namespaces(about, namespace)
    known = about.world.ranges()
    return [each.row for each in known if allowed is None or each.row.namespace in allowed]


async def visible_namespaces(about: Asking, namespace: str | None) -> frozenset[str] | None:
    """None: every one. A 403 where the caller may list ranges nowhere."""
    if namespace is not None:
        await about.require(_list(namespace), "list ranges")
        return frozenset({namespace})
    if await about.may(_list()):
        return None
    there = sorted(about.world.ranges().namespaces())
    if not there:
        return frozenset()
    if len(there) > MOST_NAMESPACES:
        why = f"{len(there)} namespaces hold ranges: name yours with ?namespace="
        raise Problem(403, f"{missing(about.caller, _list(), 'list all ranges')}; {why}")
    answers = await asyncio.gather(*(about.may(_list(each)) for each in there))
    allowed = frozenset(name for name, may in zip(there, answers, strict=True) if may)
    if not allowed:
        raise Problem(403, missing(about.caller, _list(), "list ranges"))
    return allowed


def _list(namespace: str = "") -> Right:
    return Right("list", GROUP, "rangeimages", namespace)
