"""The collector beside our registry: begin a collection, ask how far it is."""

from __future__ import annotations

import json
from typing import Any

from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.actions import Collect
from cyroid_images.model.collected import Collected
from cyroid_images.model.registry import RegistryEndpoint
from cyroid_images.model.telemetry.request_observer import RequestObserver, unobserved
from cyroid_images.model.text import clean_message
from cyroid_images.registry.connection import Connection
from cyroid_images.registry.errors import RequestKind
from cyroid_images.registry.transport import RegistryRequest
from cyroid_images.scheduling.cancel_scope import NEVER, CancelScope

ANSWER_SECONDS = 15.0
PATH = "/collect"
LONGEST_WORDS = 300
_TOLD = (200, 202, 409)
"""Of the last one; begun; another one is under way."""


class CollectorClient:
    """One collector, asked with the credentials of the push listener."""

    def __init__(
        self, endpoint: RegistryEndpoint, *, on_request: RequestObserver = unobserved
    ) -> None:
        self._connection = Connection(
            endpoint,
            answer_seconds=ANSWER_SECONDS,
            stall_seconds=ANSWER_SECONDS,
            rules=None,
            on_request=on_request,
        )

    def last(self, scope: CancelScope = NEVER) -> Collected:
        """The last collection, or the one that is under way."""
        return self._asked(RegistryRequest("ask the collector", "GET", PATH), scope)

    def begin(self, wanted: Collect, scope: CancelScope) -> Collected:
        """Begin one; where another one is under way that is told instead."""
        keep = sorted(map(str, wanted.keep))
        body = {"id": wanted.id, "dry_run": wanted.is_dry_run, "keep": keep}
        request = RegistryRequest(
            "begin a collection",
            "POST",
            PATH,
            headers={"Content-Type": "application/json"},
            content=json.dumps(body).encode(),
            kind=RequestKind.WRITE,
        )
        return self._asked(request, scope)

    def _asked(self, request: RegistryRequest, scope: CancelScope) -> Collected:
        response = self._connection.answer(request, scope)
        if response.status not in _TOLD:
            raise self._connection.refused(request, response)
        try:
            return _read(json.loads(response.body))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as exc:
            told = self._connection.told(request)
            cause = "the answer is not that of a collector"
            raise TransferError(Reason.PROTOCOL_ERROR, f"{told}: {cause}") from exc


def _read(document: dict[str, Any]) -> Collected:
    if document["phase"] == "idle":
        return Collected("", is_dry_run=False, is_over=True)
    kept = document["kept"]
    first = f"{kept[0]['repository']}: {kept[0]['why']}" if kept else ""
    return Collected(
        id=str(document["id"]),
        is_dry_run=bool(document["dry_run"]),
        is_over=document["finished"] is not None,
        freed_bytes=_count(document["freed_bytes"]),
        blobs=_count(document["blobs"]),
        paused_seconds=float(document["paused_seconds"]),
        error=clean_message(str(document["error"] or ""), LONGEST_WORDS),
        kept=len(kept) + _count(document["kept_omitted"]),
        why_kept=clean_message(first, LONGEST_WORDS),
    )


def _count(value: object) -> int:
    if not isinstance(value, int) or value < 0:
        raise ValueError("not a count")
    return value
