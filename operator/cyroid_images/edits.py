"""What people change of the two kinds, as JSON merge patches: push, remove, reconcile, suspend.

A list is replaced as a whole by a merge patch, so each patch of one holds the resourceVersion
it was made from: the API server refuses it with 409 where somebody was faster, and whoever
made it reads the object again and makes another. None: nothing is to be changed. They take
the object as the API server gave it, so that fields of a newer schema are kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cyroid_images.errors import InvalidReference, InvalidSpec
from cyroid_images.model.images.reference import Reference
from cyroid_images.model.kinds.metadata import COLLECT, RECONCILE_AT

Patch = dict[str, Any]
Body = Mapping[str, Any]

MOST_LISTED = 128
"""Rows that `spec.images` and `spec.removedImages` take."""


def push(body: Body, images: Iterable[str], *, platform: str | None = None) -> Patch | None:
    """List these images, so that the registry holds them, and remove none of them any more.

    Raises InvalidReference for a name that is none, InvalidSpec where the list is full.
    """
    wanted = {Reference.parse(image): image for image in images}
    listed, removed = _listed(body, "images"), _listed(body, "removedImages")
    there = {_reference(row) for row in listed}
    new = [
        {"image": image, **({"platform": platform} if platform else {})}
        for reference, image in wanted.items()
        if reference not in there
    ]
    kept = [row for row in removed if _reference(row) not in wanted]
    if not new and len(kept) == len(removed):
        return None
    return _patch(body, images=_fitting("images", [*listed, *new]), removedImages=kept)


def remove(body: Body, images: Iterable[str]) -> Patch | None:
    """Take these images off the list, and have their tags removed from the registry.

    The operator removes no tag that a range wants; asking for it is refused before, by whoever
    knows the ranges (`overview/used_by.py`). Names that were removed longest ago make room.
    Raises InvalidReference for a name that is none, InvalidSpec for more names than fit.
    """
    wanted = {Reference.parse(image): image for image in images}
    listed, removed = _listed(body, "images"), _listed(body, "removedImages")
    kept = [row for row in listed if _reference(row) not in wanted]
    there = {_reference(row) for row in removed}
    new = [{"image": image} for reference, image in wanted.items() if reference not in there]
    if not new and len(kept) == len(listed):
        return None
    older = removed[max(0, len(removed) + len(_fitting("removedImages", new)) - MOST_LISTED) :]
    return _patch(body, images=kept, removedImages=[*older, *new])


def reconcile(token: str) -> Patch:
    """Have everything looked at now; status shows the token when that is over."""
    return {"metadata": {"annotations": {RECONCILE_AT: token}}}


def collect(token: str, *, dry_run: bool) -> Patch:
    """Free the disk of the registry of what no tag needs, or count what that would free."""
    value = f"dry-run/{token}" if dry_run else f"run/{token}"
    return {"metadata": {"annotations": {COLLECT: value}}}


def suspend(*, on: bool) -> Patch:
    """Transfer nothing from now on, or go on."""
    return {"spec": {"suspend": True if on else None}}


def _listed(body: Body, field: str) -> list[Mapping[str, Any]]:
    rows = (body.get("spec") or {}).get(field) or ()
    return [row for row in rows if isinstance(row, Mapping)]


def _reference(row: Mapping[str, Any]) -> Reference | None:
    """None for what an older schema let in: it is kept as it is."""
    try:
        return Reference.parse(str(row.get("image")))
    except InvalidReference:
        return None


def _fitting(field: str, rows: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    if len(rows) > MOST_LISTED:
        raise InvalidSpec(
            f"spec.{field}",
            f"it lists {MOST_LISTED} images at most, and {len(rows)} would be listed: "
            + _WAY_OUT[field],
        )
    return rows


_WAY_OUT = {
    "images": "take off what ranges ask for anyway (they bring it in by themselves)",
    "removedImages": "remove fewer at a time",
}


def _patch(body: Body, **lists: Sequence[Mapping[str, Any]]) -> Patch:
    metadata = body.get("metadata") or {}
    version = metadata.get("resourceVersion")
    spec = {name: list(rows) or None for name, rows in lists.items()}
    return {"metadata": {"resourceVersion": version}, "spec": spec}
