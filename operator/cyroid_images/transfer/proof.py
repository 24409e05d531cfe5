"""What a transfer asks of an engine before and after: is it the one, and has it the image?"""

from __future__ import annotations

from cyroid_images.engine import Engine
from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.actions import Target
from cyroid_images.model.engine import EngineInfo, FoundImages
from cyroid_images.model.images.image import EngineImage, ImageContent
from cyroid_images.model.images.reference import Reference


def confirm_identity(engine: Engine, target: Target, expected: EngineInfo) -> None:
    """The engine at this address is still the one that was planned for.

    A pod IP may be given to another pod between look and transfer, and engines on cloned volumes
    have one ID: their names, those of their pods, differ. An engine may also come back with its
    other image store. Raises TransferError(TargetIdentityMismatch) before a byte is sent.
    """
    found = engine.info()
    for what, here, seen in (
        ("engine ID", found.id, expected.id),
        ("engine name", found.name, expected.name),
        ("image store", found.store, expected.store),
    ):
        if here != seen:
            raise TransferError(
                Reason.TARGET_IDENTITY_MISMATCH,
                f"{target.pod}: {what} at {target.endpoint} is {here}, was {seen} before",
            )


def prove(
    engine: Engine,
    info: EngineInfo,
    name: Reference,
    wanted: ImageContent,
) -> EngineImage:
    """The whole image that the engine has under this name; TransferError if it is not the wanted.

    To be asked of a name of our own, before the image is given the one that is wanted.
    """
    image = engine.image(info, name)
    if image is None or not image.holds(wanted):
        raise TransferError(_difference(image, wanted), _explain(name, image, wanted))
    return image


def prove_delivered(
    engine: Engine,
    info: EngineInfo,
    name: Reference,
    proven: EngineImage,
    transport: Reference,
) -> FoundImages:
    """What stands under the wanted name and under that of the transfer now, by one question.

    A full list would cost a containerd store 12 ms for each image that it holds. Raises
    TransferError where somebody took the image or its name away since it was proven.
    """
    found = engine.images_named(info, (name, transport), {proven.id: proven.content})
    image = found[name]
    if image is None or not image.holds(proven.content):
        raise TransferError(
            Reason.TRANSFER_INTERRUPTED,
            f"{name}: the image was delivered, but somebody has removed or retagged it since",
        )
    return found


def _difference(image: EngineImage | None, wanted: ImageContent) -> Reason:
    if image is None:
        return Reason.LOAD_FAILED
    return Reason.PLATFORM_MISMATCH if _is_foreign(image, wanted) else Reason.DIGEST_MISMATCH


def _is_foreign(image: EngineImage, wanted: ImageContent) -> bool:
    """Is it for another platform? What has none is no other one."""
    return bool(image.content.platform.os) and image.content.platform != wanted.platform


def _explain(name: Reference, image: EngineImage | None, wanted: ImageContent) -> str:
    if image is None:
        return f"{name}: the engine reported success, but does not have all of the image"
    if _is_foreign(image, wanted):
        return f"{name}: the engine has {image.content.platform}, expected {wanted.platform}"
    return f"{name}: the engine has {image.id}, expected {wanted.identity}"
