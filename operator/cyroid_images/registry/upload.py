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

from cyroid_images.errors import TransferError
from cyroid_images.model.cancellation import NEVER, Cancellation
from cyroid_images.model.digest import Digest
from cyroid_images.model.manifest import Descriptor
from cyroid_images.registry.answers import Answer, Kind
from cyroid_images.registry.connection import Connection
from cyroid_images.registry.conversation import Ask
from cyroid_images.registry.grace import Grace
from cyroid_images.registry.names import (
    pull_scope,
    push_scope,
    upload_url,
    uploads_path,
    with_digest,
)
from cyroid_images.registry.streams import Ending, Measured, verified

_TAKE_BACK_SECONDS = 1.0
"""For the DELETE of an upload: a courtesy that must not hold up a cancelled call; what
it misses, the registry's own purging of old uploads finds."""

_GRACE_SECONDS = 0.5
"""For the end of a body and its answer, milliseconds in a registry that is well."""

_EMPTY = b"{}"
"""What OCI calls the empty descriptor's content (image-spec, manifest.md)."""


class Uploads:
    """Uploads into one repository, for the length of one call."""

    def __init__(
        self,
        connection: Connection,
        repository: str,
        cancellation: Cancellation,
        *,
        commit_seconds: float,
    ) -> None:
        self._connection = connection
        self._repository = repository
        self._cancellation = cancellation
        self._commit_seconds = commit_seconds
        self._scopes: tuple[str, ...] = (push_scope(repository),)

    def probe(self) -> None:
        """Write two bytes that are the same every time: proof that writing is allowed.

        An upload that is only opened and taken back leaves an empty folder behind each
        time (distribution 2.8.2), and finds a full disk less surely.
        """
        self._send(f"write to {self._repository}", [_EMPTY], lambda: Digest.of(_EMPTY))

    def mount(self, digest: Digest, source: str) -> bool:
        """Have a blob of another repository linked here; False when that is not to be."""
        ask = Ask(
            act=f"mount blob {digest} from {source} to {self._repository}",
            method="POST",
            url=httpx.URL(
                uploads_path(self._repository), params={"mount": str(digest), "from": source}
            ),
            scopes=(*self._scopes, pull_scope(source)),
            kind=Kind.WRITE,
        )
        answer = self._connection.answer(ask, self._cancellation)
        if answer.status == 202:  # not mounted: it opened an upload instead
            self._take_back(self._location(ask, answer))
        # A refusal may concern the other repository only; the upload that follows will tell.
        if answer.status in (202, 400, 401, 403, 404):
            return False
        if answer.status != 201:
            raise self._connection.refused(ask, answer)
        return True

    def send(self, descriptor: Descriptor, content: Iterable[bytes]) -> None:
        """A blob of known length and digest, compared before its last byte is sent."""
        checked = verified(content, descriptor, f"read blob {descriptor.digest} for upload")
        act = f"upload blob {descriptor.digest} to {self._repository}"
        self._send(act, checked, lambda: descriptor.digest)

    def send_measured(self, content: Iterable[bytes], what: str) -> Measured:
        """Bytes of unknown length; returns what went through, with digest and size."""
        measured = Measured(content)
        self._send(f"upload {what} to {self._repository}", measured, lambda: measured.digest)
        return measured

    def _send(self, act: str, content: Iterable[bytes], digest: Callable[[], Digest]) -> None:
        location = self._open(act)
        source = Ending(content, self._cancellation)
        try:
            location = self._carry(act, location, source)
            source.raise_failure()
            closing = self._going_on("PUT", act, with_digest(location, digest()))
            self._expect(closing, (201, 204))
        except BaseException:
            self._take_back(location)
            raise

    def _carry(self, act: str, location: httpx.URL, source: Ending) -> httpx.URL:
        """Send the bytes, up to their end or the source's failure; where the upload goes on."""
        ask = self._going_on("PATCH", act, location, source)
        try:
            with Grace(self._cancellation, _GRACE_SECONDS) as grace:
                answer = self._expect(ask, (202, 204), grace)
        except TransferError:
            source.raise_failure()  # it came first
            raise
        return self._location(ask, answer)

    def _expect(
        self, ask: Ask, statuses: tuple[int, ...], cancellation: Cancellation | None = None
    ) -> Answer:
        answer = self._connection.answer(ask, cancellation or self._cancellation)
        if answer.status not in statuses:
            raise self._connection.refused(ask, answer)
        return answer

    def _going_on(
        self, method: str, act: str, url: httpx.URL, content: Iterable[bytes] | None = None
    ) -> Ask:
        return Ask(
            act=act,
            method=method,
            url=url,
            scopes=self._scopes,
            headers={"Content-Type": "application/octet-stream"},
            content=content,
            kind=Kind.RESUME,
            # It may have to read the whole blob again before it answers.
            answer_seconds=self._commit_seconds,
        )

    def _open(self, act: str) -> httpx.URL:
        ask = Ask(
            act=act,
            method="POST",
            url=uploads_path(self._repository),
            scopes=self._scopes,
            kind=Kind.WRITE,
        )
        return self._location(ask, self._expect(ask, (202,)))

    def _location(self, ask: Ask, answer: Answer) -> httpx.URL:
        asked = self._connection.url_of(ask)
        return upload_url(asked, answer.headers.get("location", ""), self._connection.told(ask))

    def _take_back(self, location: httpx.URL) -> None:
        ask = Ask(
            act=f"take back an upload to {self._repository}",
            method="DELETE",
            url=location,
            scopes=self._scopes,
            kind=Kind.RESUME,
            answer_seconds=_TAKE_BACK_SECONDS,
        )
        with contextlib.suppress(TransferError):
            self._connection.answer(ask, NEVER)
