"""Which object a pass is for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """The kinds that the operator watches; the first two have passes of their own."""

    RANGE_IMAGES = "RangeImages"
    IMAGE_CACHE = "ImageCache"
    POD = "Pod"
    NAMESPACE = "Namespace"


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """One object by name; an object re-made under its name is the same key."""

    kind: Kind
    namespace: str
    """Empty for kinds of the cluster."""
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {f'{self.namespace}/' if self.namespace else ''}{self.name}"
