"""A token before anything of `/api/` is looked at: what is not said to be open is not."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from cyroid_images.api.callers import Callers, no_token
from cyroid_images.api.problems import Problem, answer_of, problem_of
from cyroid_images.errors import CyroidError

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
ASGI = Callable[[Scope, Receive, Send], Awaitable[None]]

PROTECTED = "/api/"
OPEN = frozenset({"/api/v1/registry/health", "/api/v1/system/capabilities"})
LONGEST_TOKEN = 12 * 1024
"""Characters; those of service accounts have about one thousand."""


class SigningIn:
    """Puts the caller and their token into the state of each request."""

    def __init__(self, app: ASGI, callers: Callable[[], Callers]) -> None:
        self._app = app
        self._callers = callers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and is_protected(scope["path"]):
            try:
                token = token_of(scope["headers"])
                state = scope.setdefault("state", {})
                state["caller"] = await self._callers().who(token)
                state["token"] = token
            except Problem as problem:
                return await answer_of(problem)(scope, receive, send)
            except CyroidError as exc:
                return await answer_of(problem_of(exc))(scope, receive, send)
        return await self._app(scope, receive, send)


def is_protected(path: str) -> bool:
    """Does somebody have to sign in for this?"""
    return path.startswith(PROTECTED) and path not in OPEN


def token_of(headers: list[tuple[bytes, bytes]]) -> str:
    """The bearer token; a 401 where there is none, or more than one."""
    found = [value for name, value in headers if name == b"authorization"]
    scheme, _, token = found[0].partition(b" ") if len(found) == 1 else (b"", b"", b"")
    token = token.strip()
    if scheme.lower() != b"bearer" or not 0 < len(token) <= LONGEST_TOKEN:
        raise no_token()
    try:
        return token.decode("ascii")
    except UnicodeDecodeError:
        raise no_token() from None
