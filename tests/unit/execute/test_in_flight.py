"""What is asked of the jobs under way is what a look at each of them would find."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cyroid_images.execute.in_flight import InFlight
from cyroid_images.execute.transfer import Job, Transfer

KEYS, OWNERS = st.integers(0, 3), st.sampled_from("abc")
STEPS = st.lists(st.tuples(st.sampled_from(["join", "leave", "end"]), KEYS, OWNERS), max_size=40)


def transfer(key: int) -> Transfer:
    """Two keys share a part and a limit."""
    limits = ("all", f"engine:{key // 2}")
    return Transfer((key // 2, key), None, 0, "party", limits, lambda *_: None, 1)


@given(STEPS)
def test_every_index_agrees_with_the_jobs(steps: list[tuple[str, int, str]]) -> None:
    in_flight, plain = InFlight(), dict[int, Job]()
    for step, key, owner in steps:
        job = plain.get(key)
        if job is None:
            plain[key] = Job(transfer(key), {owner})
            in_flight.add(plain[key])
        elif step == "join":
            in_flight.join(owner, job)
        elif step == "leave":
            in_flight.leave(owner, job)
        else:
            waited = frozenset(job.owners)
            assert in_flight.end(plain.pop(key)) == waited
    assert list(in_flight) == list(plain.values())
    assert len(in_flight) == len(plain)

    assert all(in_flight.at((key // 2, key)) is job for key, job in plain.items())
    for owner in "abc":
        assert set(map(id, in_flight.of(owner))) == {
            id(job) for job in plain.values() if owner in job.owners
        }
    for half in (0, 1):
        assert in_flight.with_part(half) == sum(
            job.transfer.parts.count(half) for job in plain.values()
        )
        assert in_flight.against(f"engine:{half}") == sum(key // 2 == half for key in plain)
