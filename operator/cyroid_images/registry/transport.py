"""The requests of one call: who we are, a token if one is asked for, where we are sent on.

Each request has a deadline until its head is there, however the peer keeps the connection
busy: a flood of 1xx, a header that drips, a body of ours that it does not take.

Only an upstream may send a reader on, to a storage host or to another registry: over https
(by plain http only if the cache says that of the upstream itself), at most MOST_HOPS
times, without our credentials, and never to an address that is less public than its own.
What comes from there is proven like the rest, by digest. The form is that of docker and
containers/image, which follow such redirects, too.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import httpx

from cyroid_images import sockets
from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.registry import RegistryEndpoint
from cyroid_images.registry.auth import ONCE, SCOPES, RegistryAuth, address_of
from cyroid_images.registry.dial_policy import DialPolicy
from cyroid_images.registry.errors import RequestKind
from cyroid_images.registry.retry import RetryPolicy
from cyroid_images.registry.upstream import UpstreamRules
from cyroid_images.scheduling.cancel_scope import CancelScope

SMALL = 64 * 1024
"""Bytes of a response that is no manifest and no blob: errors and tokens."""
MOST_HOPS = 3
"""`lscr.io` leads to `ghcr.io`, which leads to its storage; one to spare."""

_ROUNDS = 3
"""Requests for one response: asked, token, asked again."""
_SENT_ON = ("Accept", "Accept-Encoding", "User-Agent", "Range")
"""What another host is told of a request: nothing of who asks."""


@dataclass(frozen=True, slots=True)
class RegistryRequest:
    """A request as a value: what it does in words, and what to send."""

    act: str
    """Verb and object ("read manifest library/nginx:1"): the first half of any message."""
    method: str
    url: str | httpx.URL
    scopes: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | Iterable[bytes] | None = None
    kind: RequestKind = RequestKind.READ
    may_be_elsewhere: bool = False
    """A manifest or a blob, which an upstream may have at another host."""
    answer_seconds: float | None = None
    """How long the registry may think, where that is not the usual."""

    @property
    def streams(self) -> bool:
        """Is its body made on the way? Then it can be sent once only."""
        return not (self.content is None or isinstance(self.content, bytes))


@dataclass(frozen=True, slots=True)
class ClientConfig:
    """How one endpoint is spoken to."""

    endpoint: RegistryEndpoint
    auth: RegistryAuth
    rules: UpstreamRules | None
    answer_seconds: float
    """Until the head of a response is there."""
    stall_seconds: float
    """Until the next bytes of a body, in either direction."""

    @property
    def whole_seconds(self) -> float:
        """For all of a small body, and what tries, tokens and hops may take beyond one answer."""
        return 2 * self.answer_seconds


class Transport:
    """One call's requests, over a client of its own; the scope is the call's alone."""

    def __init__(
        self,
        http: httpx.Client,
        config: ClientConfig,
        request: RegistryRequest,
        act: str,
        scope: CancelScope,
    ) -> None:
        self._http = http
        self._config = config
        self._request = request
        self._act = act
        self._scope = scope
        self._dial_policy = DialPolicy(act)
        self._answer_seconds = request.answer_seconds or config.answer_seconds
        spare = math.inf if request.streams else self._answer_seconds + config.whole_seconds
        self._ends = time.monotonic() + spare

    def send(self) -> httpx.Response:
        """The head of the response; its body is still to come."""
        request = self._first()
        if self._config.rules:
            request.extensions["trace"] = self._dial_policy.named(request.extensions["trace"])
        response = self._authorized(request, self._config.auth)
        if not (self._config.rules and self._request.may_be_elsewhere):
            return response
        for _ in range(MOST_HOPS):
            there = self._sent_on_to(response)
            if there is None:
                break
            response.close()
            response = self._authorized(self._onward(response, there), self._auth_for(there))
        return response

    def raise_if_cancelled(self) -> None:
        """Raise why the call was cut, if it was."""
        self._scope.raise_if_cancelled()

    def pause(self, retry: RetryPolicy, seconds: float) -> None:
        """Wait before another try, within the time of the call."""
        self._expect_head(math.inf)
        retry.wait(seconds, self._scope)

    def _authorized(self, request: httpx.Request, auth: RegistryAuth) -> httpx.Response:
        """Drives the authentication, so that even its responses are bounded (httpx reads all)."""
        flow = auth.auth_flow(request)
        current = next(flow)
        for _ in range(_ROUNDS):
            self._expect_head(self._answer_seconds)
            response = self._http.send(
                current, stream=True, auth=httpx.Auth(), follow_redirects=False
            )
            if current is not request or response.status_code == 401:
                self._expect_head(self._answer_seconds)
                response = _held(response)
            try:
                current = flow.send(response)
            except StopIteration:
                return response
        cause = "authentication loop: still 401 after a new token"
        raise TransferError(Reason.UNAUTHORIZED, f"{self._act}: {cause}")

    def _expect_head(self, seconds: float) -> None:
        """The next head has to be there in so many seconds, or when the call's time is over."""
        left = min(seconds, max(self._ends - time.monotonic(), 0.0))
        cause = f"no response within {left:.3g} s"
        late = TransferError(Reason.REGISTRY_UNREACHABLE, f"{self._act}: {cause}")
        self._scope.postpone(left, late)

    def _first(self) -> httpx.Request:
        asked = self._request
        extensions = sockets.under(self._scope)
        extensions[SCOPES] = asked.scopes
        extensions[ONCE] = asked.streams
        content = asked.content
        if content is not None and not isinstance(content, bytes):
            content = self._paced(content)
        return self._http.build_request(
            asked.method,
            asked.url,
            content=content,
            headers={"Accept-Encoding": "identity", "User-Agent": "cyroid-images", **asked.headers},
            extensions=extensions,
        )

    def _paced(self, content: Iterable[bytes]) -> Iterator[bytes]:
        """The same chunks: the registry has to take each in time, our source may think."""
        stall = self._config.stall_seconds
        cause = f"no data accepted for {stall:g} s"
        late = TransferError(Reason.TIMEOUT, f"{self._act}: {cause}")
        self._scope.postpone(math.inf)
        for chunk in content:
            self._scope.postpone(stall, late)
            yield chunk
            self._scope.postpone(math.inf)
        self._expect_head(self._answer_seconds)

    def _sent_on_to(self, response: httpx.Response) -> httpx.URL | None:
        """Where a reader is sent; None for what is no redirect, or not one to be followed."""
        if response.status_code not in (301, 302, 303, 307, 308):
            return None
        try:
            there = response.request.url.join(response.headers.get("location", ""))
        except (httpx.InvalidURL, ValueError):
            return None
        schemes = {"https", httpx.URL(self._config.endpoint.url).scheme}
        return there if there.scheme in schemes and there.host and not there.userinfo else None

    def _onward(self, response: httpx.Response, there: httpx.URL) -> httpx.Request:
        """The same request to another host, without credentials."""
        asked = response.request
        least = self._dial_policy.reached(asked.url.raw_host.decode("ascii"))
        extensions = dict(self._first().extensions)
        extensions["trace"] = self._dial_policy.led_to(extensions["trace"], least)
        headers = {name: asked.headers[name] for name in _SENT_ON if name in asked.headers}
        return httpx.Request(asked.method, there, headers=headers, extensions=extensions)

    def _auth_for(self, there: httpx.URL) -> RegistryAuth:
        """Our own only for the endpoint itself; no other host gets credentials."""
        if address_of(there) == address_of(httpx.URL(self._config.endpoint.url)):
            return self._config.auth
        nobody = RegistryEndpoint(str(there.copy_with(raw_path=b"/")))
        tokens = self._config.rules.token_hosts if self._config.rules else frozenset()
        return RegistryAuth(nobody, tokens, time.monotonic)


def _held(response: httpx.Response) -> httpx.Response:
    """The same response with the first SMALL bytes of its body read and the rest dropped."""
    content = bytearray()
    try:
        for chunk in response.iter_raw():
            content += chunk
            if len(content) > SMALL:
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
