"""What is said for one answer: who we are, a token if one is asked for, where we are sent on.

Only an upstream may send a reader on, to a storage host or to another registry: over https
(by plain http only if the cache says that of the upstream itself), at most MOST_HOPS
times, without our credentials, and never to an address that is less public than its own.
What comes from there is proven like the rest, by digest. The form is that of docker and
containers/image, which follow such redirects, too.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import httpx

from cyroid_images import sockets
from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.cancellation import Cancellation
from cyroid_images.model.registry import RegistryEndpoint
from cyroid_images.registry.answers import Kind
from cyroid_images.registry.auth import ONCE, SCOPES, RegistryAuth, address_of
from cyroid_images.registry.doors import Doors
from cyroid_images.registry.upstream import UpstreamRules

SMALL = 64 * 1024
"""Bytes of an answer that is no manifest and no blob: errors and tokens."""
WHOLE_SECONDS = 30.0
"""For all of a small answer: a body that drips must not hold a thread for longer."""
MOST_HOPS = 3
"""`lscr.io` leads to `ghcr.io`, which leads to its storage; one to spare."""

_ROUNDS = 3
"""Requests for one answer: asked, token, asked again."""
_SENT_ON = ("Accept", "Accept-Encoding", "User-Agent", "Range")
"""What another host is told of a request: nothing of who asks."""


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
    """A manifest or a blob, which an upstream may have at another host."""
    answer_seconds: float | None = None
    """How long the registry may think, where that is not the usual."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How one endpoint is spoken to."""

    endpoint: RegistryEndpoint
    auth: RegistryAuth
    rules: UpstreamRules | None
    answer_seconds: float
    stall_seconds: float


class Conversation:
    """One call's requests, over a client of its own."""

    def __init__(
        self, http: httpx.Client, manner: Manner, act: str, cancellation: Cancellation
    ) -> None:
        self._http = http
        self._manner = manner
        self._act = act
        self._cancellation = cancellation
        self._doors = Doors(act)

    def ask(self, ask: Ask) -> httpx.Response:
        """The answer's headers; its body is still to come."""
        request = self._request(ask)
        if self._manner.rules:
            request.extensions["trace"] = self._doors.named(request.extensions["trace"])
        response = self._converse(request, self._manner.auth)
        if not (self._manner.rules and ask.may_be_elsewhere):
            return response
        for _ in range(MOST_HOPS):
            there = self._sent_on_to(response)
            if there is None:
                break
            response.close()
            response = self._converse(self._onward(ask, response, there), self._auth_for(there))
        return response

    def _converse(self, request: httpx.Request, auth: RegistryAuth) -> httpx.Response:
        """Drives the authentication, so that even its answers are bounded (httpx reads all)."""
        flow = auth.auth_flow(request)
        current = next(flow)
        for _ in range(_ROUNDS):
            response = self._http.send(
                current, stream=True, auth=httpx.Auth(), follow_redirects=False
            )
            if current is not request or response.status_code == 401:
                response = _held(response)
            try:
                current = flow.send(response)
            except StopIteration:
                return response
        raise TransferError(Reason.UNAUTHORIZED, f"{self._act}: authentication goes in rings")

    def _request(self, ask: Ask) -> httpx.Request:
        extensions = sockets.under(self._cancellation)
        extensions[SCOPES] = ask.scopes
        extensions[ONCE] = not (ask.content is None or isinstance(ask.content, bytes))
        patience = httpx.Timeout(
            ask.answer_seconds or self._manner.answer_seconds,
            connect=sockets.CONNECT_SECONDS,
            write=self._manner.stall_seconds,
        )
        return self._http.build_request(
            ask.method,
            ask.url,
            content=ask.content,
            headers={"Accept-Encoding": "identity", "User-Agent": "cyroid-images", **ask.headers},
            timeout=patience,
            extensions=extensions,
        )

    def _sent_on_to(self, response: httpx.Response) -> httpx.URL | None:
        """Where a reader is sent; None for what is no redirect, or not one to be followed."""
        if response.status_code not in (301, 302, 303, 307, 308):
            return None
        try:
            there = response.request.url.join(response.headers.get("location", ""))
        except (httpx.InvalidURL, ValueError):
            return None
        schemes = {"https", httpx.URL(self._manner.endpoint.url).scheme}
        return there if there.scheme in schemes and there.host and not there.userinfo else None

    def _onward(self, ask: Ask, response: httpx.Response, there: httpx.URL) -> httpx.Request:
        """The same question to another host, with nothing of who asks."""
        asked = response.request
        least = self._doors.reached(asked.url.raw_host.decode("ascii"))
        extensions = dict(self._request(ask).extensions)
        extensions["trace"] = self._doors.led_to(extensions["trace"], least)
        headers = {name: asked.headers[name] for name in _SENT_ON if name in asked.headers}
        return httpx.Request(asked.method, there, headers=headers, extensions=extensions)

    def _auth_for(self, there: httpx.URL) -> RegistryAuth:
        """Our own only for the endpoint itself; elsewhere we are nobody."""
        if address_of(there) == address_of(httpx.URL(self._manner.endpoint.url)):
            return self._manner.auth
        nobody = RegistryEndpoint(str(there.copy_with(raw_path=b"/")))
        tokens = self._manner.rules.token_hosts if self._manner.rules else frozenset()
        return RegistryAuth(nobody, tokens, time.monotonic)


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
