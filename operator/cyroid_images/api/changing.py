"""Patches on behalf of people: tried again where somebody was faster, and told in the log."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from cyroid_images.api.problems import Problem
from cyroid_images.edits import Patch
from cyroid_images.errors import StatusConflict
from cyroid_images.kube.reviews import Caller

_log = logging.getLogger(__name__)

MANAGER = "cyroid-api"
"""Who the API server notes down for each field."""
TRIES = 8
_PAUSE = 0.05

Make = Callable[[Mapping[str, Any]], Patch | None]


class ObjectEditing(Protocol):
    """`kube.editing.Editing`."""

    async def read(self, kind: str, namespace: str, name: str) -> Mapping[str, Any] | None: ...

    async def merge(
        self, kind: str, namespace: str, name: str, patch: Mapping[str, Any]
    ) -> Mapping[str, Any] | None: ...


class Changing:
    """Raises a 404 where there is no such object, and what `Editing` raises."""

    def __init__(self, editing: ObjectEditing) -> None:
        self._editing = editing

    async def change(self, caller: Caller, where: tuple[str, str, str], make: Make) -> bool:
        """Make the object of this kind, namespace and name so; False: it was so already.

        `make` is called again with the object as it is then, where somebody was faster.
        """
        for last in (count == TRIES for count in range(1, TRIES + 1)):
            body = await self._editing.read(*where)
            if body is None:
                raise _absent(where)
            patch = make(body)
            if patch is None:
                return False
            try:
                await self.apply(caller, where, patch)
            except StatusConflict:
                if last:
                    raise
                await asyncio.sleep(_PAUSE * random.uniform(0.5, 2))  # noqa: S311 - spreads only
            else:
                return True
        return False

    async def apply(self, caller: Caller, where: tuple[str, str, str], patch: Patch) -> None:
        """One patch that somebody asked for."""
        if await self._editing.merge(*where, patch) is None:
            raise _absent(where)
        kind, namespace, name = where
        fields = {"audit": True, "user": caller.user, "patch": _told(patch)}
        place = f"{namespace}/{name}" if namespace else name
        _log.info("%s changed %s %s", caller.user, kind, place, extra=fields)


def _told(patch: Patch) -> list[str]:
    """Which fields were written, without what stands in them."""
    metadata = patch.get("metadata") or {}
    return [*metadata.get("annotations", ()), *(f"spec.{name}" for name in patch.get("spec", ()))]


def _absent(where: tuple[str, str, str]) -> Problem:
    kind, namespace, name = where
    return Problem(404, f"there is no {kind} {name}{f' in {namespace}' if namespace else ''}")
