"""What must be so before any work: the rights that we need, and the kinds that we serve."""

from __future__ import annotations

import asyncio
import logging

from cyroid_images.errors import AccessDenied, ApiUnavailable, Reason
from cyroid_images.kube import Cluster

_log = logging.getLogger(__name__)

AGAIN_SECONDS = 2.0
"""Between two questions, when nothing can be done without the answer."""
TOLD_SECONDS = 30.0
"""Between two lines of the log about what is waited for."""


async def check_rights(cluster: Cluster) -> None:
    """Better no start than work that cannot be told.

    Waits for an API server that is away; raises AccessDenied that names every missing right.
    """
    while True:
        try:
            missing = await cluster.missing_rights()
            break
        except AccessDenied:
            raise
        except ApiUnavailable as exc:
            _log.warning("cannot reach the Kubernetes API: %s; will retry", exc)
            await asyncio.sleep(AGAIN_SECONDS)
    for right in missing:
        _log.error("%s: missing right: %s", Reason.RBAC_DENIED, right)
    if missing:
        raise AccessDenied(
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
        except AccessDenied:
            raise
        except ApiUnavailable as exc:
            what = f"cannot reach the Kubernetes API: {exc}; will retry"
        now = asyncio.get_running_loop().time()
        if now - told >= TOLD_SECONDS:
            told = now
            _log.warning("%s", what)
        await asyncio.sleep(AGAIN_SECONDS)
