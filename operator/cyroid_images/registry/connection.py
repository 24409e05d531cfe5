"""One request to a registry and its response: bounded, translated, cuttable.

Each call has a connection of its own, under its own scope from the first byte on.
A pool would save a millisecond and cost the rule that a cut ends exactly one call:
httpx tells of a socket only when it is new. It also means that nothing is left open.
"""

from __future__ import annotations

import contextlib
import math
import ssl
import time
from collections.abc import Iterator, Mapping

import httpx

from cyroid_images import sockets
from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.registry import RegistryEndpoint
from cyroid_images.model.telemetry.request_observer import RequestObserver
from cyroid_images.registry.auth import RegistryAuth
from cyroid_images.registry.errors import RegistryResponse, RequestKind, refusal, translated
from cyroid_images.registry.retry import (
    BUSY,
    OUR_OWN,
    RetryPolicy,
    jittered,
    pause_after_failure,
    pause_after_response,
)
from cyroid_images.registry.transport import SMALL, ClientConfig, RegistryRequest, Transport
from cyroid_images.registry.upstream import UpstreamRules
from cyroid_images.scheduling.cancel_scope import CancelScope


class Incoming:
    """A response whose body is still to come; it lives as long as its connection."""

    def __init__(
        self, response: httpx.Response, act: str, config: ClientConfig, scope: CancelScope
    ) -> None:
        self._response = response
        self._act = act
        self._config = config
        self._scope = scope

    @property
    def status(self) -> int:
        return self._response.status_code

    @property
    def headers(self) -> Mapping[str, str]:
        return self._response.headers

    def chunks(self) -> Iterator[bytes]:
        """The body of any length: each chunk in time, our own work between them is not timed."""
        stall = self._config.stall_seconds
        late = TransferError(Reason.TIMEOUT, f"{self._act}: no data for {stall:g} s")
        self._scope.postpone(stall, late)
        for chunk in self._raw():
            self._scope.postpone(math.inf)
            yield chunk
            self._scope.postpone(stall)

    def read(self, most: int) -> bytes:
        """A small body, the whole of it in time; ends with the chunk that makes it too long."""
        seconds = self._config.whole_seconds
        cause = f"response not complete after {seconds:g} s"
        self._scope.postpone(seconds, TransferError(Reason.TIMEOUT, f"{self._act}: {cause}"))
        content = bytearray()
        for chunk in self._raw():
            content += chunk
            if len(content) > most:
                break
        return bytes(content)

    def _raw(self) -> Iterator[bytes]:
        """The body as it stands on the wire: decoding would change its digest."""
        with translated(self._act, self._scope, answered=True):
            if self._response.is_stream_consumed:
                yield self._response.content
            else:
                yield from self._response.iter_raw()
        # Without a Content-Length our own cut looks like a proper end.
        self._scope.raise_if_cancelled()


class Connection:
    """How to reach one endpoint: address, trust, credentials and bounds."""

    def __init__(
        self,
        endpoint: RegistryEndpoint,
        *,
        answer_seconds: float,
        stall_seconds: float,
        rules: UpstreamRules | None,
        on_request: RequestObserver,
    ) -> None:
        token_hosts = rules.token_hosts if rules else frozenset()
        auth = RegistryAuth(endpoint, token_hosts, time.monotonic)
        self._config = ClientConfig(endpoint, auth, rules, answer_seconds, stall_seconds)
        self._needs_tls = endpoint.url.startswith("https://") or rules is not None
        self._trust: ssl.SSLContext | None = None
        self._on_request = on_request

    @property
    def retry(self) -> RetryPolicy | None:
        """When to ask an upstream again; None: this is our own registry."""
        return self._config.rules.retry if self._config.rules else None

    def answer(
        self, request: RegistryRequest, scope: CancelScope, *, most: int = SMALL
    ) -> RegistryResponse:
        """The whole response, whatever its status; more than `most` bytes is ProtocolError."""
        with self.stream(request, scope) as incoming:
            if incoming.status >= 300:
                return self.rest(incoming, scope)
            content = incoming.read(most)
            if len(content) > most:
                cause = f"response is larger than {most} bytes"
                raise TransferError(Reason.PROTOCOL_ERROR, f"{self.told(request)}: {cause}")
            return RegistryResponse(incoming.status, incoming.headers, content)

    @contextlib.contextmanager
    def stream(self, request: RegistryRequest, scope: CancelScope) -> Iterator[Incoming]:
        """The response as soon as its head is there; connected for as long as the `with`."""
        act = self.told(request)
        with contextlib.ExitStack() as stack:
            call = stack.enter_context(CancelScope(scope))
            with translated(act, call, answered=False):
                http = stack.enter_context(self._client())
                response = self._sent(Transport(http, self._config, request, act, call), request)
            call.postpone(math.inf)  # whoever reads the body sets its time
            stack.callback(response.close)
            yield Incoming(response, act, self._config, call)

    def rest(self, incoming: Incoming, scope: CancelScope) -> RegistryResponse:
        """A refusal with as much of its text as came: its status counts, whatever its body does."""
        content = b""
        with contextlib.suppress(TransferError):
            content = incoming.read(SMALL)
        scope.raise_if_cancelled()
        return RegistryResponse(incoming.status, incoming.headers, content[:SMALL])

    def refused(self, request: RegistryRequest, response: RegistryResponse) -> TransferError:
        """What a response means that is not the one hoped for."""
        return refusal(self.told(request), response, request.kind)

    def told(self, request: RegistryRequest) -> str:
        """ "<verb> <what> at <host>": the first half of a message."""
        return f"{request.act} at {self._config.endpoint.host}"

    def url_of(self, request: RegistryRequest) -> httpx.URL:
        """The absolute URL that a request goes to."""
        return httpx.URL(self._config.endpoint.url).join(request.url)

    def forget(self) -> None:
        """Drop what was learned: tokens."""
        self._config.auth.forget()

    def _client(self) -> httpx.Client:
        return sockets.client(
            self._config.endpoint.url, tls=self._context(), on_request=self._on_request
        )

    def _context(self) -> ssl.SSLContext:
        """Made once: reading the CAs of the system takes longer than a request."""
        if self._trust is None:
            self._trust = (
                sockets.trusting(self._config.endpoint.ca)
                if self._needs_tls
                else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # trusts nobody
            )
        return self._trust

    def _sent(self, transport: Transport, request: RegistryRequest) -> httpx.Response:
        """The head of the response; of who was only busy, that of a later try."""
        is_own, retry = self.retry is None, self.retry or OUR_OWN
        for planned in self._pauses(request):
            try:
                response = transport.send()
            except (httpx.HTTPError, TransferError) as exc:
                transport.raise_if_cancelled()
                pause = None if is_own else pause_after_failure(exc, planned)
                if pause is None:
                    raise
            else:
                is_final = is_own and response.status_code not in BUSY
                pause = None if is_final else pause_after_response(response, planned)
                if pause is None:
                    return response
                response.close()
            transport.pause(retry, pause)
        return transport.send()

    def _pauses(self, request: RegistryRequest) -> tuple[float, ...]:
        """Of an upstream only what reads is asked again; a stream cannot be sent again."""
        if self.retry is None:
            return () if request.streams else tuple(jittered(each) for each in OUR_OWN.pauses)
        if request.kind is not RequestKind.READ or request.content is not None:
            return ()
        return self.retry.pauses
