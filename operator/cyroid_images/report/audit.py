"""The lines that tell what was done to registries and engines, and what was refused.

One line each, with `audit` true, for whoever must answer later who brought what where. The
object, its generation, the image, its digest and the target stand in the fields that every
line of that work carries (`log_fields.py`).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

from cyroid_images.errors import Reason
from cyroid_images.model.actions import Load, Pull
from cyroid_images.model.kinds.conditions import ConditionType
from cyroid_images.model.kinds.status import Status
from cyroid_images.model.telemetry.measured import Transferred
from cyroid_images.report.log_fields import about_action
from cyroid_images.store.keys import Key

_log = logging.getLogger(__name__)

REFUSALS = frozenset(
    {
        Reason.HOST_NOT_ALLOWED,
        Reason.NAMESPACE_NOT_ALLOWED,
        Reason.SECRET_HOST_MISMATCH,
        Reason.UNTRUSTED_REDIRECT,
        Reason.UNTRUSTED_TOKEN_REALM,
        Reason.TARGET_IDENTITY_MISMATCH,
        Reason.CONFLICTING_IMAGES,
        Reason.INVALID_REFERENCE,
        Reason.INVALID_SPEC,
        Reason.TAG_REQUIRED,
        Reason.PLATFORM_MISMATCH,
        Reason.TLS_REJECTED,
        Reason.DIGEST_MISMATCH,
        Reason.MANIFEST_DIGEST_MISMATCH,
    }
)
"""What we do not do although somebody asks or answers for it."""


def tell_ended(action: Any, ended: Transferred, message: str) -> None:
    """A push, copy, pull or load has ended, well or not; `message` says why not."""
    what = f"{ended.way} of {action.wish}"
    if isinstance(action, Pull | Load):
        what += f" into {action.target.pod}"
    level, told = logging.INFO, "cancelled" if ended.is_cut else "done"
    if ended.reason is not None:
        level, told = logging.WARNING, f"failed: {ended.reason}: {message}"
    result = "cut" if ended.is_cut else "failed" if ended.reason else "done"
    said = {"route": ended.way, "result": result, "duration_ms": round(ended.seconds * 1000)}
    _log.log(level, "%s %s, after %.1f s", what, told, ended.seconds, extra=_audit(**said))


def tell_fallback(load: Load) -> None:
    """An image will go by tar, because the registry route does not serve it."""
    text = "%s is sent into %s by tar from %s: %s: %s"
    because = load.because
    told = (load.wish, load.target.pod, load.source.source, because.reason, because.message)
    fields = {**about_action(load), "reason": because.reason, "route": "tar"}
    _log.warning(text, *told, extra=_audit(result="fallback", **fields))


def tell_refusals(key: Key, before: Status, after: Status) -> None:
    """What this status says for the first time that we will not do."""
    known = {(reason, about) for reason, about, _, _ in _refused(before)}
    for reason, about, message, fields in _refused(after):
        if (reason, about) not in known:
            said = _audit(result="refused", reason=reason, **fields)
            _log.warning("%s: refused: %s: %s", key, reason, message, extra=said)


def fields_of_event(reason: Reason) -> dict[str, Any]:
    """Of the line that goes with an event, where no other line tells what was done or refused."""
    if reason is Reason.HOST_NETWORK_REFUSED:
        return _audit(result="refused", reason=reason)
    if reason is Reason.IMAGE_REMOVED:
        return _audit(result="removed", reason=reason)
    return {"reason": reason}


def _refused(status: Status) -> Iterator[tuple[Reason, str, str, dict[str, Any]]]:
    """Reason, what it is about, what people are told, and the fields of the line."""
    rows = [row for row in status.failures if row.reason in REFUSALS]
    for row in rows:
        fields = {"image": row.image, **({"target": row.pod} if row.pod else {})}
        yield row.reason, f"{row.image} {row.pod}", row.message, fields
    stalled = status.condition(ConditionType.STALLED)
    if stalled is not None and stalled.reason in REFUSALS and not rows:
        yield stalled.reason, "", stalled.message, {}


def _audit(**fields: Any) -> dict[str, Any]:
    return {"audit": True, **{name: value for name, value in fields.items() if value is not None}}
