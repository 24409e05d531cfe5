"""One active operator: a Lease that is taken before any work, and renewed while it goes on.

Whoever could not renew it in time starts nothing and writes nothing, without asking anybody:
a frozen process that wakes up looks at its own clock before each write. Whoever sees
another holder ends at once; what it has begun is taken up by the other.

Source of the numbers: those of client-go are 15, 10 and 2 s; these are twice as patient, as
a hand-over in half a minute is soon enough for images.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from cyroid_images.errors import ApiUnavailable
from cyroid_images.model.lease import Lease
from cyroid_images.plan.leading import Claim, claim

_log = logging.getLogger(__name__)

DEADLINE = 30 / 35
"""Of the duration: not renewed for so long, we write nothing; others wait longer than that."""
RETRY = 5 / 35
"""Of the duration: between two renewals, and between two looks of who waits."""
RELEASE_SECONDS = 3.0
"""For giving it back: a process that ends waits no longer for an API server that hangs."""


class Leases(Protocol):
    """The Lease in the operator's own namespace."""

    async def lease(self) -> Lease | None:
        """None: there is none. Raises ApiUnavailable."""
        ...

    async def put_lease(self, lease: Lease) -> Lease | None:
        """Write it, if it is still at this version; None: somebody was faster."""
        ...


class Leadership:
    """Of this process; used from the event loop only."""

    def __init__(
        self,
        leases: Leases,
        me: str,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`me` tells this process from all others; `seconds` is the duration of the Lease."""
        self._leases = leases
        self._me = me
        self._seconds = seconds
        self._clock = clock
        self._held: Lease | None = None
        self._renewed = -math.inf
        self.has_tried = False
        """Was the Lease seen at all? An idle second operator is ready from then on."""

    @property
    def lease(self) -> Lease | None:
        """What we hold, as it was last written."""
        return self._held

    def may_act(self) -> bool:
        """Is the Lease ours for sure, by our own clock?"""
        return self._clock() - self._renewed < self._seconds * DEADLINE

    def age(self) -> float:
        """Seconds since the Lease was last taken or renewed; 0 while it is not ours."""
        return 0.0 if self._renewed == -math.inf else self._clock() - self._renewed

    async def take(self) -> None:
        """Wait until it is ours."""
        last, since, told = None, self._clock(), ""
        while True:
            try:
                seen = await self._leases.lease()
                self.has_tried = True
                now = self._clock()
                if seen != last:
                    last, since = seen, now
                if claim(seen, self._me, now - since) is not Claim.WAIT:
                    if await self._write(seen):
                        return
                elif seen is not None and told != seen.holder:
                    told = seen.holder
                    _log.info("waiting for the Lease: %s holds it", told)
            except ApiUnavailable as exc:
                _log.warning("cannot take the Lease: %s; will retry", exc)
            await asyncio.sleep(self._seconds * RETRY)

    async def keep(self, lost: Callable[[str], None]) -> None:
        """Renew it for ever; `lost` is called, once, when somebody else holds it."""
        while True:
            await asyncio.sleep(self._seconds * RETRY)
            try:
                if await self._renew():
                    continue
                seen = await self._leases.lease()
            except ApiUnavailable as exc:
                _log.warning("cannot renew the Lease: %s; will retry", exc)
                continue
            except Exception:  # whatever it was, the next try is worth more than the end
                _log.exception("cannot renew the Lease; will retry")
                continue
            if claim(seen, self._me, 0.0) is Claim.WAIT:
                self._renewed = -math.inf
                lost(seen.holder if seen else "")
                return
            self._held = seen  # ours at another version, or gone: written by the next turn

    async def release(self) -> None:
        """Give it back, so that the next operator need not wait; best effort."""
        held, self._renewed = self._held, -math.inf
        if held is None or held.holder != self._me:
            return
        self._held = None
        try:
            async with asyncio.timeout(RELEASE_SECONDS):
                await self._give_back(held)
        except TimeoutError:
            _log.info("did not release the Lease: no answer for %.0f s", RELEASE_SECONDS)
        except ApiUnavailable as exc:
            _log.info("did not release the Lease: %s", exc)

    async def _give_back(self, held: Lease) -> None:
        if await self._leases.put_lease(replace(held, holder="")) is None:
            # A renewal that was cut on its way to the API server has arrived all the same.
            seen = await self._leases.lease()
            if seen is not None and seen.holder == self._me:
                await self._leases.put_lease(replace(seen, holder=""))

    async def _renew(self) -> bool:
        """Write our claim; before that, after a silence, see whether it is ours still."""
        if not self.may_act():
            self._held = await self._leases.lease()
            if claim(self._held, self._me, 0.0) is Claim.WAIT:
                return False
        return await self._write(self._held)

    async def _write(self, seen: Lease | None) -> bool:
        """Write it as ours; good from the moment before it was sent."""
        began = self._clock()
        base = seen or Lease("", 0, "", 0, "")
        is_new = base.holder != self._me
        mine = replace(
            base,
            holder=self._me,
            seconds=math.ceil(self._seconds),
            transitions=base.transitions + (1 if is_new and seen is not None else 0),
        )
        written = await self._leases.put_lease(mine)
        if written is None:
            return False
        self._held, self._renewed = written, began
        return True
