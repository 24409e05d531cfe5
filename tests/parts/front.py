"""Steps that put a scripted server before a real registry: to count, cut and guard requests.

front.script("GET", "/v2/.*", passing_on(registry.pull_endpoint))
"""

from __future__ import annotations

import httpx

from cyroid_images.model.registry import RegistryEndpoint
from tests.parts.scripted import Peer, Step, cut_after, reply

_ASKED = ("Accept", "Authorization", "Content-Type", "Range")
_ANSWERED = ("Content-Type", "Content-Length", "Content-Range", "Docker-Content-Digest")


def passing_on(to: RegistryEndpoint) -> Step:
    """What the real registry answers, as it answers it."""

    def step(peer: Peer) -> None:
        answer = _answer_of(to, peer)
        reply(answer.status_code, answer.content, _some(answer.headers, _ANSWERED))(peer)

    return step


def cutting(to: RegistryEndpoint, count: int) -> Step:
    """The same, but the connection ends after so many bytes of the body."""

    def step(peer: Peer) -> None:
        answer = _answer_of(to, peer)
        headers = _some(answer.headers, _ANSWERED)
        cut_after(count, answer.content, status=answer.status_code, headers=headers)(peer)

    return step


def guarded(step: Step, token: str, realm: str) -> Step:
    """The same for who brings this token; others are told the realm that gives it out."""
    challenge = {"WWW-Authenticate": f'Bearer realm="{realm}",service="front"'}

    def guard(peer: Peer) -> None:
        is_known = peer.request.headers.get("authorization") == f"Bearer {token}"
        (step if is_known else reply(401, "", challenge))(peer)

    return guard


def _answer_of(to: RegistryEndpoint, peer: Peer) -> httpx.Response:
    seen = peer.request
    return httpx.request(
        seen.method,
        f"{to.url}{seen.target}",
        headers=_some(seen.headers, _ASKED),
        content=seen.body,
        trust_env=False,
        timeout=30,
    )


def _some(headers: httpx.Headers | object, names: tuple[str, ...]) -> dict[str, str]:
    known = httpx.Headers(headers)  # type: ignore[arg-type] # a Mapping or Headers
    return {name: known[name] for name in names if name in known}
