"""Who somebody is, and what they may do: asked of the Kubernetes API, remembered for seconds.

So a token that ended, or whose rights were taken away, works for KEPT_SECONDS more at most. No
token is kept: only its hash.
"""

from __future__ import annotations

import hashlib
from typing import Protocol

from cyroid_images.api.problems import SIGN_IN, Problem
from cyroid_images.api.remembered import Remembered
from cyroid_images.kube.resources import GROUP
from cyroid_images.kube.reviews import Caller
from cyroid_images.kube.rights import Right

KEPT_SECONDS = 5.0
"""The API server itself takes a token that ended for ten seconds more."""
MOST_TOKENS = 2000
MOST_RIGHTS = 10_000
_HOW = {
    "get": "cyroid-view",
    "list": "cyroid-view",
    "patch": "imagecache-admin",
    "delete": "imagecache-admin",
    "create": "rangeimages-edit",
}
"""ClusterRoles of the chart that grant it; of ranges all verbs but reading: rangeimages-edit."""


GOOD_SECONDS = 3600.0
"""How long somebody is known to have had a good token; it is reviewed all the same."""


class AskedReviews(Protocol):
    """`kube.reviews.Reviews`."""

    async def who(self, token: str) -> Caller | None: ...

    async def may(self, caller: Caller, right: Right) -> bool: ...


class Callers:
    """Asks for all requests of this process; raises ApiUnavailable when it is not known."""

    def __init__(
        self,
        reviews: AskedReviews,
        of_strangers: AskedReviews | None = None,
        seconds: float = KEPT_SECONDS,
    ) -> None:
        """`of_strangers` is asked about tokens that were not good within the last hour."""
        self._reviews = reviews
        self._of_strangers = of_strangers or reviews
        self._good: Remembered[bytes, bool] = Remembered(GOOD_SECONDS, MOST_TOKENS)
        self._people: Remembered[bytes, Caller | None] = Remembered(seconds, MOST_TOKENS)
        self._rights: Remembered[tuple[Caller, Right], bool] = Remembered(seconds, MOST_RIGHTS)

    async def who(self, token: str) -> Caller:
        """The owner of this token; a 401 where it is nobody's."""
        key = hashlib.sha256(token.encode()).digest()
        reviews = self._reviews if key in self._good else self._of_strangers
        caller = await self._people.get(key, lambda: reviews.who(token))
        if caller is None:
            self._good.forget(key)
            raise Problem(
                401,
                "the token is not valid (any more): sign in again with a new one"
                " (kubectl create token NAME)",
                headers={"WWW-Authenticate": 'Bearer error="invalid_token"'},
            )
        self._good.keep(key, True)  # noqa: FBT003 - what is remembered
        return caller

    async def may(self, caller: Caller, right: Right) -> bool:
        """Whether the cluster lets them."""
        return await self._rights.get((caller, right), lambda: self._reviews.may(caller, right))

    async def require(self, caller: Caller, right: Right, what: str) -> None:
        """A 403 that says which right is missing and how to get it, unless they have it."""
        if not await self.may(caller, right):
            raise Problem(403, missing(caller, right, what))


def missing(caller: Caller, right: Right, what: str) -> str:
    """The words of a refusal."""
    role = "rangeimages-edit" if right.resource == "rangeimages" else _HOW.get(right.verb, "")
    role = "cyroid-view" if right.verb in ("get", "list") else role
    place = f" in namespace {right.namespace}" if right.namespace else ""
    return (
        f"{caller.user} may not {what}: the right `{right}` of {GROUP}{place} is missing; a cluster"
        f" admin can bind a role that has it, such as ClusterRole {role}"
    )


def no_token() -> Problem:
    """Of a request that says nothing of who asks."""
    return Problem(
        401,
        "sign in: send a token of the cluster as `Authorization: Bearer TOKEN`"
        " (kubectl create token NAME)",
        headers=SIGN_IN,
    )
