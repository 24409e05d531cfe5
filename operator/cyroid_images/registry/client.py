"""A registry, as the distribution API shows it: manifests and blobs by digest, uploads.

Plain blocking calls, one verb each, safe to use from several threads. Only a 404 means
"absent"; everything else that is not the hoped-for answer raises TransferError with the
reason that says what to do. Digests of the registry are claims: manifests are hashed
here, blobs while they are read. What is composed of several calls (copy, push, its
proof) lives in `transfer`. Source: OCI distribution-spec 1.1; distribution 2.8.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from cyroid_images.errors import InvalidReference, Reason, TransferError
from cyroid_images.model.cancellation import NEVER, Cancellation
from cyroid_images.model.digest import Digest
from cyroid_images.model.manifest import ACCEPT, LARGEST, Descriptor, Index, Manifest, read_manifest
from cyroid_images.model.registry import RegistryEndpoint
from cyroid_images.model.watching import Watch, unwatched
from cyroid_images.registry.answers import Answer, Kind
from cyroid_images.registry.connection import Connection
from cyroid_images.registry.conversation import Ask
from cyroid_images.registry.download import downloading
from cyroid_images.registry.names import (
    blob_path,
    delete_scope,
    manifest_path,
    named,
    pull_scope,
    push_scope,
)
from cyroid_images.registry.streams import verified
from cyroid_images.registry.upload import Uploads
from cyroid_images.registry.upstream import UpstreamRules

LARGEST_CONFIG = 4 * 1024 * 1024
"""Bytes of an image config: as many as of a manifest; real ones have some thousand."""

_SCHEMA_1 = "application/vnd.docker.distribution.manifest.v1+"


@dataclass(frozen=True, slots=True)
class FetchedManifest:
    """A manifest as it came: its digest is computed from `content`, never believed."""

    content: bytes
    parsed: Manifest | Index

    @property
    def digest(self) -> Digest:
        return self.parsed.digest


class Registry:
    """One endpoint of a registry: our cache's push listener, its pull listener, an upstream.

    `answer_seconds` is the time for a first byte, `stall_seconds` for the next one of a
    stream and for the registry's thinking at the end of an upload. Only an upstream has
    `rules`: it may have token hosts and send readers on, and reading from it is tried again.
    """

    def __init__(
        self,
        endpoint: RegistryEndpoint,
        *,
        answer_seconds: float = 15.0,
        stall_seconds: float = 120.0,
        rules: UpstreamRules | None = None,
        watch: Watch = unwatched,
    ) -> None:
        self.endpoint = endpoint
        self._stall_seconds = stall_seconds
        self._connection = Connection(
            endpoint,
            answer_seconds=answer_seconds,
            stall_seconds=stall_seconds,
            rules=rules,
            watch=watch,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Forget the tokens; connections end with their calls, none is ever left open."""
        self._connection.forget()

    def ping(self, cancellation: Cancellation = NEVER) -> None:
        """Ask whether a registry answers here and lets us in; no proof that it can store."""
        ask = Ask("ping the registry", "GET", "/v2/")
        answer = self._connection.answer(ask, cancellation)
        if answer.status != 200:
            raise self._connection.refused(ask, answer)

    def manifest(
        self, repository: str, reference: str | Digest, cancellation: Cancellation = NEVER
    ) -> FetchedManifest | None:
        """The manifest of a tag or digest; None only on a 404.

        Raises ManifestDigestMismatch when its bytes are not those of the digest that was
        asked for, or that the registry itself claims.
        """
        ask = self._manifest_ask("read", "GET", repository, reference)
        answer = self._connection.answer(ask, cancellation, most=LARGEST)
        if answer.status == 404:
            return None
        if answer.status != 200:
            raise self._connection.refused(ask, answer)
        wanted = reference if isinstance(reference, Digest) else self._claim(ask, answer)
        if wanted and not _is_of(wanted, answer.body):
            raise self._bad(Reason.MANIFEST_DIGEST_MISMATCH, ask, f"the bytes are not {wanted}")
        kind = answer.headers.get("content-type", "")
        if _SCHEMA_1 in kind:
            cause = "it is of schema 1, which no engine takes any more"
            raise self._bad(Reason.IMAGE_NOT_FOUND, ask, cause)
        try:
            parsed = read_manifest(answer.body, kind)
        except TransferError as exc:
            raise self._bad(exc.reason, ask, exc.message) from exc
        return FetchedManifest(answer.body, parsed)

    def has_manifest(
        self, repository: str, digest: Digest, cancellation: Cancellation = NEVER
    ) -> bool:
        """Is the manifest there? Only a 404 is False; whatever leaves it unknown raises."""
        ask = self._manifest_ask("look for", "HEAD", repository, digest)
        return self._is_there(ask, self._connection.answer(ask, cancellation))

    def tag_digest(
        self, repository: str, reference: str | Digest, cancellation: Cancellation = NEVER
    ) -> Digest | None:
        """What a tag names right now, for one HEAD; None only on a 404.

        A claim of the registry's, good for telling whether a tag moved. A registry that
        makes none is asked for the manifest itself.
        """
        ask = self._manifest_ask("look for", "HEAD", repository, reference)
        answer = self._connection.answer(ask, cancellation)
        if not self._is_there(ask, answer):
            return None
        claim = self._claim(ask, answer)
        if claim is None:
            fetched = self.manifest(repository, reference, cancellation)
            return fetched.digest if fetched else None
        return claim

    def put_manifest(
        self,
        repository: str,
        reference: str | Digest,
        content: bytes,
        media_type: str,
        cancellation: Cancellation = NEVER,
    ) -> Digest:
        """Store these bytes under a tag or their digest, after all their blobs.

        A success proves little (distribution #3743): read it back.
        """
        ask = Ask(
            act=f"write manifest {named(repository, reference)}",
            method="PUT",
            url=manifest_path(repository, reference),
            scopes=(push_scope(repository),),
            headers={"Content-Type": media_type},
            content=content,
            kind=Kind.WRITE,
        )
        digest = reference if isinstance(reference, Digest) else Digest.of(content)
        if not _is_of(digest, content):
            raise self._bad(Reason.MANIFEST_DIGEST_MISMATCH, ask, f"the bytes are not {digest}")
        answer = self._connection.answer(ask, cancellation)
        if answer.status != 201:
            raise self._connection.refused(ask, answer)
        claim = self._claim(ask, answer)
        if claim and not _is_of(claim, content):
            raise self._bad(Reason.MANIFEST_DIGEST_MISMATCH, ask, f"it was stored as {claim}")
        return digest

    def delete_manifest(
        self, repository: str, digest: Digest, cancellation: Cancellation = NEVER
    ) -> None:
        """Remove a manifest and with it every tag that names it; gone already is fine."""
        ask = Ask(
            act=f"delete manifest {named(repository, digest)}",
            method="DELETE",
            url=manifest_path(repository, digest),
            scopes=(delete_scope(repository),),
            kind=Kind.WRITE,
        )
        answer = self._connection.answer(ask, cancellation)
        if answer.status not in (200, 202, 404):
            raise self._connection.refused(ask, answer)

    def blob_size(
        self, repository: str, digest: Digest, cancellation: Cancellation = NEVER
    ) -> int | None:
        """Bytes of a blob as the registry has it stored; None only on a 404."""
        ask = self._blob_ask("look for", "HEAD", repository, digest)
        answer = self._connection.answer(ask, cancellation)
        if not self._is_there(ask, answer):
            return None
        size = answer.headers.get("content-length", "")
        if not (size.isascii() and size.isdigit()):
            raise self._bad(Reason.PROTOCOL_ERROR, ask, "the answer names no Content-Length")
        return int(size)

    def config(
        self, repository: str, descriptor: Descriptor, cancellation: Cancellation = NEVER
    ) -> bytes:
        """An image config, proven by size and digest; at most LARGEST_CONFIG bytes."""
        if descriptor.size > LARGEST_CONFIG:
            raise TransferError(
                Reason.PROTOCOL_ERROR,
                f"read config {descriptor.digest} of {repository} at {self.endpoint.host}:"
                f" {descriptor.size} bytes are too many for a config",
            )
        with self.open_blob(repository, descriptor, cancellation) as chunks:
            return b"".join(chunks)

    @contextlib.contextmanager
    def open_blob(
        self, repository: str, descriptor: Descriptor, cancellation: Cancellation = NEVER
    ) -> Iterator[Iterator[bytes]]:
        """The bytes of a blob, hashed as they pass; the last only once they are proven.

        Raises BlobMissing for a blob that is absent or shorter than the manifest says and
        DigestMismatch for other bytes; connected for as long as the `with`. Of an upstream
        a broken connection is followed by another one, for the bytes that are missing.
        """
        ask = self._blob_ask("read", "GET", repository, descriptor.digest)
        with downloading(self._connection, ask, descriptor.size, cancellation) as chunks:
            yield verified(chunks, descriptor, self._connection.told(ask))

    def check_writable(self, repository: str, cancellation: Cancellation = NEVER) -> None:
        """Write two bytes into the repository, the same each time.

        Raises RegistryReadOnly, RegistryFull or Unauthorized where that is the answer.
        """
        self._uploads(repository, cancellation).probe()

    def mount(
        self, repository: str, digest: Digest, source: str, cancellation: Cancellation = NEVER
    ) -> bool:
        """Link a blob of the repository `source` without moving a byte; False: upload it."""
        return self._uploads(repository, cancellation).mount(digest, source)

    def upload_blob(
        self,
        repository: str,
        descriptor: Descriptor,
        content: Iterable[bytes],
        cancellation: Cancellation = NEVER,
    ) -> int:
        """Store a blob of known size; returns the bytes sent, 0 when it was there already.

        The registry is asked first, and `content` is not touched when it has the blob.
        Size and digest are compared before the last byte is sent: DigestMismatch or
        BlobMissing. What `content` itself raises comes out unchanged. Either way, and
        when cancelled, the upload is taken back.
        """
        if self.blob_size(repository, descriptor.digest, cancellation) == descriptor.size:
            return 0
        self._uploads(repository, cancellation).send(descriptor, content)
        return descriptor.size

    def upload_stream(
        self,
        repository: str,
        content: Iterable[bytes],
        media_type: str,
        cancellation: Cancellation = NEVER,
    ) -> Descriptor:
        """Store bytes whose length is not known before; returns what they turned out to be.

        What `content` raises comes out unchanged, and the upload is taken back.
        """
        sent = self._uploads(repository, cancellation).send_measured(content, "a layer")
        return Descriptor(media_type, sent.digest, sent.size)

    def _uploads(self, repository: str, cancellation: Cancellation) -> Uploads:
        return Uploads(
            self._connection, repository, cancellation, commit_seconds=self._stall_seconds
        )

    def _manifest_ask(
        self, verb: str, method: str, repository: str, reference: str | Digest
    ) -> Ask:
        return Ask(
            act=f"{verb} manifest {named(repository, reference)}",
            method=method,
            url=manifest_path(repository, reference),
            scopes=(pull_scope(repository),),
            headers={"Accept": ACCEPT},
            may_be_elsewhere=True,
        )

    def _blob_ask(self, verb: str, method: str, repository: str, digest: Digest) -> Ask:
        return Ask(
            act=f"{verb} blob {named(repository, digest)}",
            method=method,
            url=blob_path(repository, digest),
            scopes=(pull_scope(repository),),
            may_be_elsewhere=method == "GET",
        )

    def _is_there(self, ask: Ask, answer: Answer) -> bool:
        if answer.status == 404:
            return False
        if answer.status != 200:
            raise self._connection.refused(ask, answer)
        return True

    def _claim(self, ask: Ask, answer: Answer) -> Digest | None:
        """The digest that the registry says this is; None where it says none."""
        said = answer.headers.get("docker-content-digest", "")
        try:
            return Digest.parse(said) if said else None
        except InvalidReference as exc:
            raise self._bad(Reason.PROTOCOL_ERROR, ask, "its digest header is no digest") from exc

    def _bad(self, reason: Reason, ask: Ask, cause: str) -> TransferError:
        return TransferError(reason, f"{self._connection.told(ask)}: {cause}")


def _is_of(digest: Digest, content: bytes) -> bool:
    return hashlib.new(digest.algorithm, content).hexdigest() == digest.hex
