"""Uploads of blobs: open, send, close; an upload that is not closed is taken back.

Known length: POST, then one PUT. Unknown length (compressed on the fly): POST, one
chunked PATCH, PUT with the digest. Never a single POST: distribution answers that with
202 and stores nothing. Source: OCI distribution-spec, "Pushing blobs".
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator

import httpx

from cyroid_images.errors import TransferError
from cyroid_images.model.cancellation import NEVER, Cancellation
from cyroid_images.model.digest import Digest
from cyroid_images.model.manifest import Descriptor
from cyroid_images.registry.answers import Answer, Kind
from cyroid_images.registry.connection import Ask, Connection
from cyroid_images.registry.names import (
    pull_scope,
    push_scope,
    upload_url,
    uploads_path,
    with_digest,
)
from cyroid_images.registry.streams import Measured, verified

_TAKE_BACK_SECONDS = 1.0
"""For the DELETE of an upload: a courtesy that must not hold up a cancelled call; what
it misses, the registry's own purging of old uploads finds."""

_BYTES = {"Content-Type": "application/octet-stream"}


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
        """Open an upload and take it back: proof that writing is allowed."""
        self._take_back(self._open(f"start an upload to {self._repository}"))

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
        act = f"upload blob {descriptor.digest} to {self._repository}"
        with self._opened(act) as location:
            length = {"Content-Length": str(descriptor.size)}
            checked = verified(content, descriptor, f"read blob {descriptor.digest} for upload")
            self._close(act, with_digest(location, descriptor.digest), checked, length)

    def send_measured(self, content: Iterable[bytes], what: str) -> Measured:
        """Bytes of unknown length; returns what went through, with digest and size."""
        act = f"upload {what} to {self._repository}"
        measured = Measured(content)
        with self._opened(act) as location:
            ask = self._put("PATCH", act, location, iter(measured), _BYTES)
            answer = self._connection.answer(ask, self._cancellation)
            if answer.status not in (202, 204):
                raise self._connection.refused(ask, answer)
            newest = self._location(ask, answer)
            self._close(act, with_digest(newest, measured.digest), b"", {})
        return measured

    def _close(
        self, act: str, url: httpx.URL, content: bytes | Iterator[bytes], headers: dict[str, str]
    ) -> None:
        ask = self._put("PUT", act, url, content, {**_BYTES, **headers})
        answer = self._connection.answer(ask, self._cancellation)
        if answer.status not in (201, 204):
            raise self._connection.refused(ask, answer)

    def _put(
        self,
        method: str,
        act: str,
        url: httpx.URL,
        content: bytes | Iterator[bytes],
        headers: dict[str, str],
    ) -> Ask:
        return Ask(
            act=act,
            method=method,
            url=url,
            scopes=self._scopes,
            headers=headers,
            content=content,
            kind=Kind.RESUME,
            # The registry reads the whole blob again before it answers.
            answer_seconds=self._commit_seconds,
        )

    @contextlib.contextmanager
    def _opened(self, act: str) -> Iterator[httpx.URL]:
        """An upload that is taken back when the block does not come to its end."""
        location = self._open(act)
        try:
            yield location
        except BaseException:
            self._take_back(location)
            raise

    def _open(self, act: str) -> httpx.URL:
        ask = Ask(
            act=act,
            method="POST",
            url=uploads_path(self._repository),
            scopes=self._scopes,
            kind=Kind.WRITE,
        )
        answer = self._connection.answer(ask, self._cancellation)
        if answer.status != 202:
            raise self._connection.refused(ask, answer)
        return self._location(ask, answer)

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
