"""What a move asks of an engine before and after: is it the one, and has it the image?"""

from __future__ import annotations

from cyroid_images.engine import Engine
from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.actions import Target
from cyroid_images.model.engine import EngineInfo
from cyroid_images.model.image import EngineImage, ImageContent
from cyroid_images.model.reference import Reference


def confirm_identity(engine: Engine, target: Target, expected: EngineInfo) -> None:
    """The engine at this address is still the one that was planned for.

    A pod IP may be given to another pod between look and transfer; raises
    TransferError(TargetIdentityMismatch) before a byte is sent.
    """
    found = engine.info()
    if found.id != expected.id:
        raise TransferError(
            Reason.TARGET_IDENTITY_MISMATCH,
            f"{target.pod}: engine {found.id} answers at {target.endpoint}, {expected.id} was seen",
        )


def prove(
    engine: Engine,
    info: EngineInfo,
    name: Reference,
    wanted: ImageContent,
) -> EngineImage:
    """The image that the engine lists under this name; TransferError if it is not the wanted."""
    image = engine.image(info, name)
    if image is None or not image.holds(wanted):
        raise TransferError(_difference(image, wanted), _explain(name, image, wanted))
    return image


def _difference(image: EngineImage | None, wanted: ImageContent) -> Reason:
    if image is not None and image.content.platform != wanted.platform:
        return Reason.PLATFORM_MISMATCH
    return Reason.DIGEST_MISMATCH if image else Reason.LOAD_FAILED


def _explain(name: Reference, image: EngineImage | None, wanted: ImageContent) -> str:
    if image is None:
        return f"{name}: the engine reported success and does not list the image"
    if image.content.platform != wanted.platform:
        return f"{name}: the engine has {image.content.platform}, wanted is {wanted.platform}"
    return f"{name}: the engine has {image.id}, wanted is {wanted.identity}"
