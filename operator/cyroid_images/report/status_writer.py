"""Writes the newest status of each object, and only when it differs; tells turned conditions."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from cyroid_images.errors import ApiUnavailable, Mark, Reason, StatusConflict, StatusRejected
from cyroid_images.model.kinds.conditions import Condition, ConditionStatus, ConditionType
from cyroid_images.model.kinds.metadata import Metadata
from cyroid_images.model.kinds.status import Status
from cyroid_images.model.telemetry.log_context import about
from cyroid_images.model.telemetry.milestones import Milestone
from cyroid_images.report.audit import tell_refusals
from cyroid_images.report.log_fields import about_object
from cyroid_images.report.ports import Recorder, StatusAPI
from cyroid_images.scheduling.work_queue import WorkQueue
from cyroid_images.store.keys import Key
from cyroid_images.store.store import Store

StatusT = TypeVar("StatusT", bound=Status)

_log = logging.getLogger(__name__)

PROGRESS_SECONDS = 5.0
"""Counts and words change with every image; people and etcd are content with this pace."""
PROMPT = frozenset(
    {
        "observedGeneration",
        "lastHandledReconcileAt",
        "conditions",
        "failures",
        "tarDeliveries",
        "sourceImages",
        "removedImages",
        "collection",
    }
)
"""What somebody waits for: a condition that turned, a failure, the record of a load, an image
that was just built or is gone, a collection that was asked for. All else is progress."""
AGAIN_SECONDS = 2.0
"""After a conflict or an outage of the API: by then the watch has told what changed."""
DEFECT_SECONDS = 60.0
"""Until the next attempt after a defect of the operator."""
REJECTED_SECONDS = 300.0
"""A refused status stays refused until operator or CRD change."""


@dataclass(frozen=True, slots=True)
class _Pending:
    """What is to be written of which object, computed from which generation of it."""

    uid: str
    generation: int
    status: Status
    token: Hashable
    """Comes back with `written`: what the pass wants to know to be in status."""

    def is_of(self, metadata: Metadata) -> bool:
        return (self.uid, self.generation) == (metadata.uid, metadata.generation)


class StatusWriter:
    """Shared by all passes; used from the event loop only."""

    def __init__(
        self,
        api: StatusAPI,
        store: Store,
        recorder: Recorder,
        tried: Callable[[Key, Hashable, bool], None],
    ) -> None:
        """`tried(key, token, is_written)` is called after each try to write a status."""
        self._api = api
        self._store = store
        self._recorder = recorder
        self._tried = tried
        self._queue = WorkQueue[Key]()
        self._pending: dict[Key, _Pending] = {}
        self._last: dict[Key, float] = {}
        self._rejected: dict[Key, tuple[float, Mapping[str, Any]]] = {}
        self._outdated: dict[Key, tuple[float, str]] = {}
        """The version with which a write conflicted: the watch brings another one."""

    def latest(self, key: Key, metadata: Metadata, written: StatusT) -> StatusT:
        """What was last said of this generation, whether it is written yet or not."""
        pending = self._pending.get(key)
        if pending is None or not pending.is_of(metadata):
            return written
        return pending.status if isinstance(pending.status, type(written)) else written

    def put(self, key: Key, metadata: Metadata, status: Status, token: Hashable = None) -> None:
        """Have this written; it takes the place of what still waits for the same object."""
        self._pending[key] = _Pending(metadata.uid, metadata.generation, status, token)
        self._queue.wake(key)

    def forget(self, key: Key) -> None:
        """The object is gone."""
        self._queue.forget(key)
        for held in (self._pending, self._last, self._rejected, self._outdated):
            held.pop(key, None)

    async def run(self) -> None:
        """For ever: write what waits. Several may run at a time."""
        while True:
            key = await self._queue.take()
            again: float | None = DEFECT_SECONDS
            try:
                item = self._store.find(key)
                with about(**about_object(key, item.metadata if item else None)):
                    again = await self._write(key)
            except Exception:  # costs this object its newest status, and nobody else anything
                _log.exception("defect in writing the status of %s", key)
            finally:
                self._queue.done(key)
                if again is not None and key in self._pending:
                    self._queue.wake(key, after=again)

    async def _write(self, key: Key) -> float | None:
        """Write what waits; seconds until it should be tried again, or None."""
        pending, item = self._pending.get(key), self._store.find(key)
        if pending is None or item is None or not pending.is_of(item.metadata):
            self._pending.pop(key, None)  # a pass of what is there now follows
            return None
        before, after = item.status.to_document(), pending.status.to_document()
        if before == after:
            self._settle(key, pending, is_written=True)
            return None
        pause = self._pause(key, item.metadata.resource_version, before, after)
        if pause > 0:
            return pause
        try:
            version = await self._api.apply_status(key, item.metadata.resource_version, after)
        except StatusRejected as exc:
            self._refused(key, pending, after, str(exc))
            return None
        except (StatusConflict, ApiUnavailable) as exc:
            # Edited meanwhile, and the watch brings the new version; or the API is away.
            _log.info("status of %s not written; will retry: %s", key, exc)
            if isinstance(exc, StatusConflict):
                self._outdated[key] = _now(), item.metadata.resource_version
            self._tried(key, pending.token, False)  # noqa: FBT003 - see `tried`
            return AGAIN_SECONDS
        if version is not None and key in self._pending:  # else it was deleted meanwhile
            self._last[key] = _now()
            self._store.reported(key, item.metadata, version, pending.status)
            tell_refusals(key, item.status, pending.status)
            self._tell_turns(key, item.metadata, item.status, pending.status)
        self._settle(key, pending, is_written=True)
        return 0.0

    def _pause(
        self, key: Key, version: str, before: Mapping[str, Any], after: Mapping[str, Any]
    ) -> float:
        """Seconds for which this is not worth a write yet."""
        now = _now()
        tried, outdated = self._outdated.get(key, (0.0, ""))
        if version == outdated and now - tried < AGAIN_SECONDS:  # whatever is put meanwhile
            return tried + AGAIN_SECONDS - now
        since, refused = self._rejected.get(key, (0.0, None))
        if refused == after and now - since < REJECTED_SECONDS:
            return REJECTED_SECONDS
        wait = self._last.get(key, float("-inf")) + PROGRESS_SECONDS - now
        return wait if _prompt_part(before) == _prompt_part(after) else 0.0

    def _refused(
        self, key: Key, pending: _Pending, document: Mapping[str, Any], message: str
    ) -> None:
        _log.error("status of %s refused: %s", key, message)
        self._rejected[key] = _now(), document
        self._recorder.record(key, pending.uid, Reason.STATUS_REJECTED, message, about="")
        self._settle(key, pending, is_written=False)

    def _settle(self, key: Key, pending: _Pending, *, is_written: bool) -> None:
        """No longer waits, unless a newer one has taken its place."""
        if self._pending.get(key) is pending:
            del self._pending[key]
        self._tried(key, pending.token, is_written)

    def _tell_turns(self, key: Key, metadata: Metadata, previous: Status, status: Status) -> None:
        """Events on the conditions whose status or reason turned to something worth telling."""
        for condition in status.conditions:
            before = previous.condition(condition.type)
            if _turned_ready(before, condition):
                _log.info("%s: ready", key, extra={"step": Milestone.READY})
            if _is_news(before, condition):
                reason = condition.reason
                if condition.type is ConditionType.REGISTRY_AVAILABLE and reason.mark is Mark.GOOD:
                    reason = Reason.REGISTRY_RECOVERED
                self._recorder.record(
                    key, metadata.uid, reason, condition.message, about=str(condition.type)
                )


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


def _prompt_part(document: Mapping[str, Any]) -> Any:
    """What is told without delay; the rest comes with it, or at its own pace."""
    return _without_words({key: each for key, each in document.items() if key in PROMPT})


def _without_words(document: Any) -> Any:
    """The document without messages: what is left changes only when something happened."""
    if isinstance(document, Mapping):
        return {key: _without_words(each) for key, each in document.items() if key != "message"}
    if isinstance(document, list):
        return [_without_words(each) for each in document]
    return document


def _now() -> float:
    return asyncio.get_running_loop().time()
