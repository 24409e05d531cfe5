"""A schedule of faults depends on its seed alone, and asks for nothing impossible."""

from __future__ import annotations

import random

import pytest

from tests.chaos.faults import (
    API,
    ENGINES,
    NEIGHBOURS,
    OPERATOR,
    OUTAGES,
    REGISTRIES,
    RULES,
    Fault,
    Kind,
    outage,
    schedule,
    siege,
)

SEEDS = range(40)


def made(seed: int) -> tuple[Fault, ...]:
    return schedule(random.Random(seed), 60, 0.5)  # noqa: S311 - not for secrets


def test_a_seed_gives_the_same_faults_each_time() -> None:
    assert made(7) == made(7)
    assert made(7) != made(8)


def test_every_kind_has_a_rule_and_happens() -> None:
    assert set(RULES) == set(Kind)
    assert {fault.kind for seed in SEEDS for fault in made(seed)} == set(Kind)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_part_has_one_fault_at_a_time(seed: int) -> None:
    ends: dict[str, float] = {}
    for fault in made(seed):
        if part := fault.part:
            assert fault.at >= ends.get(part, 0.0)
            ends[part] = fault.at + fault.lasts


@pytest.mark.parametrize("seed", SEEDS)
def test_nobody_is_asked_for_anything_while_away(seed: int) -> None:
    faults = made(seed)
    away = [
        (part, fault.at, fault.at + fault.lasts)
        for fault in faults
        for part in ([API, OPERATOR] if fault.part == API else [fault.part])
    ]
    for fault in faults:
        needs = RULES[fault.kind].needs
        for part in [needs[fault.which]] if needs in (ENGINES, REGISTRIES) else needs:
            assert not [each for each in away if each[0] == part and each[1] < fault.at < each[2]]


@pytest.mark.parametrize("seed", SEEDS)
def test_faults_begin_in_order_and_in_time(seed: int) -> None:
    moments = [fault.at for fault in made(seed)]
    assert moments == sorted(moments)
    assert all(0 <= moment < 60 for moment in moments)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_siege_spares_whoever_must_be_served(seed: int) -> None:
    """The other registry, the API server and the operator; and one fault per part at a time."""
    faults = siege(random.Random(seed))  # noqa: S311 - not for secrets
    parts = [fault.part for fault in faults]
    assert len(set(parts)) == len(parts)
    assert not {API, OPERATOR, REGISTRIES[1]} & set(parts)
    assert siege(random.Random(seed)) == faults  # noqa: S311 - not for secrets


def test_sieges_do_all_that_others_may_do() -> None:
    kinds = {fault.kind for seed in range(200) for fault in siege(random.Random(seed))}  # noqa: S311 - not for secrets
    assert kinds == {kind for group in NEIGHBOURS for kind in group}


@pytest.mark.parametrize("seed", SEEDS)
def test_in_an_outage_nobody_can_tell_what_an_image_is(seed: int) -> None:
    faults = outage(random.Random(seed), 3)  # noqa: S311 - not for secrets
    assert {fault.part for fault in faults if fault.kind in OUTAGES} == set(REGISTRIES)
    pruned = [fault.draw for fault in faults if fault.kind is Kind.SOURCE_PRUNED]
    assert pruned == [0, 1, 2]


def test_only_chosen_kinds_happen_in_sieges_and_outages() -> None:
    numbers = random.Random(1)  # noqa: S311 - not for secrets
    chosen = {Kind.VOLUME_HANGS}
    assert {fault.kind for _ in range(20) for fault in siege(numbers, chosen)} == chosen
    assert outage(numbers, 3, chosen) == ()
