"""Conditions: their types, and the one door through which they change.

A pass concludes Verdicts; `set_conditions` joins them with what stood there before. So no
other code handles `lastTransitionTime`, and Reconciling and Stalled exist only while True.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    Field,
    PlainSerializer,
    WithJsonSchema,
)

from cyroid_images.errors import Reason
from cyroid_images.model.kinds.fields import Part
from cyroid_images.model.text import CONDITION_MESSAGE, clean_message

__all__ = [
    "Condition",
    "ConditionStatus",
    "ConditionType",
    "Moment",
    "ReasonField",
    "Verdict",
    "clean_message",
    "message_of",
    "rfc3339",
    "set_conditions",
]


class ConditionType(StrEnum):
    """What a condition speaks of; the order is the order in status."""

    READY = "Ready"
    """The summary: every wanted image is proven where it is wanted. Always present."""
    TARGETS_AVAILABLE = "TargetsAvailable"
    """RangeImages: every matched engine answers and is trusted. Always present."""
    REGISTRY_AVAILABLE = "RegistryAvailable"
    """The registry answers and took or gave what was last asked. Always present."""
    SOURCE_AVAILABLE = "SourceAvailable"
    """ImageCache: every source that was needed answered. Always present."""
    TAR_FALLBACK = "TarFallback"
    """RangeImages: neutral record that an image came by tar. Always present."""
    RECONCILING = "Reconciling"
    """Work goes on, is retried or waits. Present only while True."""
    STALLED = "Stalled"
    """Only a change of spec, of a Secret or outside of the operator can help. Present only
    while True."""


ONLY_WHILE_TRUE = frozenset({ConditionType.RECONCILING, ConditionType.STALLED})
"""Abnormal conditions: removed instead of set False."""


class ConditionStatus(StrEnum):
    """The three answers a condition can give."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


def _whole_seconds(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(microsecond=0)


def rfc3339(moment: datetime) -> str:
    """A UTC moment as the Kubernetes API writes it, in whole seconds."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


Moment = Annotated[
    AwareDatetime,
    AfterValidator(_whole_seconds),
    PlainSerializer(rfc3339, return_type=str, when_used="always"),
]
"""An aware UTC moment in whole seconds, written as RFC 3339 with Z."""


_WORD = {"type": "string", "pattern": "^[A-Z][A-Za-z0-9]*$", "maxLength": 64}
"""Any CamelCase word: Helm does not upgrade CRDs, and a newer operator may have new words."""

ReasonField = Annotated[Reason, WithJsonSchema(_WORD)]
"""A reason of the one enum."""


def message_of(limit: int) -> BeforeValidator:
    """Makes a message printable and short enough, whoever wrote it."""
    return BeforeValidator(lambda text: clean_message(text, limit) if isinstance(text, str) else "")


class Condition(Part):
    """One condition as it stands in status."""

    type: Annotated[ConditionType, WithJsonSchema(_WORD)]
    """What it speaks of, such as `Ready`."""
    status: ConditionStatus
    """`True`, `False` or `Unknown`."""
    reason: ReasonField
    """Stable CamelCase word for machines, such as `AllImagesPresent`."""
    message: Annotated[str, message_of(CONDITION_MESSAGE), Field(max_length=CONDITION_MESSAGE)]
    """What is the case and what happens next, for people; one line."""
    observed_generation: int
    """`metadata.generation` that the pass read."""
    last_transition_time: Moment
    """When `status` last changed; RFC 3339, UTC."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a pass concludes for one condition type."""

    type: ConditionType
    status: ConditionStatus
    reason: Reason
    message: str


def set_conditions(
    previous: Sequence[Condition], verdicts: Iterable[Verdict], *, generation: int, now: datetime
) -> tuple[Condition, ...]:
    """The conditions after a pass that read `generation`, in the order of ConditionType.

    A condition keeps its lastTransitionTime unless its status changed. What has no verdict
    is gone, and so are Reconciling and Stalled unless they are True. Raises ValueError for
    two verdicts of one type.
    """
    before = {condition.type: condition for condition in previous}
    chosen: dict[ConditionType, Condition] = {}
    for verdict in verdicts:
        if verdict.type in chosen:
            raise ValueError(f"two verdicts on {verdict.type}")
        if verdict.type in ONLY_WHILE_TRUE and verdict.status != ConditionStatus.TRUE:
            continue
        chosen[verdict.type] = _condition(verdict, before.get(verdict.type), generation, now)
    return tuple(chosen[kind] for kind in ConditionType if kind in chosen)


def _condition(
    verdict: Verdict, before: Condition | None, generation: int, now: datetime
) -> Condition:
    is_unchanged = before is not None and before.status == verdict.status
    # Never back, though the clock may have been put back since.
    turned = max(now, before.last_transition_time) if before else now
    return Condition(
        type=verdict.type,
        status=verdict.status,
        reason=verdict.reason,
        message=verdict.message,
        observed_generation=generation,
        last_transition_time=before.last_transition_time if before and is_unchanged else turned,
    )
