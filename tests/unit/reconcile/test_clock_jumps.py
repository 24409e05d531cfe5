"""The clock of the machine is put forward or back: nobody waits longer, nothing is told anew.

Pauses that outlive a restart stand in status, so they are moments of the wall clock; they are
believed only as far as a pause of ours can reach. Everything else is counted by the clock of
the event loop, which never jumps; `test_no_duration_is_read_off_the_wall_clock` says where
the wall clock is read at all.
"""

from __future__ import annotations

import ast
from datetime import timedelta
from pathlib import Path

import pytest

import cyroid_images
from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.actions import Copy, Load, Pull, Push
from cyroid_images.model.fault import Failure, Fault
from cyroid_images.plan import backoff
from tests.unit.plan.examples import NOW, fault
from tests.unit.reconcile.clock import until
from tests.unit.reconcile.stage import READY, Stage, tried

JUMPS = {"a-day-back": timedelta(days=-1), "a-day-forward": timedelta(days=1)}
WALL_CLOCK = {
    "api/routes/uploads.py": "a token that differs from the last one",
    "blueprints/uploaded_file.py": "the age of a leftover, as its file system has it",
    "wiring/clock.py": "the port Clock: moments for status, and what they are compared with",
    "registry/errors.py": "Retry-After may be a date",
    "collect/gate.py": "the script judges by the clock of the file system: was it moved?",
    "collect/collection.py": "when files were written, and moments for status",
    "kube/cluster.py": "events carry moments; a repeat within ten minutes counts in the first",
    "api/changed.py": "when an object that cannot be read was created, where it does not say",
    "api/examining.py": "when certificates end, which carry dates",
    "api/routes/collection.py": "a token that no earlier request had",
    "api/routes/pushes.py": "a token that no earlier request had",
    "api/routes/ranges.py": "a token that no earlier request had",
    "api/routes/removal.py": "a token that no earlier request had",
    "api/world.py": "since when something is not known, for people",
    "console/bundling.py": "when a support bundle was made",
    "console/examining.py": "when certificates end, which carry dates",
}
"""All modules that read it, and why."""


@pytest.mark.slow
@pytest.mark.row("O6")
@pytest.mark.parametrize("jump", JUMPS.values(), ids=JUMPS)
def test_a_retry_comes_after_its_pause_at_most_whatever_the_clock_does(jump: timedelta) -> None:
    async def scenario(stage: Stage) -> None:
        def fail_once(action: Copy | Push | Pull | Load) -> None:
            if (
                isinstance(action, Pull)
                and sum(isinstance(m, Pull) for m in stage.movers.moves) == 1
            ):
                raise TransferError(Reason.PULL_FAILED, "once")
            stage.arrive(action)

        stage.movers.then = fail_once
        await stage.loop.start()
        await until(lambda: stage.told().get("Reconciling") == "True/ProgressingWithRetry")
        stage.clock.moment += jump
        await until(lambda: stage.told().get("Ready") == READY)

    stage = tried(scenario)
    assert sum(isinstance(move, Pull) for move in stage.movers.moves) == 2


@pytest.mark.row("O6")
@pytest.mark.parametrize(
    ("reason", "retry_after"),
    [(Reason.PULL_FAILED, None), (Reason.UNAUTHORIZED, None), (Reason.RATE_LIMITED, 7200.0)],
)
def test_every_pause_of_ours_is_kept_and_a_longer_one_is_no_pause(
    reason: Reason, retry_after: float | None
) -> None:
    failure = backoff.failed(None, fault(reason, retry_after=retry_after), NOW, spread=1)
    assert failure.holds(NOW)
    assert failure.holds(failure.next_attempt - timedelta(seconds=1))
    assert not failure.holds(failure.next_attempt)
    assert not failure.holds(NOW - timedelta(days=1))


@pytest.mark.row("O6")
def test_a_failure_read_back_from_status_is_held_no_longer_than_a_pause_lasts() -> None:
    read_back = Failure(Fault(Reason.RATE_LIMITED, "why"), 1, NOW + timedelta(hours=20))
    assert not read_back.holds(NOW)


@pytest.mark.slow
@pytest.mark.row("O6")
def test_no_duration_is_read_off_the_wall_clock() -> None:
    """`datetime.now` and `time.time` are called in the listed modules and nowhere else."""
    root = Path(cyroid_images.__file__).parent
    found = {
        str(path.relative_to(root))
        for path in root.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in ("datetime.now", "datetime.utcnow", "time.time")
    }
    assert found == set(WALL_CLOCK)
