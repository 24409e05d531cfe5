"""What the source engines hold, as CYROID's image cache lists its host."""

from __future__ import annotations

from fastapi import APIRouter

from cyroid_images.api.services import AboutCache
from cyroid_images.overview.registry import HostImage, host_images

router = APIRouter(prefix="/api/v1/cache", tags=["sources"])


@router.get("/images")
async def images(about: AboutCache) -> list[HostImage]:
    """Images of the source engines, one row per content."""
    return list(host_images(await about.may_see()))
