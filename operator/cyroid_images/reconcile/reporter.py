"""Writes a status, and only when it differs; tells events when conditions turn."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from typing import Any

from cyroid_images.errors import ApiUnavailable, Mark, Reason, StatusConflict, StatusRejected
from cyroid_images.model.conditions import Condition, ConditionStatus, ConditionType
from cyroid_images.model.event import EventNote, EventType
from cyroid_images.model.metadata import Metadata
from cyroid_images.model.milestones import Milestone
from cyroid_images.model.status import Status
from cyroid_images.reconcile.audit import fields_of_event, tell_refusals
from cyroid_images.reconcile.event_recorder import event_type
from cyroid_images.reconcile.keys import Key
from cyroid_images.reconcile.ports import Cluster
from cyroid_images.reconcile.world import World

_log = logging.getLogger(__name__)

PROGRESS_SECONDS = 5.0
"""Words about bytes change all the time; people and etcd are content with this pace."""
AGAIN_SECONDS = 2.0
"""After a conflict or an outage of the API: by then the watch has told what changed."""
REJECTED_SECONDS = 300.0
"""A refused status stays refused until operator or CRD change."""


class Reporter:
    """Shared by all passes."""

    def __init__(self, cluster: Cluster, world: World) -> None:
        self._cluster = cluster
        self._world = world
        self._last: dict[Key, float] = {}
        self._unwritten: dict[Key, tuple[str, Status]] = {}
        """By key: the uid, and what could not be written yet."""

    async def report(
        self, key: Key, metadata: Metadata, previous: Status, status: Status
    ) -> float | None:
        """Write the status if it differs; seconds until it should be tried again, or None."""
        status = self._at_true_times(key, metadata.uid, status)
        before, after = previous.to_document(), status.to_document()
        if before == after:
            self._unwritten.pop(key, None)
            return None
        now = asyncio.get_running_loop().time()
        wait = self._last.get(key, 0.0) + PROGRESS_SECONDS - now
        if wait > 0 and _without_words(before) == _without_words(after):
            return wait
        try:
            version = await self._cluster.apply_status(key, metadata.resource_version, after)
        except StatusRejected as exc:
            _log.error("status of %s is refused: %s", key, exc)
            await self._note(key, metadata, Reason.STATUS_REJECTED, str(exc), "")
            return REJECTED_SECONDS
        except (StatusConflict, ApiUnavailable) as exc:
            # Edited meanwhile, and the watch brings the new version; or the API is away.
            _log.info("status of %s is not written yet: %s", key, exc)
            self._unwritten[key] = metadata.uid, status
            return AGAIN_SECONDS
        self._unwritten.pop(key, None)
        if version is not None:  # else it was deleted meanwhile
            self._last[key] = now
            self._world.reported(key, version, status)
            tell_refusals(key, previous, status)
            await self._tell_turns(key, metadata, previous, status)
        return None

    async def note(
        self, key: Key, metadata: Metadata, reason: Reason, message: str, *, about: str
    ) -> None:
        """An event on the object; `about` tells events of one reason apart (a digest, a pod)."""
        await self._note(key, metadata, reason, message, about)

    def forget(self, key: Key) -> None:
        """The object is gone."""
        self._last.pop(key, None)
        self._unwritten.pop(key, None)

    def _at_true_times(self, key: Key, uid: str, status: Status) -> Status:
        """What turned while nothing could be written turned then, not when it is written."""
        kept_uid, kept = self._unwritten.get(key, ("", None))
        if kept is None or kept_uid != uid:
            return status
        conditions = tuple(
            each.model_copy(update={"last_transition_time": old.last_transition_time})
            if (old := kept.condition(each.type)) and old.status is each.status
            else each
            for each in status.conditions
        )
        return status.model_copy(update={"conditions": conditions})

    async def _tell_turns(
        self, key: Key, metadata: Metadata, previous: Status, status: Status
    ) -> None:
        """Events on the conditions whose status or reason turned to something worth telling."""
        for condition in status.conditions:
            before = previous.condition(condition.type)
            if _turned_ready(before, condition):
                _log.info("%s: ready", key, extra={"step": Milestone.READY})
            if _is_news(before, condition):
                reason = condition.reason
                if condition.type is ConditionType.REGISTRY_AVAILABLE and reason.mark is Mark.GOOD:
                    reason = Reason.REGISTRY_RECOVERED
                await self._note(key, metadata, reason, condition.message, str(condition.type))

    async def _note(
        self, key: Key, metadata: Metadata, reason: Reason, message: str, about: str
    ) -> None:
        level = logging.INFO if event_type(reason) is EventType.NORMAL else logging.WARNING
        _log.log(level, "%s: %s: %s", key, reason, message, extra=fields_of_event(reason))
        note = EventNote(
            kind=key.kind,
            namespace=key.namespace,
            name=key.name,
            uid=metadata.uid,
            reason=reason,
            message=message,
            type=event_type(reason),
            key=about,
        )
        with contextlib.suppress(ApiUnavailable):
            await self._cluster.emit(note)


def _turned_ready(before: Condition | None, after: Condition) -> bool:
    is_true = after.type is ConditionType.READY and after.status is ConditionStatus.TRUE
    return is_true and (before is None or before.status is not ConditionStatus.TRUE)


def _is_news(before: Condition | None, after: Condition) -> bool:
    """Is the turn worth an event? First looks, progress and what merely went away are not."""
    if before is not None and (before.status, before.reason) == (after.status, after.reason):
        return False
    match after.type:
        case ConditionType.READY:
            return after.status is ConditionStatus.TRUE
        case ConditionType.RECONCILING:
            return False
        case ConditionType.REGISTRY_AVAILABLE if after.status is ConditionStatus.TRUE:
            return before is not None and before.status is ConditionStatus.FALSE
        case ConditionType.TAR_FALLBACK | ConditionType.STALLED:
            return after.status is ConditionStatus.TRUE
        case _:
            return after.status is ConditionStatus.FALSE


def _without_words(document: Mapping[str, Any]) -> Any:
    """The document without messages: what is left changes only when something happened."""
    if isinstance(document, Mapping):
        return {key: _without_words(each) for key, each in document.items() if key != "message"}
    if isinstance(document, list):
        return [_without_words(each) for each in document]
    return document
