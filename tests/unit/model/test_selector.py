"""Label selectors match as those of Kubernetes do."""

from __future__ import annotations

from typing import Any

import pytest

from cyroid_images.model.selector import LabelSelector

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
