"""An engine that answers one recorded or invented body to everything, without a socket."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import httpx

from cyroid_images.engine.dialling import Dialler
from cyroid_images.engine.streams import Wire
from cyroid_images.model.engine import EngineEndpoint
from cyroid_images.scheduling.cancel_scope import NEVER


class Playback(Dialler):
    """A Dialler whose clients are answered with these chunks; `cut` breaks the connection."""

    def __init__(self, chunks: Iterable[bytes], *, status: int = 200, cut: bool = False) -> None:
        super().__init__(EngineEndpoint("tcp://192.0.2.1:2375"))
        self.requests: list[httpx.Request] = []
        self._chunks, self._status, self._cut = chunks, status, cut

    def client(
        self,
        read_seconds: float,  # noqa: ARG002 - nothing is slow here
        *,
        is_probed: bool = False,  # noqa: ARG002 - nor gone
    ) -> httpx.Client:
        return httpx.Client(base_url="http://engine", transport=httpx.MockTransport(self._answer))

    def wire(self) -> Wire:
        """What a stream is sent over."""
        return Wire(self, NEVER, httpx.Timeout(5))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        return httpx.Response(self._status, content=self._body())

    def _body(self) -> Iterator[bytes]:
        yield from self._chunks
        if self._cut:
            raise httpx.RemoteProtocolError("peer closed connection (incomplete chunked read)")
