"""One request to a registry and its answer: bounded, translated, cuttable.

Each call has a connection of its own, under its own cancellation from the first byte on.
A pool would save a millisecond and cost the rule that a cut ends exactly one call:
httpx tells of a socket only when it is new. It also means that nothing is left open.
"""

from __future__ import annotations

import contextlib
import ssl
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import httpx

from cyroid_images import sockets
from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.cancellation import Cancellation
from cyroid_images.model.registry import RegistryEndpoint
from cyroid_images.registry.answers import Answer, Kind, refusal
from cyroid_images.registry.auth import ONCE, SCOPES, RegistryAuth
from cyroid_images.registry.failures import translated
from cyroid_images.registry.patience import Patience, pause_after_answer, pause_after_failure
from cyroid_images.registry.upstream import UpstreamRules

SMALL = 64 * 1024
"""Bytes of an answer that is no manifest and no blob: errors and tokens."""

WHOLE_SECONDS = 30.0
"""For all of a small answer: a body that drips must not hold a thread for longer."""

_SENT_ON = ("Accept-Encoding", "User-Agent", "Range")
"""What a storage host is told of a request: nothing of who asks."""

_ROUNDS = 3
"""Requests for one answer: asked, token, asked again."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A request as a value: what it does in words, and what to send."""

    act: str
    """Verb and object ("read manifest library/nginx:1"): the first half of any message."""
    method: str
    url: str | httpx.URL
    scopes: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | Iterable[bytes] | None = None
    kind: Kind = Kind.READ
    may_be_elsewhere: bool = False
    """A blob, which an upstream may keep at a storage host: a redirect there is followed."""
    answer_seconds: float | None = None
    """How long the registry may think, where that is not the usual."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """An answer whose body is still to come; it lives as long as its connection."""

    status: int
    headers: Mapping[str, str]
    url: httpx.URL
    chunks: Iterator[bytes]


class Connection:
    """How to reach one endpoint: address, trust, credentials and patience."""

    def __init__(
        self,
        endpoint: RegistryEndpoint,
        *,
        answer_seconds: float,
        stall_seconds: float,
        rules: UpstreamRules | None,
    ) -> None:
        self._endpoint = endpoint
        self._answer_seconds = answer_seconds
        self._stall_seconds = stall_seconds
        token_hosts = rules.token_hosts if rules else frozenset()
        self._auth = RegistryAuth(endpoint, token_hosts, time.monotonic)
        self._rules = rules
        self._needs_tls = endpoint.url.startswith("https://") or rules is not None
        self._trust: ssl.SSLContext | None = None

    @property
    def patience(self) -> Patience | None:
        """How to bear with an upstream; None: asked once."""
        return self._rules.patience if self._rules else None

    def answer(self, ask: Ask, cancellation: Cancellation, *, most: int = SMALL) -> Answer:
        """The whole answer, whatever its status; more than `most` bytes is ProtocolError."""
        ends = time.monotonic() + WHOLE_SECONDS
        with self.stream(ask, cancellation) as incoming:
            if incoming.status >= 300:
                return self.rest(incoming, cancellation)
            content = bytearray()
            for chunk in incoming.chunks:
                content += chunk
                if len(content) > most:
                    cause = f"the answer is longer than {most} bytes"
                    raise TransferError(Reason.PROTOCOL_ERROR, f"{self.told(ask)}: {cause}")
                if time.monotonic() > ends:
                    cause = f"the answer took longer than {WHOLE_SECONDS:.0f} s"
                    raise TransferError(Reason.TIMEOUT, f"{self.told(ask)}: {cause}")
            return Answer(incoming.status, incoming.headers, bytes(content))

    @contextlib.contextmanager
    def stream(self, ask: Ask, cancellation: Cancellation) -> Iterator[Incoming]:
        """The answer as soon as its headers are there; connected for as long as the `with`."""
        cancellation.raise_if_cancelled()
        act = self.told(ask)
        with contextlib.ExitStack() as stack:
            with translated(act, cancellation, answered=False):
                http = stack.enter_context(self._client())
                response = self._asked(http, ask, cancellation)
            stack.callback(response.close)
            chunks = self._chunks(response, act, cancellation)
            yield Incoming(response.status_code, response.headers, response.request.url, chunks)

    def rest(self, incoming: Incoming, cancellation: Cancellation) -> Answer:
        """A refusal with as much of its text as came: its status counts, whatever its body does."""
        ends = time.monotonic() + WHOLE_SECONDS
        content = bytearray()
        with contextlib.suppress(TransferError):
            for chunk in incoming.chunks:
                content += chunk
                if len(content) > SMALL or time.monotonic() > ends:
                    break
        cancellation.raise_if_cancelled()
        return Answer(incoming.status, incoming.headers, bytes(content[:SMALL]))

    def refused(self, ask: Ask, answer: Answer) -> TransferError:
        """What an answer means that is not the one hoped for."""
        return refusal(self.told(ask), answer, ask.kind)

    def told(self, ask: Ask) -> str:
        """ "<verb> <what> at <host>": the first half of a message."""
        return f"{ask.act} at {self._endpoint.host}"

    def url_of(self, ask: Ask) -> httpx.URL:
        """The absolute URL that an ask goes to."""
        return httpx.URL(self._endpoint.url).join(ask.url)

    def forget(self) -> None:
        """Drop what was learned: tokens."""
        self._auth.forget()

    def _client(self) -> httpx.Client:
        return sockets.client(
            self._endpoint.url, read_seconds=self._answer_seconds, tls=self._context()
        )

    def _context(self) -> ssl.SSLContext:
        """Made once: reading the CAs of the system takes longer than a request."""
        if self._trust is None:
            self._trust = (
                ssl.create_default_context(cadata=self._endpoint.ca)
                if self._needs_tls
                else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # trusts nobody
            )
        return self._trust

    def _asked(self, http: httpx.Client, ask: Ask, cancellation: Cancellation) -> httpx.Response:
        """The answer's headers; of an upstream that was only busy, those of a later try."""
        for planned in self._pauses(ask):
            try:
                response = self._asked_once(http, ask, cancellation)
            except (httpx.HTTPError, TransferError) as exc:
                cancellation.raise_if_cancelled()
                pause = pause_after_failure(exc, planned)
                if pause is None:
                    raise
            else:
                pause = pause_after_answer(response, planned)
                if pause is None:
                    return response
                response.close()
            if self.patience:
                self.patience.wait(pause, cancellation)
        return self._asked_once(http, ask, cancellation)

    def _pauses(self, ask: Ask) -> tuple[float, ...]:
        """Only what reads is asked again."""
        if self.patience is None or ask.kind is not Kind.READ or ask.content is not None:
            return ()
        return self.patience.pauses

    def _asked_once(
        self, http: httpx.Client, ask: Ask, cancellation: Cancellation
    ) -> httpx.Response:
        response = self._converse(http, ask, cancellation)
        return _followed(http, response) if ask.may_be_elsewhere and self._rules else response

    def _converse(self, http: httpx.Client, ask: Ask, cancellation: Cancellation) -> httpx.Response:
        """Drives the authentication, so that even its answers are bounded (httpx reads all)."""
        request = self._request(http, ask, cancellation)
        flow = self._auth.auth_flow(request)
        current = next(flow)
        for _ in range(_ROUNDS):
            response = http.send(current, stream=True, auth=httpx.Auth(), follow_redirects=False)
            if current is not request or response.status_code == 401:
                response = _held(response)
            try:
                current = flow.send(response)
            except StopIteration:
                return response
        raise TransferError(Reason.UNAUTHORIZED, f"{self.told(ask)}: authentication goes in rings")

    def _request(self, http: httpx.Client, ask: Ask, cancellation: Cancellation) -> httpx.Request:
        extensions = sockets.under(cancellation)
        extensions[SCOPES] = ask.scopes
        extensions[ONCE] = not (ask.content is None or isinstance(ask.content, bytes))
        patience = httpx.Timeout(
            ask.answer_seconds or self._answer_seconds,
            connect=sockets.CONNECT_SECONDS,
            write=self._stall_seconds,
        )
        return http.build_request(
            ask.method,
            ask.url,
            content=ask.content,
            headers={"Accept-Encoding": "identity", "User-Agent": "cyroid-images", **ask.headers},
            timeout=patience,
            extensions=extensions,
        )

    def _chunks(
        self, response: httpx.Response, act: str, cancellation: Cancellation
    ) -> Iterator[bytes]:
        """The body as it stands on the wire: decoding would change its digest."""
        # From here on only a stall counts; httpcore reads this entry when the body begins.
        response.request.extensions["timeout"]["read"] = self._stall_seconds
        with translated(act, cancellation, answered=True):
            if response.is_stream_consumed:
                yield response.content
            else:
                yield from response.iter_raw()
        # Without a Content-Length our own cut looks like a proper end.
        cancellation.raise_if_cancelled()


