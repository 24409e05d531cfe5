"""Who may begin: never too many, never too many of one party, and everybody in the end."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from cyroid_images.scheduling.fair_turns import FairTurns, Limit

LIMITS = {"all": Limit.halved(4), "engine": Limit.whole(2), "disk": Limit(3, 1)}
NAMES = (("all",), ("engine:a", "all"), ("engine:b", "all"), ("disk",), ("disk", "all"))
Tickets = dict[int, tuple[str, tuple[str, ...]]]
STEPS = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from(NAMES), st.integers(0, 9)), max_size=40
)


def limit_of(name: str) -> Limit:
    return LIMITS[name.partition(":")[0]]


def held(tickets: Tickets, begun: set[int]) -> tuple[Counter[str], Counter[tuple[str, str]]]:
    """How many hold each limit, in all and by party."""
    names = [(tickets[each][0], name) for each in begun for name in tickets[each][1]]
    return Counter(name for _, name in names), Counter(names)


@given(STEPS)
def test_never_more_than_the_size_nor_than_the_share_and_never_fewer(
    steps: list[tuple[str, tuple[str, ...], int]],
) -> None:
    """Each step lets one stand in line, and another one leave."""
    turns, tickets, begun = FairTurns[int](limit_of), Tickets(), set[int]()
    for number, (party, limits, leaver) in enumerate(steps):
        tickets[number] = (party, limits)
        turns.wait(number, party, limits)
        if leaver in tickets:
            turns.leave(leaver)
            turns.leave(leaver)  # once more is fine
            del tickets[leaver]
            begun.discard(leaver)
        begun |= set(turns.give())
        in_all, by_party = held(tickets, begun)
        for name, count in in_all.items():
            assert count <= limit_of(name).size
            assert turns.held(name) == count
        assert all(count <= limit_of(name).share for (_, name), count in by_party.items())
        for waiting in tickets.keys() - begun:
            assert turns.is_waiting(waiting)
            whose, wanted = tickets[waiting]
            assert any(
                in_all[name] >= limit_of(name).size or by_party[whose, name] >= limit_of(name).share
                for name in wanted
            )  # nobody waits while there is room


@given(STEPS)
def test_everybody_begins_in_the_end_and_nothing_is_remembered(
    steps: list[tuple[str, tuple[str, ...], int]],
) -> None:
    turns, begun = FairTurns[int](limit_of), list[int]()
    for number, (party, limits, _) in enumerate(steps):
        turns.wait(number, party, limits)
    while given_now := turns.give():
        begun += given_now
        for each in given_now:
            turns.leave(each)
    assert sorted(begun) == list(range(len(steps)))
    assert not any(turns.held(name) for name in ("all", "engine:a", "engine:b", "disk"))


def begun_in_turn(turns: FairTurns[str]) -> str:
    """The order in which one at a time begins."""
    order = ""
    while given_now := turns.give():
        (ticket,) = given_now
        order += ticket
        turns.leave(ticket)
    return order


def test_parties_take_turns_and_each_keeps_its_order() -> None:
    turns = FairTurns[str](lambda _: Limit.whole(1))
    for ticket in "123":
        turns.wait(ticket, "first", ("all",))
    for ticket in "ab":
        turns.wait(ticket, "second", ("all",))
    assert begun_in_turn(turns) == "1a2b3"


def test_lanes_of_one_party_take_turns() -> None:
    turns = FairTurns[str](lambda _: Limit.whole(1))
    for ticket in "123":
        turns.wait(ticket, "party", ("engine:a", "all"))
    for ticket in "xyz":
        turns.wait(ticket, "party", ("engine:b", "all"))
    assert begun_in_turn(turns) == "1x2y3z"


def test_a_lane_that_is_full_holds_up_no_other() -> None:
    turns = FairTurns[str](limit_of)
    for ticket in "1234":
        turns.wait(ticket, "party", ("engine:a",))
    turns.wait("x", "party", ("engine:b",))
    assert set(turns.give()) == {"1", "2", "x"}


def test_one_party_leaves_half_to_those_who_come_later() -> None:
    turns = FairTurns[str](limit_of)
    for ticket in "1234":
        turns.wait(ticket, "greedy", ("all",))
    assert turns.give() == ["1", "2"]
    for ticket in "ab":
        turns.wait(ticket, "late", ("all",))
    assert turns.give() == ["a", "b"]


def test_only_who_holds_what_others_wait_for_is_in_the_way() -> None:
    turns = FairTurns[str](limit_of)
    for ticket in "12":
        turns.wait(ticket, "party", ("engine:a",))
    turns.wait("x", "party", ("engine:b",))
    turns.give()
    turns.wait("3", "other", ("engine:a",))
    assert turns.give() == []
    assert turns.is_in_the_way("1")
    assert not turns.is_in_the_way("x")
    turns.leave("3")
    assert not turns.is_in_the_way("1")


def test_who_holds_the_share_of_its_party_is_in_the_way_of_that_party_only() -> None:
    turns = FairTurns[str](limit_of)
    for ticket in "12":
        turns.wait(ticket, "party", ("engine:a", "all"))
    assert turns.give() == ["1", "2"]
    assert not turns.is_in_the_way("1")
    turns.wait("3", "party", ("engine:a", "all"))
    assert not turns.is_in_the_way("1")  # it would wait for the same engine
    turns.wait("x", "party", ("engine:b", "all"))
    assert turns.give() == []
    assert turns.is_in_the_way("1")
    turns.leave("x")
    turns.wait("y", "other", ("engine:b", "all"))
    assert turns.give() == ["y"]
    assert not turns.is_in_the_way("1")
