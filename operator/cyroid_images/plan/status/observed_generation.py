"""Which generation the status speaks of as done."""

from __future__ import annotations

from collections.abc import Sequence

from cyroid_images.errors import Reason
from cyroid_images.model.kinds.conditions import Condition, ConditionStatus, ConditionType
from cyroid_images.model.kinds.metadata import Metadata
from cyroid_images.model.kinds.status import Status


def generation_observed(
    previous: Status, metadata: Metadata, conditions: Sequence[Condition]
) -> int:
    """The top-level observedGeneration: it moves only when this generation is settled.

    Settled is Ready, Stalled or suspended; whoever waits for a generation to be observed
    (kstatus, Argo CD) must not take work in progress for done.
    """
    for condition in conditions:
        is_true = condition.status is ConditionStatus.TRUE
        if is_true and condition.type in (ConditionType.READY, ConditionType.STALLED):
            return metadata.generation
        if condition.reason is Reason.SUSPENDED:
            return metadata.generation
    return previous.observed_generation
