"""The readiness gate opens for what is proven, closes for what is missing, and waits else."""

from __future__ import annotations

import pytest

from cyroid_images.errors import Reason
from cyroid_images.model.actions import Present, Pull, Step, Wait
from cyroid_images.model.engine import EngineView
from cyroid_images.model.observed import TargetSeen
from cyroid_images.plan.gate import holds_all, opens
from tests.unit.plan.examples import content, fault, info, stored, target, view, wish

THERE = Present(wish(), content())
COMING = Pull(wish(), target(), info(), stored(), "registry:5000")
WAITING = Wait(wish(), fault(Reason.PROGRESSING))


@pytest.mark.parametrize(
    ("shown", "steps", "answer"),
    [
        (view(), (), None),
        (None, (THERE,), None),
        (view(), (THERE, THERE), True),
        (view(), (THERE, COMING), False),
        (view(), (WAITING,), False),
        (view({"nginx:1.25": content()}), (WAITING,), None),
        (view({"nginx:1.25": content()}), (WAITING, COMING), False),
    ],
)
def test_one_object_tells_what_it_can_prove(
    shown: EngineView | None, steps: tuple[Step, ...], answer: bool | None
) -> None:
    assert holds_all(TargetSeen(target(), view=shown), steps) is answer


@pytest.mark.parametrize(
    ("told", "answer"),
    [
        ([], None),
        ([True, True], True),
        ([True, None], None),
        ([None, False], False),
        ([True, False], False),
    ],
)
def test_a_gate_opens_when_everybody_is_content(
    told: list[bool | None], answer: bool | None
) -> None:
    assert opens(told) is answer
