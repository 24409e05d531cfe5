"""One transfer that is wanted, that runs, or that has ended."""

from __future__ import annotations

import contextvars
import secrets
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any

from cyroid_images.model.fault import Fault
from cyroid_images.model.telemetry.progress import Progress, ProgressObserver
from cyroid_images.scheduling.cancel_scope import CancelScope


@dataclass(frozen=True, slots=True)
class Transfer:
    """One blocking piece of work and what bounds it."""

    key: Hashable
    """What must not run twice at a time: (engine, name) or (registry, repository, tag)."""
    action: Any = field(compare=False)
    """The step of the decision that it carries out; it comes back with the outcome."""
    version: Hashable
    """Another version of the same key is other work: the old is cancelled first."""
    party: str = field(compare=False)
    """Whose share it takes: a namespace, or a cache."""
    limits: tuple[str, ...] = field(compare=False)
    """The limits it counts against, as `kind` or `kind:what`."""
    run: Callable[[CancelScope, ProgressObserver], Any] = field(compare=False)
    total_seconds: float = field(compare=False)
    size: int = field(default=0, compare=False)
    """Bytes that it may tell as progress at most; 0: not known."""

    @property
    def parts(self) -> tuple[Hashable, ...]:
        """What its key is made of."""
        return self.key if isinstance(self.key, tuple) else ()


@dataclass(frozen=True, slots=True)
class Ended:
    """What came of a transfer: its result, or the fault."""

    transfer: Transfer
    result: Any
    fault: Fault | None
    seconds: float
    at: float
    """When it ended, by the clock of the event loop: what was seen before does not show it."""


@dataclass(slots=True, eq=False)
class Job:
    """A transfer on its way, and who wants it."""

    transfer: Transfer
    owners: set[Hashable]
    scope: CancelScope = field(default_factory=CancelScope)
    progress: Progress | None = None
    """None until its turn has come."""
    started: float = 0.0
    moved: float = 0.0
    """When it last made real progress, by the clock of the event loop."""
    counted: int = 0
    """The bytes that were counted as real progress then."""
    id: str = field(default_factory=lambda: secrets.token_hex(4))
    context: contextvars.Context = field(default_factory=contextvars.copy_context)
    """What its log lines are about: it may begin when the transfer of another object ends."""

    @property
    def has_moved(self) -> bool:
        """Has a first byte been seen?"""
        return self.progress is not None and self.progress.done > 0

    @property
    def rate(self) -> float:
        """Bytes per second since the start."""
        spent = time.monotonic() - self.started
        return self.progress.done / spent if self.progress and spent > 0 else 0.0
