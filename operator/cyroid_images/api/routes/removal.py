"""To delete an image: its entry and its tag, unless a range wants it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from fastapi import APIRouter

from cyroid_images import edits
from cyroid_images.api.problems import Problem
from cyroid_images.api.services import AboutCache, Asking
from cyroid_images.errors import Reason
from cyroid_images.model.images.reference import Reference
from cyroid_images.model.kinds.conditions import ConditionType
from cyroid_images.model.kinds.image_cache import ImageCache
from cyroid_images.model.kinds.lifecycle import RemovedImageStatus
from cyroid_images.overview.registry import ImageRemoved
from cyroid_images.overview.used_by import stored_as

router = APIRouter(prefix="/api/v1/registry", tags=["registry"])

WAIT_SECONDS = 10.0
"""What the operator does in a second or two; after that the answer is "started"."""
MOST_NAMED = 5


@router.delete("/images/{image_tag:path}")
async def remove(about: AboutCache, image_tag: str) -> ImageRemoved:
    """Take it off the list and have its tag removed from the registry; sources keep it."""
    cache = await about.may_delete()
    image = Reference.parse(image_tag)
    _refuse_wanted(about, cache, image)
    await _require_there(about, cache, image)
    where = ("ImageCache", "", about.cache)
    changing = about.services.changing
    is_new = await changing.change(
        about.caller, where, lambda body: edits.remove(body, [image_tag])
    )
    if not is_new:  # it was removed before, and somebody brought it back
        await changing.apply(about.caller, where, edits.reconcile(datetime.now(UTC).isoformat()))
    row = await _outcome(about, image) if is_new else None
    about.services.contents.forget(cache, *stored_as(cache, image))
    if row is None:
        text = f"Removal started: {image}; the operator has not answered yet"
        return ImageRemoved(success=True, message=text)
    if not row.is_removed:
        why = row.message or (row.reason and row.reason.meaning) or "the operator does not say why"
        raise Problem(409, f"{image} is not removed: {why}")
    return ImageRemoved(success=True, message=f"Removed {image}")


def _refuse_wanted(about: Asking, cache: ImageCache, image: Reference) -> None:
    users = about.world.used_by(cache).get(stored_as(cache, image), ())
    if users:
        more = len(users) - MOST_NAMED
        named = ", ".join(users[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
        raise Problem(409, f"{image} is wanted by {named}: take it off their spec.images first")


async def _require_there(about: Asking, cache: ImageCache, image: Reference) -> None:
    """A 404 for what is neither listed nor in the registry; a 503 when that is not known."""
    if any(each.reference == image for each in cache.spec.images):
        return
    about.services.contents.forget(cache, *stored_as(cache, image))
    if await about.services.contents.digest(cache, *stored_as(cache, image)) is None:
        raise Problem(404, f"the registry of {about.cache} has no {image}, and nobody asks for it")


async def _outcome(about: Asking, image: Reference) -> RemovedImageStatus | None:
    """What the operator says of it, once it does."""
    deadline = asyncio.get_running_loop().time() + WAIT_SECONDS
    while True:
        seen = about.world.version
        cache = about.world.cache(about.cache)
        row = next((row for row in cache.status.removed_images if _is(row, image)), None)
        if row is not None and _is_answered(cache, image) and _is_final(row):
            return row
        left = deadline - asyncio.get_running_loop().time()
        if left <= 0 or not await about.world.wait(seen, left):
            return None


def _is_answered(cache: ImageCache, image: Reference) -> bool:
    """Has the operator seen a spec that names it? What it said before is no answer."""
    ready = cache.status.condition(ConditionType.READY)
    is_new = ready is not None and ready.observed_generation == cache.metadata.generation
    return is_new and any(each.reference == image for each in cache.spec.removed_images)


def _is_final(row: RemovedImageStatus) -> bool:
    return row.is_removed or row.reason not in (None, Reason.PROGRESSING)


def _is(row: RemovedImageStatus, image: Reference) -> bool:
    return row.image == str(image) or Reference.parse(row.image) == image
