"""Registry to range engine: by digest, proven, then under the wanted name; no other name is left.

The wanted name never stands on an image that is not whole: it comes after the proof, as in `load`.
"""

from __future__ import annotations

import logging

from cyroid_images.engine import Engine
from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.actions import Pull
from cyroid_images.model.engine import FoundImages, ImageStore
from cyroid_images.model.images.image import EngineImage
from cyroid_images.model.telemetry.milestones import Milestone
from cyroid_images.transfer.proof import confirm_identity, prove, prove_delivered
from cyroid_images.transfer.supervision import Supervision
from cyroid_images.transfer.transport_names import dropping, give_name

_ONLY_A_TAR_HELPS = (
    "a containerd store does not pull a layer it has as another blob, such as from a tar or gzip:"
    " set delivery: RegistryThenTar"
)
"""Seen with 26.1, 28.5 and 29: the same pull ends the same way each time."""

_log = logging.getLogger(__name__)


def pull(action: Pull, engine: Engine, under: Supervision) -> FoundImages:
    """Pull by digest, prove, tag, drop the transport name. May be repeated at any point.

    Pulling by digest makes a moved or poisoned tag in the registry harmless; the engine
    itself hashes every layer. Returns what stands under the names that it touched. Raises
    TransferError.
    """
    confirm_identity(engine, action.target, action.info)
    told = f"{action.wish} into {action.target.pod}"
    # Another range may have brought it since this pull was planned. Harmless elsewhere, but a
    # containerd store that got it by tar would lose it by a pull.
    wanted = action.wish.reference.tagged
    held = engine.image(action.info, wanted, under.cancellation)
    if held is not None and held.holds(action.stored.content):
        _log.info("%s: was there already", told, extra={"step": Milestone.PROVEN})
        return {wanted: held}
    transport, manifest = action.transport, action.stored.manifest
    # In milliseconds the engine itself tests DNS, TLS, trust and manifest; no layer moves.
    engine.preflight(transport, None, under.cancellation)
    sizes = {layer.digest.short: layer.size for layer in manifest.layers}
    _log.info("pull of %s begins", told, extra={"step": Milestone.PULL_STARTED})
    with dropping(engine, transport):
        engine.pull(
            transport,
            under.observer,
            sizes=sizes,
            limits=under.limits,
            cancellation=under.cancellation,
        )
        under.cancellation.raise_if_cancelled()
        _log.info("%s: pulled", told, extra={"step": Milestone.PULLED})
        proven = _prove(action, engine)
        _log.info("%s: proven", told, extra={"step": Milestone.PROVEN})
        give_name(engine, transport, wanted)
        _log.info("%s: has its name", told, extra={"step": Milestone.TAGGED})
    _log.info("%s: transport name dropped", told, extra={"step": Milestone.TIDIED})
    return prove_delivered(engine, action.info, wanted, proven, transport)


def _prove(action: Pull, engine: Engine) -> EngineImage:
    try:
        return prove(engine, action.info, action.transport, action.stored.content)
    except TransferError as exc:
        if exc.reason is not Reason.LOAD_FAILED or action.info.store is not ImageStore.CONTAINERD:
            raise
        raise TransferError(exc.reason, f"{exc.message}; {_ONLY_A_TAR_HELPS}") from exc
