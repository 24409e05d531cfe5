"""The port through which the controller reports to metrics; `Unmeasured` drops it all."""

from __future__ import annotations

from typing import Any, Protocol

from cyroid_images.errors import Reason
from cyroid_images.model.actions import Copy, Load, Pull, Push
from cyroid_images.model.engine import ImageStore
from cyroid_images.model.pushed import How, Pushed
from cyroid_images.model.telemetry.measured import PassResult, Transferred, Way


class Measures(Protocol):
    """Called from the event loop; each returns at once and never raises."""

    def passed(self, kind: str, result: PassResult, seconds: float) -> None: ...

    def transferred(self, ended: Transferred) -> None: ...

    def fell_back(self, reason: Reason) -> None:
        """An image goes by tar because the registry route failed."""
        ...

    def damaged(self, where: str) -> None:
        """Content that does not match its digest was found by a look or a transfer."""
        ...

    def drifted(self) -> None:
        """An image that had gone is brought back."""
        ...

    def relisted(self) -> None:
        """A watch had to list again."""
        ...

    def collected(self, cache: str, freed_bytes: int) -> None:
        """The disk of this cache's registry was freed of so much."""
        ...

    def heard(self) -> None:
        """An event of a watch came."""
        ...

    def serves(self, cache: str, host: str | None) -> None:
        """The cache's registry is reached at this host; None: the cache is gone."""
        ...


class Unmeasured:
    """Measures of nobody."""

    def passed(self, kind: str, result: PassResult, seconds: float) -> None: ...

    def transferred(self, ended: Transferred) -> None: ...

    def fell_back(self, reason: Reason) -> None: ...

    def damaged(self, where: str) -> None: ...

    def drifted(self) -> None: ...

    def relisted(self) -> None: ...

    def collected(self, cache: str, freed_bytes: int) -> None: ...

    def heard(self) -> None: ...

    def serves(self, cache: str, host: str | None) -> None: ...


def way_of(action: Any, result: Any = None) -> Way | None:
    """How this action moves an image, by its result where there is one; None: it moves none.

    A push is what the store of its source makes likely until its result tells.
    """
    match action:
        case Pull():
            return Way.PULL
        case Load():
            return Way.TAR
        case Copy():
            return Way.COPY
        case Push() if isinstance(result, Pushed):
            return Way.PUSH if result.how is How.ENGINE else Way.STREAM
        case Push():
            return Way.STREAM if action.source.info.store is ImageStore.CLASSIC else Way.PUSH
        case _:
            return None
