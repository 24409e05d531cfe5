"""What the controller tells whoever counts: transfers that ended, and the state at a moment.

Values only; names and types of metrics live in `metrics`. Nothing here holds a digest, an
address or a message, because each would become a label.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from cyroid_images.errors import Reason


class Way(StrEnum):
    """How one image moves."""

    PULL = "pull"
    """Registry to engine."""
    TAR = "tar"
    """As a tar into an engine."""
    PUSH = "push"
    """Source engine to registry, by the engine itself."""
    STREAM = "stream"
    """Source engine to registry, saved by the engine and sent by us."""
    COPY = "copy"
    """Upstream or archive to registry."""


class PassResult(StrEnum):
    """How a pass ended; what is wrong with its object stands in `resource_ready`."""

    DONE = "done"
    GONE = "gone"
    """The object is deleted."""
    DEFECT = "defect"
    """The operator's own fault; its log tells more."""


LOOK = "look"
"""Where damage is found besides the ways: a look at what the registry has."""


@dataclass(frozen=True, slots=True)
class Moving:
    """A transfer on its way; `done` are bytes."""

    id: str
    way: Way
    done: int


@dataclass(frozen=True, slots=True)
class Transferred:
    """A transfer that ended."""

    id: str
    way: Way
    seconds: float
    done: int
    """Bytes, as far as it told."""
    reason: Reason | None = None
    """Why it failed; None where it did not."""
    is_cut: bool = False
    """It was cancelled by us: no longer wanted."""


@dataclass(frozen=True, slots=True)
class GaugeValues:
    """Everything that is shown as it is now, not counted up."""

    due: int = 0
    """Objects that wait for a pass."""
    working: int = 0
    """Passes under way."""
    ready: Mapping[tuple[str, str, str], bool] = field(default_factory=dict)
    """By kind, namespace and name: Ready=True? Suspended objects are left out."""
    targets: Mapping[str, int] = field(default_factory=dict)
    """How many engines `ready` and `not_ready`."""
    insecure: int = 0
    """Endpoints that are dialled without TLS, as written."""
    registries: Mapping[str, bool] = field(default_factory=dict)
    """By cache: does its registry answer?"""
    moving: tuple[Moving, ...] = ()