def _followed(http: httpx.Client, response: httpx.Response) -> httpx.Response:
    """One step, over https, without our credentials; any other redirect stays an answer."""
    try:
        there = response.request.url.join(response.headers.get("location", ""))
    except (httpx.InvalidURL, ValueError):
        return response
    if response.status_code not in (302, 303, 307, 308) or there.scheme != "https":
        return response
    response.close()
    request = response.request
    headers = {name: request.headers[name] for name in _SENT_ON if name in request.headers}
    asked = httpx.Request("GET", there, headers=headers, extensions=request.extensions)
    return http.send(asked, stream=True, auth=httpx.Auth(), follow_redirects=False)


def _held(response: httpx.Response) -> httpx.Response:
    """The same answer with the first SMALL bytes of its body read and the rest dropped."""
    ends = time.monotonic() + WHOLE_SECONDS
    content = bytearray()
    try:
        for chunk in response.iter_raw():
            content += chunk
            if len(content) > SMALL or time.monotonic() > ends:
                break
    finally:
        response.close()
    headers = httpx.Headers(response.headers)
    for name in ("content-encoding", "content-length", "transfer-encoding"):
        headers.pop(name, None)
    return httpx.Response(
        response.status_code,
        headers=headers,
        content=bytes(content[:SMALL]),
        request=response.request,
    )
