"""What a registry holds, by its own lists: repositories, and the tags of one.

Blocking calls, as those of the client. Source of the forms: distribution, "Listing
Repositories" and OCI distribution-spec, "Listing Tags": pages are followed by Link.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

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
        found: list[str] = []
        for page in self._pages("list repositories", "/v2/_catalog", "repositories", (), scope):
            found += page or ()
            if len(found) >= most:
                break
        return found[:most]

    def tags(self, repository: str, most: int, scope: CancelScope = NEVER) -> list[str] | None:
        """Tags of a repository, `most` at most; None only on a 404."""
        found: list[str] = []
        path, scopes = tags_path(repository), (pull_scope(repository),)
        for page in self._pages(f"list tags of {repository}", path, "tags", scopes, scope):
            if page is None:
                return None
            found += page
            if len(found) >= most:
                break
        return found[:most]

    def _pages(
        self, act: str, path: str, key: str, scopes: tuple[str, ...], scope: CancelScope
    ) -> Iterator[list[str] | None]:
        """Page after page; None on a 404. Every page must bring something new."""
        last = ""
        while True:
            after = f"&last={quote(last, safe='')}" if last else ""
            request = RegistryRequest(act, "GET", f"{path}?n={PAGE}{after}", scopes)
            response = self._connection.answer(request, scope, most=LARGEST)
            if response.status == 404 and not is_foreign(response):
                yield None
                return
            names = self._names(request, response, key)
            yield names
            if not names or "link" not in response.headers or names[-1] == last:
                return
            last = names[-1]

    def _names(self, request: RegistryRequest, response: RegistryResponse, key: str) -> list[str]:
        told = self._connection.told(request)
        if is_foreign(response):
            cause = f"response is not from a registry: {words_of(response)}"
            raise TransferError(Reason.REGISTRY_UNREACHABLE, f"{told}: {cause}")
        if response.status != 200:
            raise self._connection.refused(request, response)
        try:
            names: Any = json.loads(response.body)[key] or []  # null: all tags are gone
            return [str(name) for name in names]
        except MALFORMED as exc:
            raise TransferError(Reason.PROTOCOL_ERROR, f"{told}: no list of {key}") from exc
