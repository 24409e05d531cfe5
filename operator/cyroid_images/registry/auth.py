"""Authentication to a registry: Basic to its own host, Bearer tokens by challenge.

A generator in the form of httpx.Auth: it yields requests and is sent answers, and does
no I/O itself. Two rules guard the credentials: Basic goes to the endpoint's own host
only, and a token is fetched only from that host or, over https, from a declared token
host (distribution CVE-2026-33540); a token host of an endpoint that is plain http may be
plain, too. To any other realm nothing is sent at all.
Source of the flow: distribution, spec/auth/token.md.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any

import httpx

from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.registry import Credentials, RegistryEndpoint
from cyroid_images.registry.errors import RegistryResponse, RequestKind, clean, refusal

SCOPES = "cyroid.scopes"
"""Key in a request's extensions: a tuple of `repository:<path>:<actions>`."""
ONCE = "cyroid.once"
"""Key in a request's extensions: its body is a stream and cannot be sent again."""

_PARAMETER = re.compile(r'([a-zA-Z_]+)="([^"]*)"')
_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]{1,16384}", re.ASCII)
_KEPT = ("timeout", "trace")
"""Extensions that a token request shares with the request it is for: bounds and cut."""
_SPARE = 10.0
"""Seconds before its end when a token is no longer used: it must last for the request."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a 401 asks for: the scheme in lower case and, for Bearer, where to get a token."""

    scheme: str
    realm: str = ""
    service: str = ""


@dataclass(frozen=True, slots=True)
class _Token:
    value: str = field(repr=False)
    ends: float


class RegistryAuth(httpx.Auth):
    """The authentication of one endpoint; tokens are kept per set of scopes."""

    requires_response_body = True

    def __init__(
        self,
        endpoint: RegistryEndpoint,
        token_hosts: frozenset[str],
        clock: Callable[[], float],
    ) -> None:
        self._endpoint = endpoint
        self._token_hosts = token_hosts
        self._clock = clock
        self._tokens: dict[tuple[str, ...], _Token] = {}
        self._is_bearer = False

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send the request with what we have; after one Bearer challenge, once more."""
        scopes: tuple[str, ...] = request.extensions.get(SCOPES, ())
        self._authorize(request, scopes)
        answer = yield request
        challenge = challenge_of(answer)
        if challenge is None or challenge.scheme != "bearer":
            return
        self._is_bearer = True
        self._tokens.pop(scopes, None)
        if request.extensions.get(ONCE):
            return
        granted = yield self._token_request(request, challenge, scopes)
        self._tokens[scopes] = self._read_token(granted)
        self._authorize(request, scopes)
        yield request

    def forget(self) -> None:
        """Drop every token."""
        self._tokens.clear()

    def _authorize(self, request: httpx.Request, scopes: tuple[str, ...]) -> None:
        request.headers.pop("Authorization", None)
        if address_of(request.url) != address_of(httpx.URL(self._endpoint.url)):
            return
        token = self._tokens.get(scopes)
        if token and self._clock() < token.ends:
            request.headers["Authorization"] = f"Bearer {token.value}"
        elif self._endpoint.credentials and not self._is_bearer:
            request.headers["Authorization"] = _basic(self._endpoint.credentials)

    def _token_request(
        self, request: httpx.Request, challenge: Challenge, scopes: tuple[str, ...]
    ) -> httpx.Request:
        """The question for a token, for our own scopes: the challenge may not widen them."""
        realm = self._trusted(challenge.realm)
        parameters: list[tuple[str, str | int | float | bool | None]] = [
            *realm.params.multi_items(),
            *(("scope", scope) for scope in scopes),
        ]
        if challenge.service:
            parameters.append(("service", challenge.service))
        kept: dict[str, Any] = {
            key: value for key, value in request.extensions.items() if key in _KEPT
        }
        asked = httpx.Request(
            "GET",
            realm.copy_with(params=parameters),
            headers={"Accept-Encoding": "identity"},
            extensions=kept,
        )
        if self._endpoint.credentials:
            asked.headers["Authorization"] = _basic(self._endpoint.credentials)
        return asked

    def _trusted(self, text: str) -> httpx.URL:
        """The realm as URL, or UntrustedTokenRealm; nothing was sent to it yet."""
        try:
            realm = httpx.URL(text)
        except (httpx.InvalidURL, ValueError):
            realm = httpx.URL("")
        is_own = address_of(realm) == address_of(httpx.URL(self._endpoint.url))
        # Whoever writes `insecure` has said that passwords may go without TLS.
        is_plain = self._endpoint.url.startswith("http://") and realm.scheme == "http"
        may_be_asked = realm.scheme == "https" or is_plain
        is_declared = may_be_asked and bool(_names(realm) & self._token_hosts)
        if realm.userinfo or not (is_own or is_declared):
            where = clean(f"{realm.scheme}://{realm.host}") if realm.host else "no address"
            raise TransferError(
                Reason.UNTRUSTED_TOKEN_REALM,
                f"get a token for {self._endpoint.host}: its realm is {where}, which is neither"
                " this registry nor a declared token host over https; nothing was sent",
            )
        return realm

    def _read_token(self, granted: httpx.Response) -> _Token:
        """The token of a token server's answer; its lifetime is 60 s unless it says more."""
        act = f"get a token for {self._endpoint.host}"
        if granted.status_code != 200:
            response = RegistryResponse(granted.status_code, granted.headers, granted.content)
            raise refusal(act, response, RequestKind.READ)
        try:
            document = json.loads(granted.content)
            value = str(document.get("token") or document["access_token"])
            seconds = float(document.get("expires_in") or 60)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            value, seconds = "", 0.0
        if not _TOKEN.fullmatch(value):
            raise TransferError(Reason.PROTOCOL_ERROR, f"{act}: response has no token")
        return _Token(value, self._clock() + max(seconds - _SPARE, 1.0))


def challenge_of(answer: httpx.Response) -> Challenge | None:
    """The challenge of a 401; None for every other answer."""
    if answer.status_code != 401:
        return None
    scheme, _, rest = answer.headers.get("www-authenticate", "").partition(" ")
    found = {name.lower(): value for name, value in _PARAMETER.findall(rest[:4096])}
    return Challenge(scheme.lower(), found.get("realm", ""), found.get("service", ""))


def _basic(credentials: Credentials) -> str:
    pair = httpx.BasicAuth(credentials.username, credentials.password)
    return str(next(pair.auth_flow(httpx.Request("GET", "http://-/"))).headers["Authorization"])


def address_of(url: httpx.URL) -> tuple[str, str, int | None]:
    """Scheme, host and port, a default port written out: where a URL leads."""
    default = {"https": 443, "http": 80}.get(url.scheme)
    return url.scheme, url.host, url.port or default


def _names(url: httpx.URL) -> frozenset[str]:
    """Host and port as a declaration may write them; a bare host means the default port."""
    default = 80 if url.scheme == "http" else 443
    port = url.port or default
    bare = {url.host} if port == default else set()
    return frozenset({f"{url.host}:{port}", *bare})
