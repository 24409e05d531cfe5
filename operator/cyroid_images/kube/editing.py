"""One object of ours, read and merged with a patch on behalf of somebody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cyroid_images.errors import InvalidSpec, StatusConflict
from cyroid_images.kube.api import MERGE, Api, success
from cyroid_images.kube.resources import RESOURCES


class Editing:
    """Reads and writes single objects; all raise ApiUnavailable and AccessDenied."""

    def __init__(self, api: Api, manager: str) -> None:
        """`manager` is who the API server notes down for each field."""
        self._api = api
        self._manager = manager

    async def read(self, kind: str, namespace: str, name: str) -> Mapping[str, Any] | None:
        """The object as it is now; None: there is none."""
        answer = await self._api.get(RESOURCES[kind].path(namespace, name))
        return None if answer.code == 404 else success(answer, f"get {kind} {name}")

    async def merge(
        self, kind: str, namespace: str, name: str, patch: Mapping[str, Any]
    ) -> Mapping[str, Any] | None:
        """The object after the patch; None: there is none.

        Raises StatusConflict where it changed since the patch was made, InvalidSpec where the
        API server refuses what it would become.
        """
        path = RESOURCES[kind].path(namespace, name)
        answer = await self._api.patch(path, patch, form=MERGE, fieldManager=self._manager)
        match answer.code:
            case 404:
                return None
            case 409:
                raise StatusConflict(f"{kind} {name}: {answer.message}")
            case 400 | 413 | 422:
                raise InvalidSpec(f"{kind} {name}", answer.message)
            case _:
                return success(answer, f"change {kind} {name}")
