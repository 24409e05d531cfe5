"""Who asks, which caches there are, and what this installation can do."""

from __future__ import annotations

from fastapi import APIRouter

from cyroid_images.api.problems import RETRY, Problem
from cyroid_images.api.services import AboutAll, AboutCache
from cyroid_images.api.visible import visible_namespaces
from cyroid_images.kube.resources import GROUP
from cyroid_images.kube.rights import Right
from cyroid_images.overview.doctor.checks import Check
from cyroid_images.overview.doctor.examination import examine
from cyroid_images.overview.people import CAPABILITIES, Capabilities, Me, MyRights
from cyroid_images.overview.registry import CacheRow, cache_row

router = APIRouter(prefix="/api/v1", tags=["system"])


@router.get("/system/capabilities")
async def capabilities() -> Capabilities:
    """What this installation can do; nobody needs to sign in."""
    return CAPABILITIES


@router.get("/me")
async def me(about: AboutCache) -> Me:
    """Whose token this is, and what they may do with the cache."""
    read, push, delete = [
        await about.may(Right(verb, GROUP, "imagecaches", name=about.cache))
        for verb in ("get", "patch", "delete")
    ]
    create = await about.may(Right("create", GROUP, "rangeimages"))
    rights = MyRights(read=read, push=push, delete=delete, create_ranges=create)
    return Me(user=about.caller.user, groups=about.caller.groups, rights=rights)


@router.get("/caches")
async def caches(about: AboutAll) -> list[CacheRow]:
    """The caches of this cluster."""
    await about.require(Right("list", GROUP, "imagecaches"), "list ImageCaches")
    return [cache_row(cache) for cache in about.world.caches()]


@router.get("/doctor")
async def doctor(about: AboutAll) -> list[Check]:
    """Every precondition of the installation, with what to do; of ranges, those one may see."""
    await about.require(Right("list", GROUP, "imagecaches"), "list ImageCaches")
    allowed = await visible_namespaces(about, None)
    ranges = [
        item
        for item in about.world.ranges().items()
        if allowed is None or item.metadata.namespace in allowed
    ]
    services = about.services
    if services.examining is None:
        raise Problem(503, "the cluster cannot be looked at yet; try again", headers=RETRY)
    return list(examine(await services.examining.facts(about.world.caches(), ranges)))
