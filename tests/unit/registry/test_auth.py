"""The auth generator: what it sends where, driven by hand; no socket anywhere."""

from __future__ import annotations

import base64
from collections.abc import Generator

import httpx
import pytest

from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.registry import Credentials, RegistryEndpoint
from cyroid_images.registry.auth import ONCE, SCOPES, RegistryAuth, challenge_of

ENDPOINT = RegistryEndpoint("https://registry.example:5001", Credentials("me", "secret"))
BASIC = "Basic " + base64.b64encode(b"me:secret").decode()
SCOPE = ("repository:a/b:pull",)
OWN_REALM = "https://registry.example:5001/token"

Flow = Generator[httpx.Request, httpx.Response, None]


class Clock:
    """Seconds that pass when told."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def auth_of(
    endpoint: RegistryEndpoint = ENDPOINT, *token_hosts: str, clock: Clock | None = None
) -> RegistryAuth:
    return RegistryAuth(endpoint, frozenset(token_hosts), clock or Clock())


def question(
    url: str = "https://registry.example:5001/v2/a/b", *, once: bool = False
) -> httpx.Request:
    return httpx.Request("GET", url, extensions={SCOPES: SCOPE, ONCE: once})


def bearer(realm: str, **more: str) -> httpx.Response:
    """A 401 that asks for a token."""
    extra = "".join(f',{name}="{value}"' for name, value in more.items())
    return httpx.Response(401, headers={"WWW-Authenticate": f'Bearer realm="{realm}"{extra}'})


def ended(flow: Flow, answer: httpx.Response) -> bool:
    try:
        flow.send(answer)
    except StopIteration:
        return True
    return False


def test_basic_is_sent_at_once_to_the_own_host() -> None:
    """It saves a round; the host is the one that the spec names."""
    asked = next(auth_of().auth_flow(question()))
    assert asked.headers["Authorization"] == BASIC


@pytest.mark.parametrize(
    "url",
    [
        "https://other.example:5001/v2/",
        "https://registry.example/v2/",
        "http://registry.example:5001/v2/",
    ],
)
def test_nothing_is_sent_to_another_address(url: str) -> None:
    """Another host, port or scheme is another address."""
    asked = next(auth_of().auth_flow(question(url)))
    assert "Authorization" not in asked.headers


def test_a_refused_password_is_not_tried_again() -> None:
    """A second try would only lock the account."""
    flow = auth_of().auth_flow(question())
    next(flow)
    assert ended(flow, httpx.Response(401, headers={"WWW-Authenticate": 'Basic realm="x"'}))


def test_a_bearer_challenge_is_answered_with_a_token_for_our_own_scope() -> None:
    """The challenge's scope is not believed: it may be wider than what is needed."""
    flow = auth_of().auth_flow(question())
    next(flow)
    asked = flow.send(bearer(OWN_REALM, service="s", scope="repository:everything:*"))
    assert asked.url.params.multi_items() == [("scope", SCOPE[0]), ("service", "s")]
    assert asked.headers["Authorization"] == BASIC
    again = flow.send(httpx.Response(200, json={"token": "t0ken"}))
    assert again.headers["Authorization"] == "Bearer t0ken"
    assert ended(flow, httpx.Response(401))


def test_a_token_is_kept_for_its_scope_until_it_ends() -> None:
    """One question per repository and action, not per request."""
    clock = Clock()
    auth = auth_of(clock=clock)
    flow = auth.auth_flow(question())
    next(flow)
    flow.send(bearer(OWN_REALM))
    flow.send(httpx.Response(200, json={"access_token": "t0ken", "expires_in": 100}))
    assert next(auth.auth_flow(question())).headers["Authorization"] == "Bearer t0ken"
    other = httpx.Request("GET", question().url, extensions={SCOPES: ("repository:c:pull",)})
    assert "Authorization" not in next(auth.auth_flow(other)).headers
    clock.now = 95.0
    assert "Authorization" not in next(auth.auth_flow(question())).headers


def test_a_body_that_streams_is_not_sent_twice() -> None:
    """Half of it is gone; the refusal is the answer."""
    flow = auth_of().auth_flow(question(once=True))
    next(flow)
    assert ended(flow, bearer(OWN_REALM))


@pytest.mark.parametrize(
    "realm",
    [
        pytest.param("https://capture.example/token", id="another-host"),
        pytest.param("http://registry.example:5001/token", id="plain-http"),
        pytest.param("https://registry.example:5002/token", id="another-port"),
        pytest.param("http://auth.example/token", id="declared-but-plain"),
        pytest.param("https://auth.example:444/token", id="declared-but-another-port"),
        pytest.param("https://me@registry.example:5001/token", id="with-credentials"),
        pytest.param("", id="none"),
        pytest.param("http://[", id="no-url"),
        pytest.param("//registry.example:5001", id="no-scheme"),
    ],
)
def test_an_untrusted_realm_gets_nothing(realm: str) -> None:
    """The flow ends with an error before it yields a request."""
    flow = auth_of(ENDPOINT, "auth.example").auth_flow(question())
    next(flow)
    with pytest.raises(TransferError) as caught:
        flow.send(bearer(realm))
    assert caught.value.reason is Reason.UNTRUSTED_TOKEN_REALM
    assert "secret" not in caught.value.message


@pytest.mark.parametrize("realm", ["https://auth.example/token", "https://auth.example:443/t?a=b"])
def test_a_declared_token_host_is_asked_over_https(realm: str) -> None:
    """As auth.docker.io is for registry-1.docker.io."""
    flow = auth_of(ENDPOINT, "auth.example").auth_flow(question())
    next(flow)
    assert flow.send(bearer(realm)).url.host == "auth.example"


def test_a_token_host_of_a_plain_registry_may_be_plain_too() -> None:
    """Whoever writes `insecure` has said that passwords may go without TLS."""
    plain = RegistryEndpoint("http://registry.example:5001", Credentials("me", "secret"))
    flow = auth_of(plain, "auth.example").auth_flow(question("http://registry.example:5001/v2/"))
    next(flow)
    assert flow.send(bearer("http://auth.example/token")).url.host == "auth.example"


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, content=b"{"),
        httpx.Response(200, json=[]),
        httpx.Response(200, json={}),
        httpx.Response(200, json={"token": "a\r\nb"}),
        httpx.Response(200, json={"token": "x" * 20000}),
        httpx.Response(200, json={"token": "a", "expires_in": "soon"}),
    ],
)
def test_an_answer_without_a_usable_token_is_a_protocol_error(answer: httpx.Response) -> None:
    """A token with line ends would write headers of its own."""
    flow = auth_of().auth_flow(question())
    next(flow)
    flow.send(bearer(OWN_REALM))
    with pytest.raises(TransferError) as caught:
        flow.send(answer)
    assert caught.value.reason is Reason.PROTOCOL_ERROR


def test_a_token_servers_refusal_has_its_reason() -> None:
    """Docker Hub refuses wrong passwords there, not at the registry."""
    flow = auth_of().auth_flow(question())
    next(flow)
    flow.send(bearer(OWN_REALM))
    with pytest.raises(TransferError) as caught:
        flow.send(httpx.Response(401, json={"details": "incorrect username or password"}))
    assert caught.value.reason is Reason.UNAUTHORIZED


def test_a_challenge_is_read_whatever_its_spelling() -> None:
    """Header parameters have no fixed order or case."""
    answer = httpx.Response(401, headers={"www-authenticate": 'BEARER Service="s",Realm="r"'})
    challenge = challenge_of(answer)
    assert challenge is not None
    assert (challenge.scheme, challenge.realm, challenge.service) == ("bearer", "r", "s")
