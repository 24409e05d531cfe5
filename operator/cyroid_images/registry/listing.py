"""What a registry holds, by its own lists: repositories, and the tags of one.

Blocking calls, as those of the client. Source of the forms: distribution, "Listing
Repositories" and OCI distribution-spec, "Listing Tags": pages are followed by Link.
"""

from __future__ import annotations

import json
from dataclasses import replace

import httpx

from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.images.manifest import LARGEST, MALFORMED
from cyroid_images.model.registry import RegistryEndpoint
from cyroid_images.model.telemetry.request_observer import RequestObserver, unobserved
from cyroid_images.registry.connection import Connection
from cyroid_images.registry.errors import RegistryResponse, is_foreign, words_of
from cyroid_images.registry.names import pull_scope, tags_path
from cyroid_images.registry.transport import RegistryRequest
from cyroid_images.scheduling.cancel_scope import NEVER, CancelScope

PAGE = 1000
"""Names asked for at a time: more is refused by distribution 3."""


class RegistryListing:
    """The lists of one endpoint; safe to use from several threads."""

    def __init__(
        self,
        endpoint: RegistryEndpoint,
        *,
        answer_seconds: float = 15.0,
        on_request: RequestObserver = unobserved,
    ) -> None:
        self._connection = Connection(
            endpoint,
            answer_seconds=answer_seconds,
            stall_seconds=answer_seconds,
            rules=None,
            on_request=on_request,
        )

    def repositories(self, most: int, scope: CancelScope = NEVER) -> list[str]:
        """All names, `most` of them at most; raises TransferError when that is not known."""
        request = RegistryRequest("list repositories", "GET", "/v2/_catalog", ())
        return _names(self._connection, request, "repositories", most, scope) or []

    def tags(self, repository: str, most: int, scope: CancelScope = NEVER) -> list[str] | None:
        """Tags of a repository, `most` at most; None only on a 404."""
        return tags(self._connection, repository, most, scope)


def tags(
    connection: Connection, repository: str, most: int, scope: CancelScope
) -> list[str] | None:
    """Tags of a repository, `most` at most; None only on a 404.

    Raises TransferError when they are not known. A repository whose last tag is gone says null
    (distribution 2.8), which is none.
    """
    scopes = (pull_scope(repository),)
    request = RegistryRequest(
        f"list the tags of {repository}", "GET", tags_path(repository), scopes
    )
    return _names(connection, request, "tags", most, scope)


def _names(
    connection: Connection, first: RegistryRequest, key: str, most: int, scope: CancelScope
) -> list[str] | None:
    """Page after page; None on a 404. Every page must bring something new."""
    found: dict[str, None] = {}
    last: str | None = None
    while len(found) < most:
        query = {"n": str(PAGE), **({"last": last} if last is not None else {})}
        request = replace(first, url=httpx.URL(first.url, params=query))
        response = connection.answer(request, scope, most=LARGEST)
        page = _page(connection, request, response, key)
        if page is None and found:
            cause = "the list ended in the middle with 404"
            raise TransferError(Reason.PROTOCOL_ERROR, f"{connection.told(request)}: {cause}")
        if page is None:
            return None
        before = len(found)
        found.update(dict.fromkeys(page))
        if "link" not in response.headers or len(found) == before:
            break
        last = page[-1]
    return list(found)[:most]


def _page(
    connection: Connection, request: RegistryRequest, response: RegistryResponse, key: str
) -> list[str] | None:
    told = connection.told(request)
    if is_foreign(response):
        cause = f"response is not from a registry: {words_of(response)}"
        raise TransferError(Reason.REGISTRY_UNREACHABLE, f"{told}: {cause}")
    if response.status == 404:
        return None
    if response.status != 200:
        raise connection.refused(request, response)
    try:
        names = json.loads(response.body)[key]
    except MALFORMED as exc:
        raise TransferError(Reason.PROTOCOL_ERROR, f"{told}: no list of {key}") from exc
    if names is None:
        return []
    if not isinstance(names, list) or not all(isinstance(each, str) for each in names):
        raise TransferError(Reason.PROTOCOL_ERROR, f"{told}: no list of {key}")
    return names
