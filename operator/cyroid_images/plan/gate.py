"""The readiness gate of a target pod: does it hold every image that anybody wants in it?

Unknown is not absent: while an engine or the cache cannot be seen the gate stays as it was,
so that neither an outage nor a restart of the operator makes a running range not ready.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from cyroid_images.model.actions import Load, Present, Pull, Step, Wait
from cyroid_images.model.observed import TargetSeen


def holds_all(target: TargetSeen, steps: Sequence[Step]) -> bool | None:
    """Has this target what one object wants in it? None while that cannot be told."""
    if target.view is None or not steps:
        return None
    if all(isinstance(step, Present) for step in steps):
        return True
    is_absent = any(
        isinstance(step, Pull | Load)
        or (isinstance(step, Wait) and step.wish.reference.tagged not in target.view.images)
        for step in steps
    )
    return False if is_absent else None


def opens(told: Collection[bool | None]) -> bool | None:
    """What the gate should say, by what each object that selects the pod told; None: as before."""
    if False in told:
        return False
    return None if None in told or not told else True
