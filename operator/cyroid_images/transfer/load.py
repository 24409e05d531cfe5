"""Source engine to range engine: `save` is the body of `load`, one chunk in memory, no file.

Both ends use a transport name that no person uses. So the tar cannot bring along other
names of the image, a failed load leaves no name that looks right (a containerd store keeps
the name of a load that failed), and the wanted name appears only after the proof.
"""

from __future__ import annotations

from cyroid_images.archive import watched
from cyroid_images.engine import Engine
from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.actions import Load
from cyroid_images.model.knowledge import HeldByEngine
from cyroid_images.transfer.proof import confirm_identity, prove
from cyroid_images.transfer.supervision import Supervision
from cyroid_images.transfer.transport import carrying, dropping, new_name


def load(action: Load, target: Engine, under: Supervision) -> None:
    """Save from the source into the target, prove, tag, drop the transport names.

    Raises TransferError with the reason of whichever side failed.
    """
    held = action.source
    if not isinstance(held, HeldByEngine):
        raise TransferError(Reason.LOAD_FAILED, f"{held.source} cannot give {action.wish} as a tar")
    source = Engine(held.endpoint)
    confirm_identity(target, action.target, action.info)
    name = new_name(held.id)
    with carrying(source, held.id, name), dropping(target, name):
        with source.save(name, limits=under.limits, cancellation=under.cancellation) as tar:
            target.load(
                watched(tar),
                under.observer,
                limits=under.limits,
                cancellation=under.cancellation,
            )
        under.cancellation.raise_if_cancelled()
        view = prove(target, action.info, name, action.source.content)
        target.tag(view.images[name].id, action.wish.reference.tagged)
