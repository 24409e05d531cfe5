"""Uploads of blobs: open, send, close; an upload that is not closed is taken back.

POST, one chunked PATCH, PUT with the digest, whether the length is known or not. A PUT
that carries the bytes would save one short request, but when its source fails in the
middle its bytes stay on the registry's disk for a week: distribution takes an upload back
only by the Location of its last *finished* request. So a body always ends properly, also
that of a failed source or a cancelled call, and the PUT is sent only when size and digest are
proven. Never a single POST: distribution answers that with 202 and stores nothing. Source: OCI
distribution-spec, "Pushing blobs"; seen on distribution 2.8.2.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable

import httpx

from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.manifest import Descriptor
from cyroid_images.registry.connection import Connection
from cyroid_images.registry.errors import RegistryResponse, RequestKind
from cyroid_images.registry.names import (
    pull_scope,
    push_scope,
    upload_url,
    uploads_path,
    with_digest,
)
from cyroid_images.registry.streams import CompletedBody, HashedStream, verified
from cyroid_images.registry.transport import RegistryRequest
from cyroid_images.scheduling.cancel_scope import NEVER, CancelScope

_TAKE_BACK_SECONDS = 1.0
"""For the DELETE of an upload: a courtesy that must not hold up a cancelled call; what
it misses, the registry's own purging of old uploads finds."""

_GRACE_SECONDS = 0.5
"""For the end of a body and its answer, milliseconds in a registry that is well."""


class Uploads:
    """Uploads into one repository, for the length of one call."""

    def __init__(
        self,
        connection: Connection,
        repository: str,
        scope: CancelScope,
        *,
        commit_seconds: float,
    ) -> None:
        self._connection = connection
        self._repository = repository
        self._scope = scope
        self._commit_seconds = commit_seconds
        self._scopes: tuple[str, ...] = (push_scope(repository),)

    def mount(self, digest: Digest, source: str) -> bool:
        """Have a blob of another repository linked here; False when that is not to be."""
        request = RegistryRequest(
            act=f"mount blob {digest} from {source} to {self._repository}",
            method="POST",
            url=httpx.URL(
                uploads_path(self._repository), params={"mount": str(digest), "from": source}
            ),
            scopes=(*self._scopes, pull_scope(source)),
            kind=RequestKind.WRITE,
        )
        response = self._connection.answer(request, self._scope)
        if response.status == 202:  # not mounted: it opened an upload instead
            self._take_back(self._location(request, response))
        # A refusal may concern the other repository only; the upload that follows will tell.
        if response.status in (202, 400, 401, 403, 404):
            return False
        if response.status != 201:
            raise self._connection.refused(request, response)
        return True

    def send(self, descriptor: Descriptor, content: Iterable[bytes]) -> None:
        """A blob of known length and digest, compared before its last byte is sent."""
        checked = verified(content, descriptor, f"read blob {descriptor.digest} for upload")
        act = f"upload blob {descriptor.digest} to {self._repository}"
        self._send(act, checked, lambda: descriptor.digest)

    def send_measured(self, content: Iterable[bytes], what: str) -> HashedStream:
        """Bytes of unknown length; returns what went through, with digest and size."""
        measured = HashedStream(content)
        self._send(f"upload {what} to {self._repository}", measured, lambda: measured.digest)
        return measured

    def _send(self, act: str, content: Iterable[bytes], digest: Callable[[], Digest]) -> None:
        location = self._open(act)
        source = CompletedBody(content, self._scope)
        try:
            location = self._carry(act, location, source)
            source.raise_failure()
            closing = self._going_on("PUT", act, with_digest(location, digest()))
            self._expect(closing, (201, 204))
        except BaseException:
            self._take_back(location)
            raise

    def _carry(self, act: str, location: httpx.URL, source: CompletedBody) -> httpx.URL:
        """Send the bytes, up to their end or the source's failure; where the upload goes on."""
        request = self._going_on("PATCH", act, location, source)
        try:
            with CancelScope(self._scope, grace=_GRACE_SECONDS) as grace:
                response = self._expect(request, (202, 204), grace)
        except TransferError:
            source.raise_failure()  # it came first
            raise
        return self._location(request, response)

    def _expect(
        self, request: RegistryRequest, statuses: tuple[int, ...], scope: CancelScope | None = None
    ) -> RegistryResponse:
        response = self._connection.answer(request, scope or self._scope)
        if response.status not in statuses:
            raise self._connection.refused(request, response)
        return response

    def _going_on(
        self, method: str, act: str, url: httpx.URL, content: Iterable[bytes] | None = None
    ) -> RegistryRequest:
        return RegistryRequest(
            act=act,
            method=method,
            url=url,
            scopes=self._scopes,
            headers={"Content-Type": "application/octet-stream"},
            content=content,
            kind=RequestKind.RESUME,
            # It may have to read the whole blob again before it answers.
            answer_seconds=self._commit_seconds,
        )

    def _open(self, act: str) -> httpx.URL:
        request = RegistryRequest(
            act=act,
            method="POST",
            url=uploads_path(self._repository),
            scopes=self._scopes,
            kind=RequestKind.WRITE,
        )
        return self._location(request, self._expect(request, (202,)))

    def _location(self, request: RegistryRequest, response: RegistryResponse) -> httpx.URL:
        asked, location = self._connection.url_of(request), response.headers.get("location", "")
        return upload_url(asked, location, self._connection.told(request))

    def _take_back(self, location: httpx.URL) -> None:
        request = RegistryRequest(
            act=f"cancel an upload to {self._repository}",
            method="DELETE",
            url=location,
            scopes=self._scopes,
            kind=RequestKind.RESUME,
        )
        late = TransferError(Reason.TIMEOUT, f"{request.act}: not finished in time")
        with contextlib.suppress(TransferError), NEVER.within(_TAKE_BACK_SECONDS, late) as scope:
            self._connection.answer(request, scope)
