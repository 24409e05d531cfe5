"""To push an image, and to follow that: a push is an entry of the ImageCache, nothing else."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from fastapi import APIRouter
from pydantic import BaseModel, Field

from cyroid_images import edits
from cyroid_images.api.problems import RETRY, Problem
from cyroid_images.api.services import AboutAll, AboutCache, Asking
from cyroid_images.kube.resources import GROUP
from cyroid_images.kube.rights import Right
from cyroid_images.model.images.reference import LONGEST, Reference
from cyroid_images.model.kinds.conditions import ConditionType
from cyroid_images.model.kinds.image_cache import ImageCache
from cyroid_images.overview.operations import (
    PushStatus,
    active_pushes,
    following,
    operation_id,
    push_status,
    pushes,
)
from cyroid_images.overview.registry import ActivePushes, PushStarted, is_healthy, is_unknown

router = APIRouter(prefix="/api/v1/registry", tags=["pushes"])

BUILT_SECONDS = 4.0
"""A build that ended just now stands in the status some seconds later."""
SEEN_SECONDS = 3.0
"""Until the watch has told of a patch of our own, which takes milliseconds."""


class PushRequest(BaseModel):
    """What to push."""

    image_tag: str = Field(max_length=LONGEST)


@router.post("/push")
async def push(about: AboutCache, wanted: PushRequest) -> PushStarted:
    """Have the registry hold an image of the sources; who asks again follows the same push."""
    cache = await about.may_push()
    image = Reference.parse(wanted.image_tag)
    _require_healthy(cache)
    await _require_known(about, cache, image)
    where = ("ImageCache", "", about.cache)
    change = about.services.changing
    is_new = await change.change(
        about.caller, where, lambda body: edits.push(body, [wanted.image_tag])
    )
    status = push_status(about.world.cache(about.cache), image)
    if not is_new and status is not None and status.is_over:
        token = datetime.now(UTC).isoformat()
        await change.apply(about.caller, where, edits.reconcile(token))
        is_new = True
    await _until_listed(about, image)
    return PushStarted(
        operation_id=operation_id(about.cache, image),
        image_tag=str(image),
        message="Push started" if is_new else "Push already in progress",
    )


@router.get("/push/{id}/status")
async def status_of(about: AboutAll, id: str) -> PushStatus:  # noqa: A002 - its name in the URL
    """How far a push is; `completed` only when the registry is proven to hold the image."""
    for cache in about.world.caches():
        for found in pushes(cache):
            if found.operation_id == id:
                right = Right("get", GROUP, "imagecaches", name=cache.metadata.name)
                await about.require(right, f"see ImageCache {cache.metadata.name}")
                return following(cache, Reference.parse(found.image_tag)) or found
    raise Problem(404, f"there is no push {id[:64]}: nobody asked for it, or it was removed since")


@router.get("/pushes/active")
async def active(about: AboutCache) -> ActivePushes:
    """Pushes that are not over."""
    return ActivePushes(pushes=active_pushes(await about.may_see()))


def _require_healthy(cache: ImageCache) -> None:
    if is_healthy(cache) is True:
        return
    found = cache.status.condition(ConditionType.REGISTRY_AVAILABLE)
    why = f"{found.reason}: {found.message}" if found else "nobody has looked at it yet"
    raise Problem(
        503, f"the registry of {cache.metadata.name} is not healthy: {why}", headers=RETRY
    )


async def _require_known(about: Asking, cache: ImageCache, image: Reference) -> None:
    """A 404 where it is sure that no source has it."""
    deadline = asyncio.get_running_loop().time() + BUILT_SECONDS
    while (why := is_unknown(cache, image)) is not None:
        left = deadline - asyncio.get_running_loop().time()
        if left <= 0 or not await about.world.wait(about.world.version, left):
            raise Problem(404, f"cannot push {image}: {why}; build or load it there first")
        cache = about.world.cache(about.cache)


async def _until_listed(about: Asking, image: Reference) -> None:
    """So that who asks for its status at once is told."""
    deadline = asyncio.get_running_loop().time() + SEEN_SECONDS
    while push_status(about.world.cache(about.cache), image) is None:
        left = deadline - asyncio.get_running_loop().time()
        if left <= 0 or not await about.world.wait(about.world.version, left):
            return
