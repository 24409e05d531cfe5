"""What must be so before any work: the rights that we need, and the kinds that we serve."""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol

from cyroid_images.errors import AccessDenied, ApiUnavailable, Reason
from cyroid_images.kube import Cluster

_log = logging.getLogger(__name__)

AGAIN_SECONDS = 2.0
"""Between two questions, when nothing can be done without the answer."""
TOLD_SECONDS = 30.0
"""Between two lines of the log about what is waited for."""
DOUBT_SECONDS = 10.0
"""How long a refusal must last: an API server reads its roles within seconds of its start."""


class Rights(Protocol):
    """Tells what we may not do."""

    async def missing_rights(self) -> tuple[str, ...]:
        """As "verb resource"; raises ApiUnavailable and AccessDenied."""
        ...


async def check_rights(cluster: Rights) -> None:
    """Better no start than work that cannot be told.

    Waits for an API server that is away. One that starts refuses everything until it has read
    its roles, so a refusal is believed when it lasts. Raises AccessDenied then, which names every
    missing right.
    """
    loop = asyncio.get_running_loop()
    since: float | None = None  # refused without a break
    while True:
        refusal = await _refusal(cluster)
        if refusal is None:
            return
        if not isinstance(refusal, AccessDenied):
            since = None
        elif since is None:
            since = loop.time()
        elif loop.time() - since >= DOUBT_SECONDS:
            raise refusal
        _log.warning("%s; will retry", refusal)
        await asyncio.sleep(AGAIN_SECONDS)


async def _refusal(cluster: Rights) -> ApiUnavailable | None:
    """What stands against a start now."""
    try:
        missing = await cluster.missing_rights()
    except AccessDenied as exc:
        return exc
    except ApiUnavailable as exc:
        return ApiUnavailable(f"cannot reach the Kubernetes API: {exc}")
    if not missing:
        return None
    return AccessDenied(
        f"{Reason.RBAC_DENIED}: missing rights: {', '.join(missing)}; the ClusterRole and"
        " the Role cyroid-operator of the chart grant them"
    )


async def await_kinds(cluster: Cluster) -> None:
    """CRDs may come later than the operator; without them there is nothing to watch."""
    told = float("-inf")
    while True:
        try:
            if await cluster.crds_served():
                return
            what = "the CRDs are not installed yet; waiting for: kubectl apply -f crds/"
        except AccessDenied as exc:  # we had the right a moment ago
            what = f"{exc}; will retry"
        except ApiUnavailable as exc:
            what = f"cannot reach the Kubernetes API: {exc}; will retry"
        now = asyncio.get_running_loop().time()
        if now - told >= TOLD_SECONDS:
            told = now
            _log.warning("%s", what)
        await asyncio.sleep(AGAIN_SECONDS)
