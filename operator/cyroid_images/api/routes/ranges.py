"""Ranges and events: what is where, and to have them looked at again, suspended, resumed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query

from cyroid_images import edits
from cyroid_images.api.problems import Problem
from cyroid_images.api.services import AboutAll, Asking, PageSize, PageStart
from cyroid_images.api.visible import visible_ranges
from cyroid_images.edits import Patch
from cyroid_images.kube.resources import GROUP
from cyroid_images.kube.rights import Right
from cyroid_images.model.kinds.fields import NAME
from cyroid_images.overview.events import EventView, event_view
from cyroid_images.overview.pages import EventRow, RangePage, event_rows, range_page
from cyroid_images.overview.people import Asked
from cyroid_images.overview.ranges import RangeDetail, range_detail

router = APIRouter(prefix="/api/v1", tags=["ranges"])

KubernetesName = Annotated[str, Path(pattern=NAME, max_length=63)]
NamespaceChoice = Annotated[
    str | None, Query(pattern=NAME, max_length=63, description="Only of this namespace.")
]
EventChoice = Annotated[str | None, Query(max_length=63, description="Only of this event.")]


@router.get("/ranges")
async def ranges(
    about: AboutAll,
    event: EventChoice = None,
    namespace: NamespaceChoice = None,
    limit: PageSize = 100,
    offset: PageStart = 0,
) -> RangePage:
    """The ranges that the caller may see, the worst first."""
    rows = await visible_ranges(about, namespace)
    return range_page(
        (row for row in rows if event in (None, row.event)), limit=limit, offset=offset
    )


@router.get("/ranges/{namespace}/{name}")
async def one_range(
    about: AboutAll, namespace: KubernetesName, name: KubernetesName
) -> RangeDetail:
    """One range, with what is missing and its engines."""
    right = Right("get", GROUP, "rangeimages", namespace, name)
    await about.require(right, f"see range {name}")
    found = about.world.range(namespace, name)
    if found.item is None:
        return RangeDetail(**found.row.model_dump(), images=())
    return range_detail(found.item)


@router.post("/ranges/{namespace}/{name}/reconcile")
async def reconcile(about: AboutAll, namespace: KubernetesName, name: KubernetesName) -> Asked:
    """Have everything of it looked at now."""
    return await _change(
        about,
        (namespace, name),
        lambda: edits.reconcile(datetime.now(UTC).isoformat()),
        "it is looked at now",
    )


@router.post("/ranges/{namespace}/{name}/suspend")
async def suspend(about: AboutAll, namespace: KubernetesName, name: KubernetesName) -> Asked:
    """Transfer nothing from now on."""
    patch = edits.suspend(on=True)
    return await _change(about, (namespace, name), lambda: patch, "nothing is transferred any more")


@router.post("/ranges/{namespace}/{name}/resume")
async def resume(about: AboutAll, namespace: KubernetesName, name: KubernetesName) -> Asked:
    """Go on."""
    patch = edits.suspend(on=False)
    return await _change(about, (namespace, name), lambda: patch, "transfers go on")


@router.get("/events")
async def events(about: AboutAll) -> list[EventRow]:
    """All events that ranges are labelled with."""
    return list(event_rows(await visible_ranges(about, None)))


@router.get("/events/{event}")
async def one_event(about: AboutAll, event: Annotated[str, Path(max_length=63)]) -> EventView:
    """All ranges of an event, the worst first."""
    found = event_view(event, await visible_ranges(about, None))
    if not found.total:
        raise Problem(404, f"no range that you may see has the label cyroid.io/event={event}")
    return found


async def _change(
    about: Asking, where: tuple[str, str], patch: Callable[[], Patch], told: str
) -> Asked:
    namespace, name = where
    right = Right("patch", GROUP, "rangeimages", namespace, name)
    await about.require(right, f"change range {name}")
    await about.services.changing.apply(about.caller, ("RangeImages", namespace, name), patch())
    return Asked(message=f"{namespace}/{name}: {told}")
