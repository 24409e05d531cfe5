"""Whose token this is, and what its owner may do: TokenReview and SubjectAccessReview.

Nothing is remembered here. Tokens are sent to the API server and nowhere else, and stand in
no message.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cyroid_images.errors import ApiUnavailable
from cyroid_images.kube.api import Api, success
from cyroid_images.kube.resources import RESOURCES
from cyroid_images.kube.rights import Right


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody whom the API server knows."""

    user: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)


class Reviews:
    """Asks the API server; raises ApiUnavailable when it does not say."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def who(self, token: str) -> Caller | None:
        """Whose token it is; None: nobody's (any more)."""
        kind = RESOURCES["TokenReview"]
        body = {"apiVersion": kind.api_version, "kind": "TokenReview", "spec": {"token": token}}
        answer = success(await self._api.post(kind.path(), body), "review a token")
        status = answer.get("status") or {}
        if not status.get("authenticated"):
            if status.get("error"):  # a webhook that is down says so here, too
                _tell_outage(str(status["error"]), token)
            return None
        return _caller(status.get("user") or {})

    async def may(self, caller: Caller, right: Right) -> bool:
        """Does the cluster's own authorisation let this caller do that?"""
        kind = RESOURCES["SubjectAccessReview"]
        spec = {
            "user": caller.user,
            "groups": list(caller.groups),
            "uid": caller.uid,
            "extra": {name: list(values) for name, values in caller.extra.items()},
            "resourceAttributes": right.attributes(),
        }
        body = {"apiVersion": kind.api_version, "kind": "SubjectAccessReview", "spec": spec}
        answer = success(await self._api.post(kind.path(), body), "review rights")
        return bool((answer.get("status") or {}).get("allowed"))


def _caller(user: Mapping[str, Any]) -> Caller:
    name = user.get("username")
    if not name:
        raise ApiUnavailable("review a token: the answer names nobody")
    return Caller(
        str(name),
        tuple(map(str, user.get("groups") or ())),
        str(user.get("uid") or ""),
        {str(key): tuple(values) for key, values in (user.get("extra") or {}).items()},
    )


def _tell_outage(error: str, token: str) -> None:
    """Raise where the API server could not tell; a token that is merely bad is no outage."""
    outages = ("timeout", "timed out", "connection refused", "no such host", "failed calling")
    if any(word in error.lower() for word in outages):
        raise ApiUnavailable(f"review a token: {error.replace(token, '***')[:200]}")
