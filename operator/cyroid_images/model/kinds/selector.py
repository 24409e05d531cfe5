"""Label selectors, matched here: pods and namespaces come from watches, not from queries.

Source of the meaning: Kubernetes, `labels.Requirement.Matches`. NotIn and DoesNotExist
also match an object that has no such label.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Self, assert_never

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from cyroid_images.model.kinds.fields import Part, cel, refuse

_KEY = r"^([a-z0-9]([a-z0-9.-]*[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$"
_VALUE = r"^([A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?)?$"

LabelValue = Annotated[str, Field(pattern=_VALUE, max_length=63)]
"""The value of a label; may be empty."""


class SelectorOperator(StrEnum):
    """How the label is compared with `values`."""

    IN = "In"
    NOT_IN = "NotIn"
    EXISTS = "Exists"
    DOES_NOT_EXIST = "DoesNotExist"


_VALUES_FIT = (
    ("(self.operator in ['In', 'NotIn']) == (has(self.values) && self.values.size() > 0)"),
    "In and NotIn need values, Exists and DoesNotExist take none",
)


class Requirement(Part):
    """One requirement on one label."""

    model_config = ConfigDict(json_schema_extra=cel(_VALUES_FIT))

    key: str = Field(pattern=_KEY, max_length=317)
    """Label key, such as `cyroid.io/range-id`."""

    operator: SelectorOperator
    """`In`, `NotIn`, `Exists` or `DoesNotExist`."""

    values: tuple[LabelValue, ...] = Field(
        (), max_length=32, json_schema_extra={"x-kubernetes-list-type": "atomic"}
    )
    """Values for `In` and `NotIn`, such as `["42", "43"]`; absent for the other operators."""

    @model_validator(mode="after")
    def _values_fit(self) -> Self:
        if (self.operator in (SelectorOperator.IN, SelectorOperator.NOT_IN)) != bool(self.values):
            raise refuse(_VALUES_FIT[1])
        return self

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether an object with these labels meets the requirement."""
        match self.operator:
            case SelectorOperator.IN:
                return labels.get(self.key) in self.values
            case SelectorOperator.NOT_IN:
                return labels.get(self.key) not in self.values
            case SelectorOperator.EXISTS:
                return self.key in labels
            case SelectorOperator.DOES_NOT_EXIST:
                return self.key not in labels
        assert_never(self.operator)


_KEYS_ARE_LABELS = (f"self.all(key, key.matches('{_KEY}'))", "not the key of a label")


def _keys_are_labels(labels: dict[str, str]) -> dict[str, str]:
    if not all(re.fullmatch(_KEY, key, re.ASCII) for key in labels):
        raise refuse(_KEYS_ARE_LABELS[1])
    return labels


class LabelSelector(Part):
    """Chooses objects by labels; all requirements must be met, and none matches everything."""

    model_config = ConfigDict(json_schema_extra={"x-kubernetes-map-type": "atomic"})

    match_labels: Annotated[
        dict[str, LabelValue],
        Field(max_length=16, json_schema_extra=cel(_KEYS_ARE_LABELS)),
        AfterValidator(_keys_are_labels),
    ] = Field({})
    """Labels and the values they must have, such as `{cyroid.io/range-id: "42"}`."""

    match_expressions: tuple[Requirement, ...] = Field(
        (), max_length=16, json_schema_extra={"x-kubernetes-list-type": "atomic"}
    )
    """Requirements beyond equality."""

    @property
    def is_empty(self) -> bool:
        """Without any requirement: it matches every object."""
        return not self.match_labels and not self.match_expressions

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether an object with these labels is chosen."""
        for key, value in self.match_labels.items():  # no `all`: most pods fail the first
            if labels.get(key) != value:
                return False
        return all(requirement.matches(labels) for requirement in self.match_expressions)
