"""A schedule of faults depends on its seed alone, and asks for nothing impossible."""

from __future__ import annotations

import random

import pytest

from tests.chaos.faults import API, ENGINES, OPERATOR, RULES, Fault, Kind, schedule

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
        for part in [ENGINES[fault.which]] if needs == ENGINES else needs:
            assert not [each for each in away if each[0] == part and each[1] < fault.at < each[2]]


@pytest.mark.parametrize("seed", SEEDS)
def test_faults_begin_in_order_and_in_time(seed: int) -> None:
    moments = [fault.at for fault in made(seed)]
    assert moments == sorted(moments)
    assert all(0 <= moment < 60 for moment in moments)
