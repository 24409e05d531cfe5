"""To free the disk of a registry of what no tag needs."""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import APIRouter
from pydantic import BaseModel

from cyroid_images import edits
from cyroid_images.api.services import AboutCache
from cyroid_images.overview.collection import CollectionView, collection_view
from cyroid_images.overview.people import Asked

router = APIRouter(prefix="/api/v1/registry", tags=["collection"])


class CollectionRequest(BaseModel):
    """How to collect."""

    dry_run: bool = True


@router.get("/gc")
async def last(about: AboutCache) -> CollectionView:
    """The last collection, or the one that is under way."""
    return collection_view(await about.may_see())


@router.post("/gc", status_code=202)
async def collect(about: AboutCache, wanted: CollectionRequest) -> Asked:
    """Free the disk, or count what that would free; GET shows what comes of it."""
    await about.may_delete("collect the registry of")
    token = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    patch = edits.collect(token, dry_run=wanted.dry_run)
    await about.services.changing.apply(about.caller, ("ImageCache", "", about.cache), patch)
    what = "a dry run" if wanted.dry_run else "a collection"
    return Asked(message=f"{about.cache}: {what} was asked for")


@router.post("/reconcile")
async def reconcile(about: AboutCache) -> Asked:
    """Have everything of this cache looked at now."""
    await about.may_push()
    patch = edits.reconcile(datetime.now(UTC).isoformat())
    await about.services.changing.apply(about.caller, ("ImageCache", "", about.cache), patch)
    return Asked(message=f"{about.cache}: it is looked at now")
