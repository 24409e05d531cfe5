"""Ways that are compared take turns, and none always goes first."""

from __future__ import annotations

from tests.bench.contest import Samples, contest, order


def test_the_order_is_reversed_from_round_to_round() -> None:
    assert [order("ab", number) for number in range(3)] == ["ab", "ba", "ab"]


def test_each_way_runs_once_in_each_round() -> None:
    ran: list[str] = []

    def way(name: str) -> float:
        ran.append(name)
        return float(len(ran))

    found = contest(
        {"ours": lambda: way("ours"), "theirs": lambda: way("theirs")},
        lambda _: None,
        runs=3,
        settle=tuple,
    )
    assert ran == ["ours", "theirs", "theirs", "ours", "ours", "theirs"]
    assert found == {"ours": Samples((1.0, 4.0, 5.0)), "theirs": Samples((2.0, 3.0, 6.0))}


def test_every_run_is_told() -> None:
    told: list[str] = []
    contest({"ours": lambda: 1.5}, told.append, runs=2, settle=tuple)
    assert told == ["  1/2 ours: 1.50", "  2/2 ours: 1.50"]


def test_samples_have_a_median_and_a_spread() -> None:
    samples = Samples((3.0, 1.0, 250.4))
    assert samples.median == 3.0
    assert str(samples) == "1.00-250"
