"""What upstream registries answered, and which of them are left alone for a while.

They are somebody else's: each image is asked for once per refresh interval, and a host that
refuses is asked again only when its pause is over, whoever wants it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from cyroid_images.errors import Reason
from cyroid_images.model.fault import Failure, Fault
from cyroid_images.model.knowledge import HeldByUpstream, Wish
from cyroid_images.model.registry import Credentials

Answer = HeldByUpstream | Fault | None

_OF_THE_HOST = frozenset({Reason.RATE_LIMITED})
"""Our own registry may be the cause of anything else that fails in a copy."""


@dataclass(slots=True)
class UpstreamMemory:
    """Of the upstream sources of one cache."""

    answers: dict[tuple[str, Wish], tuple[Answer, float]] = field(default_factory=dict)
    """By source and wish: the answer, and when to ask again by the clock of the event loop."""
    hosts: dict[str, Failure] = field(default_factory=dict)
    credentials: dict[str, Credentials | None] = field(default_factory=dict, repr=False)
    """By host: with what it was asked; other credentials are worth another try."""

    def present(self, host: str, credentials: Credentials | None) -> None:
        """Forget what was refused to other credentials."""
        if host in self.credentials and self.credentials[host] != credentials:
            self.hosts.pop(host, None)
            for key in [key for key in self.answers if key[1].reference.host == host]:
                del self.answers[key]
        self.credentials[host] = credentials

    def is_due(self, source: str, wish: Wish, now: datetime, at: float) -> bool:
        """Is the last answer too old, and may the host be asked? `at`: the loop's clock."""
        answer, host = self.answers.get((source, wish)), self.hosts.get(wish.reference.host)
        if host is not None and host.holds(now):
            return False
        return answer is None or answer[1] <= at

    def answer(self, source: str, wish: Wish) -> Answer:
        """The last answer; of an image that was never asked for, why its host is left alone."""
        if (source, wish) in self.answers:
            found = self.answers[source, wish][0]
        else:
            failure = self.hosts.get(wish.reference.host)
            found = failure.fault if failure else None
        if isinstance(found, Fault):
            return Fault(found.reason, f"source {source}: {found.message}", found.retry_after)
        return found

    def known(self, source: str, wish: Wish) -> HeldByUpstream | None:
        """The image as it was last seen there."""
        answer = self.answers.get((source, wish), (None, None))[0]
        return None if isinstance(answer, Fault) else answer

    def refused(self, host: str, failure: Failure) -> None:
        """A copy failed; where the host itself is the cause, it is left alone."""
        if failure.reason in _OF_THE_HOST:
            self.hosts[host] = failure

    def keep_only(self, wishes: Collection[Wish]) -> None:
        """Forget what nobody wants any more."""
        for key in [key for key in self.answers if key[1] not in wishes]:
            del self.answers[key]

    def clear(self) -> None:
        """Ask everything anew."""
        self.answers.clear()
        self.hosts.clear()
