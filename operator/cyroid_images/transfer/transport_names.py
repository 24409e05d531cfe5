"""Transport names: what an image is called in an engine while it is moved, and only then.

A name that could not be dropped (the engine went away) is no reason to fail a transfer:
the next pass finds it, since it is known as ours, and drops it.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator

from cyroid_images.engine import Engine
from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.reference import Reference
from cyroid_images.model.images.repository import TRANSPORT_HOST

HURRY_SECONDS = 2.0
"""An engine that is well drops a name in milliseconds; one that hangs must not hold us."""


def new_name(image: Digest) -> Reference:
    """A name nobody else uses, not even another transfer of the same image."""
    return Reference(TRANSPORT_HOST, "image", f"{image.short}-{secrets.token_hex(4)}")


def give_name(engine: Engine, image: Digest | Reference, name: Reference) -> None:
    """The image of this range engine gets its name.

    Raises TransferError, TransferInterrupted where somebody removed it meanwhile: it is
    brought again, while ImageNotFound would say that nobody can.
    """
    _tag(engine, image, name, gone=Reason.TRANSFER_INTERRUPTED)


@contextlib.contextmanager
def carrying(engine: Engine, image: Digest, name: Reference) -> Iterator[None]:
    """The image of this source carries this name meanwhile.

    Raises TransferError, SourceChanged where the image is gone since it was seen.
    """
    _tag(engine, image, name, gone=Reason.SOURCE_CHANGED)
    with dropping(engine, name):
        yield


@contextlib.contextmanager
def dropping(engine: Engine, name: Reference) -> Iterator[None]:
    """The engine does not keep this name, whatever happens."""
    try:
        yield
    except BaseException:
        # Whoever failed or was cut holds a thread and a place in the queue meanwhile.
        _drop(engine.in_a_hurry(HURRY_SECONDS), name)
        raise
    _drop(engine, name)


def _tag(engine: Engine, image: Digest | Reference, name: Reference, *, gone: Reason) -> None:
    try:
        engine.tag(image, name)
    except TransferError as exc:
        if exc.reason is not Reason.IMAGE_NOT_FOUND:
            raise
        raise TransferError(gone, exc.message) from exc


def _drop(engine: Engine, name: Reference) -> None:
    with contextlib.suppress(TransferError):
        engine.untag(name)
