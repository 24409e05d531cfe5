"""What is asked of the jobs under way is what a look at each of them would find."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cyroid_images.reconcile.job import Job, Move, Underway
from cyroid_images.scheduling.cancel_scope import CancelScope as Canceller

KEYS, OWNERS = st.integers(0, 3), st.sampled_from("abc")
STEPS = st.lists(st.tuples(st.sampled_from(["join", "leave", "end"]), KEYS, OWNERS), max_size=40)


def move(key: int) -> Move:
    """Two keys share a part and a lane."""
    return Move((key // 2, key), None, 0, ("all", f"engine:{key // 2}"), lambda *_: None, 1)


@given(STEPS)
def test_every_index_agrees_with_the_jobs(steps: list[tuple[str, int, str]]) -> None:
    underway, plain = Underway(), dict[int, Job]()
    for step, key, owner in steps:
        job = plain.get(key)
        if job is None:
            plain[key] = Job(move(key), {owner}, Canceller())
            underway.add(plain[key])
        elif step == "join":
            underway.join(owner, job)
        elif step == "leave":
            underway.leave(owner, job)
        else:
            waited = frozenset(job.owners)
            assert underway.end(plain.pop(key)) == waited
    assert list(underway) == list(plain.values())
    for owner in "abc":
        assert set(map(id, underway.of(owner))) == {
            id(job) for job in plain.values() if owner in job.owners
        }
    for half in (0, 1):
        assert underway.with_part(half) == sum(job.move.parts.count(half) for job in plain.values())
        assert underway.in_lane(f"engine:{half}") == sum(key // 2 == half for key in plain)
