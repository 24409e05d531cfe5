"""The bytes of one blob, going on where a connection broke: no byte twice, one hash for all.

Only of an upstream (see `retry.py`). What a range request brings is proven like the
rest: by the digest of the whole, in `streams.verified`. Source of the rule when to go on:
containers/image, `docker/body_reader.go`; of the form: RFC 9110, "Range Requests".
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from cyroid_images.errors import Reason, TransferError
from cyroid_images.registry.connection import Connection, Incoming
from cyroid_images.registry.errors import is_foreign
from cyroid_images.registry.transport import RegistryRequest
from cyroid_images.scheduling.cancel_scope import CancelScope

PROGRESS = 1024 * 1024
"""Bytes that a connection has to bring to be worth another one at once."""
IDLE_SECONDS = 60.0
"""After so long another connection is tried even if the last one brought less."""
MOST_IDLE = 3
"""Times in a row: a blob that never comes must not hold a thread for ever."""

_RANGE = re.compile(r"bytes ([0-9]{1,18})-[0-9]{1,18}/(?:([0-9]{1,18})|\*)", re.ASCII)


@contextlib.contextmanager
def downloading(
    connection: Connection, request: RegistryRequest, size: int, scope: CancelScope
) -> Iterator[Iterator[bytes]]:
    """The bytes, connected for as long as the `with`; raises at the headers for what is not it."""
    with contextlib.ExitStack() as held:
        yield _Download(connection, request, size, scope, held).chunks()


class _Download:
    """One blob on its way, over one connection after the other."""

    def __init__(
        self,
        connection: Connection,
        request: RegistryRequest,
        size: int,
        scope: CancelScope,
        held: contextlib.ExitStack,
    ) -> None:
        self._connection = connection
        self._request = request
        self._size = size
        self._scope = scope
        self._held = held
        self._done = 0
        self._is_first = True
        self._idle = 0
        self._since = (0, 0.0)
        """Bytes and moment of the last resume."""

    def chunks(self) -> Iterator[bytes]:
        incoming = self._open(self._request)
        self._check_whole(incoming)
        return self._all(incoming.chunks())

    def _all(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        while True:
            try:
                for chunk in chunks:
                    self._done += len(chunk)
                    yield chunk
            except TransferError as exc:
                if self._is_lost(exc):
                    cause = "registry reports its size but sends no data"
                    raise self._bad(Reason.BLOB_MISSING, cause) from exc
                if not self._may_go_on(exc):
                    raise
            else:
                return
            if self._done >= self._size:
                return  # cut behind its last byte
            chunks = self._rest()

    def _is_lost(self, exc: TransferError) -> bool:
        """So distribution 2.8 behaves whose memory of a blob outlives the blob (#3743)."""
        is_cut = exc.reason is Reason.TRANSFER_INTERRUPTED
        return is_cut and self._done == 0 and self._connection.retry is None

    def _may_go_on(self, exc: TransferError) -> bool:
        """The first break is forgiven, then progress decides, or time."""
        retry = self._connection.retry
        if retry is None or exc.reason not in (Reason.TRANSFER_INTERRUPTED, Reason.TIMEOUT):
            return False
        (done, moment), now = self._since, retry.clock()
        is_idle = self._done - done < PROGRESS
        self._idle = self._idle + 1 if is_idle else 0
        # A stall has cost `stall_seconds` already: that is not spent again for nothing.
        may_be_idle = exc.reason is Reason.TRANSFER_INTERRUPTED and self._idle <= MOST_IDLE
        is_due = self._is_first or now - moment >= IDLE_SECONDS
        self._is_first, self._since = False, (self._done, now)
        return not is_idle or (may_be_idle and is_due)

    def _rest(self) -> Iterator[bytes]:
        """What is missing, over a new connection."""
        headers = {**self._request.headers, "Range": f"bytes={self._done}-"}
        request = replace(self._request, headers=headers)
        incoming = self._open(request)
        if incoming.status != 206:
            self._check_whole(incoming)
            return _without(incoming.chunks(), self._done)
        begins, total = _range_of(incoming)
        if begins != self._done or total not in (None, self._size):
            raise self._bad(Reason.PROTOCOL_ERROR, "response is another byte range")
        return incoming.chunks()

    def _open(self, request: RegistryRequest) -> Incoming:
        self._held.close()
        return self._held.enter_context(self._connection.stream(request, self._scope))

    def _check_whole(self, incoming: Incoming) -> None:
        """Refuse at the headers what cannot be the blob."""
        if incoming.status != 200:
            response = self._connection.rest(incoming, self._scope)
            if response.status == 404 and not is_foreign(response):
                raise self._bad(Reason.BLOB_MISSING, "not in the registry")
            raise self._connection.refused(self._request, response)
        said = incoming.headers.get("content-length", "")
        if said.isascii() and said.isdigit() and int(said) != self._size:
            cause = f"{said} bytes instead of {self._size}"
            raise self._bad(Reason.BLOB_MISSING, cause)

    def _bad(self, reason: Reason, cause: str) -> TransferError:
        return TransferError(reason, f"{self._connection.told(self._request)}: {cause}")


def _range_of(incoming: Incoming) -> tuple[int, int | None]:
    """First byte and total of a partial answer; (-1, None) for what says neither."""
    found = _RANGE.fullmatch(incoming.headers.get("content-range", ""))
    if found is None:
        return -1, None
    return int(found[1]), int(found[2]) if found[2] else None


def _without(chunks: Iterable[bytes], count: int) -> Iterator[bytes]:
    """The bytes after the first `count`, of a server that knows no ranges."""
    for chunk in chunks:
        dropped = min(count, len(chunk))
        count -= dropped
        if dropped < len(chunk):
            yield chunk[dropped:]
