"""Label selectors match as those of Kubernetes do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cyroid_images.errors import InvalidSpec
from cyroid_images.model.kinds.selector import LabelSelector

LABELS = {"range": "42", "team": "red", "empty": ""}


def selector(document: dict[str, Any]) -> LabelSelector:
    return LabelSelector.read(document, at="selector")


def requiring(key: str, operator: str, *values: str) -> LabelSelector:
    requirement: dict[str, Any] = {"key": key, "operator": operator}
    return selector(
        {"matchExpressions": [{**requirement, "values": list(values)} if values else requirement]}
    )


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (selector({"matchLabels": {"range": "42"}}), True),
        (selector({"matchLabels": {"range": "43"}}), False),
        (selector({"matchLabels": {"range": "42", "team": "blue"}}), False),
        (selector({"matchLabels": {"absent": ""}}), False),
        (selector({"matchLabels": {"empty": ""}}), True),
        (requiring("range", "In", "41", "42"), True),
        (requiring("range", "In", "41"), False),
        (requiring("absent", "In", "41"), False),
        (requiring("range", "NotIn", "41"), True),
        (requiring("range", "NotIn", "42"), False),
        (requiring("absent", "NotIn", "42"), True),
        (requiring("range", "Exists"), True),
        (requiring("empty", "Exists"), True),
        (requiring("absent", "Exists"), False),
        (requiring("range", "DoesNotExist"), False),
        (requiring("absent", "DoesNotExist"), True),
        (selector({}), True),
    ],
)
def test_it_matches_as_kubernetes_does(chosen: LabelSelector, expected: bool) -> None:
    assert chosen.matches(LABELS) is expected


def test_all_requirements_must_be_met() -> None:
    both = {
        "matchLabels": {"range": "42"},
        "matchExpressions": [{"key": "team", "operator": "In", "values": ["blue"]}],
    }
    assert not selector(both).matches(LABELS)
    assert selector(both).matches({**LABELS, "team": "blue"})


def test_without_requirements_it_is_empty() -> None:
    assert selector({"matchLabels": {}}).is_empty
    assert not requiring("a", "Exists").is_empty


EXISTS = {"operator": "Exists"}
LONG_KEY = f"{'p' * 253}/{'k' * 63}"
MOST = {
    "a-value": lambda more: {"matchLabels": {"a": "v" * (63 + more)}},
    "a-key": lambda more: {"matchExpressions": [{"key": "p" * more + LONG_KEY, **EXISTS}]},
    "values": lambda more: {"matchExpressions": [{"key": "a", **one_of(32 + more)}]},
    "labels": lambda more: {"matchLabels": {f"k{number}": "v" for number in range(16 + more)}},
    "requirements": lambda more: {"matchExpressions": [{"key": "a", **EXISTS}] * (16 + more)},
}


def one_of(count: int) -> dict[str, Any]:
    return {"operator": "In", "values": [f"v{number}" for number in range(count)]}


@pytest.mark.parametrize("document", MOST.values(), ids=MOST)
def test_the_largest_that_kubernetes_takes_is_read_and_one_more_is_refused(
    document: Callable[[int], dict[str, Any]],
) -> None:
    assert not selector(document(0)).is_empty
    with pytest.raises(InvalidSpec):
        selector(document(1))
