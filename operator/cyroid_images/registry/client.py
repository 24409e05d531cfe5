"""A registry, as the distribution API shows it: manifests and blobs by digest, uploads.

Plain blocking calls, one verb each, safe to use from several threads. Only a registry's
own 404 means "absent" (a proxy's does not); everything else that is not the hoped-for
response raises TransferError with the reason that says what to do. Digests of the registry
are claims: manifests are hashed here, blobs while they are read. What is composed of several
calls (copy, push, its proof) lives in `transfer`. Source: OCI distribution-spec 1.1;
distribution 2.8.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from cyroid_images.errors import InvalidReference, Reason, TransferError
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.manifest import (
    ACCEPT,
    LARGEST,
    Descriptor,
    Index,
    Manifest,
    read_manifest,
)
from cyroid_images.model.registry import RegistryEndpoint
from cyroid_images.model.telemetry.request_observer import RequestObserver, unobserved
from cyroid_images.registry import deletion
from cyroid_images.registry.connection import Connection
from cyroid_images.registry.download import downloading
from cyroid_images.registry.errors import RegistryResponse, RequestKind, is_foreign, words_of
from cyroid_images.registry.names import (
    blob_path,
    manifest_path,
    named,
    pull_scope,
    push_scope,
)
from cyroid_images.registry.streams import verified
from cyroid_images.registry.transport import RegistryRequest
from cyroid_images.registry.upload import Uploads
from cyroid_images.registry.upstream import UpstreamRules
from cyroid_images.scheduling.cancel_scope import NEVER, CancelScope

LARGEST_CONFIG = 4 * 1024 * 1024
"""Bytes of an image config: as many as of a manifest; real ones have some thousand."""

CONFIG_ANSWERS = 4
"""Times `answer_seconds` for all of a config: 60 s, with the tries and hops of an upstream."""

_SCHEMA_1 = "application/vnd.docker.distribution.manifest.v1+"


@dataclass(frozen=True, slots=True)
class FetchedManifest:
    """A manifest as it came: its digest is computed from `content`, never believed."""

    content: bytes
    parsed: Manifest | Index

    @property
    def digest(self) -> Digest:
        return self.parsed.digest


class RegistryClient:
    """One endpoint of a registry: our cache's push listener, its pull listener, an upstream.

    `answer_seconds` is the time until the head of a response is there, twice that for all of a
    small body; `stall_seconds` for the next bytes of a stream and for the registry's thinking
    at the end of an upload. Only an upstream has `rules`: it may have token hosts and send
    readers on, and reading from it is tried again.
    """

    def __init__(
        self,
        endpoint: RegistryEndpoint,
        *,
        answer_seconds: float = 15.0,
        stall_seconds: float = 120.0,
        rules: UpstreamRules | None = None,
        on_request: RequestObserver = unobserved,
    ) -> None:
        self.endpoint = endpoint
        self._answer_seconds = answer_seconds
        self._stall_seconds = stall_seconds
        self._connection = Connection(
            endpoint,
            answer_seconds=answer_seconds,
            stall_seconds=stall_seconds,
            rules=rules,
            on_request=on_request,
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

    def ping(self, scope: CancelScope = NEVER) -> None:
        """Ask whether a registry answers here and lets us in; no proof that it can store."""
        request = RegistryRequest("ping the registry", "GET", "/v2/")
        response = self._connection.answer(request, scope)
        if not self._is_there(request, response):
            raise self._connection.refused(request, response)

    def manifest(
        self, repository: str, reference: str | Digest, scope: CancelScope = NEVER
    ) -> FetchedManifest | None:
        """The manifest of a tag or digest; None only on a 404.

        Raises ManifestDigestMismatch when its bytes are not those of the digest that was
        asked for, or that the registry itself claims.
        """
        request = self._manifest_request("read", "GET", repository, reference)
        response = self._connection.answer(request, scope, most=LARGEST)
        if not self._is_there(request, response):
            return None
        wanted = reference if isinstance(reference, Digest) else self._claim(request, response)
        if wanted and not _is_of(wanted, response.body):
            raise self._bad(
                Reason.MANIFEST_DIGEST_MISMATCH, request, f"content does not match {wanted}"
            )
        kind = response.headers.get("content-type", "")
        if _SCHEMA_1 in kind:
            cause = "it is a schema 1 manifest, which engines no longer pull"
            raise self._bad(Reason.IMAGE_NOT_FOUND, request, cause)
        try:
            parsed = read_manifest(response.body, kind)
        except TransferError as exc:
            raise self._bad(exc.reason, request, exc.message) from exc
        return FetchedManifest(response.body, parsed)

    def has_manifest(self, repository: str, digest: Digest, scope: CancelScope = NEVER) -> bool:
        """Is the manifest there? Only a 404 is False; whatever leaves it unknown raises."""
        request = self._manifest_request("look for", "HEAD", repository, digest)
        return self._is_there(request, self._connection.answer(request, scope))

    def tag_digest(
        self, repository: str, reference: str | Digest, scope: CancelScope = NEVER
    ) -> Digest | None:
        """What a tag names right now, for one HEAD; None only on a 404.

        A claim of the registry's, good for telling whether a tag moved. A registry that
        makes none is asked for the manifest itself.
        """
        request = self._manifest_request("look for", "HEAD", repository, reference)
        response = self._connection.answer(request, scope)
        if not self._is_there(request, response):
            return None
        claim = self._claim(request, response)
        if claim is None:
            fetched = self.manifest(repository, reference, scope)
            return fetched.digest if fetched else None
        return claim

    def put_manifest(
        self,
        repository: str,
        reference: str | Digest,
        content: bytes,
        media_type: str,
        scope: CancelScope = NEVER,
    ) -> Digest:
        """Store these bytes under a tag or their digest, after all their blobs.

        A success proves little (distribution #3743): read it back.
        """
        request = RegistryRequest(
            act=f"write manifest {named(repository, reference)}",
            method="PUT",
            url=manifest_path(repository, reference),
            scopes=(push_scope(repository),),
            headers={"Content-Type": media_type},
            content=content,
            kind=RequestKind.WRITE,
        )
        digest = reference if isinstance(reference, Digest) else Digest.of(content)
        if not _is_of(digest, content):
            raise self._bad(
                Reason.MANIFEST_DIGEST_MISMATCH, request, f"content does not match {digest}"
            )
        response = self._connection.answer(request, scope)
        if response.status != 201:
            raise self._connection.refused(request, response)
        claim = self._claim(request, response)
        if claim and not _is_of(claim, content):
            raise self._bad(
                Reason.MANIFEST_DIGEST_MISMATCH, request, f"the registry stored it as {claim}"
            )
        return digest

    def delete_manifest(
        self, repository: str, reference: str | Digest, scope: CancelScope = NEVER
    ) -> None:
        """By digest with every tag that names it, by tag that tag alone; see `deletion`."""
        deletion.delete(self._connection, repository, reference, scope)

    def tags(self, repository: str, scope: CancelScope = NEVER) -> tuple[str, ...]:
        """Every tag of the repository; see `deletion`."""
        return deletion.tags(self._connection, repository, scope)

    def blob_size(self, repository: str, digest: Digest, scope: CancelScope = NEVER) -> int | None:
        """Bytes of a blob as the registry has it stored; None only on a 404."""
        request = self._blob_request("look for", "HEAD", repository, digest)
        response = self._connection.answer(request, scope)
        if not self._is_there(request, response):
            return None
        size = response.headers.get("content-length", "")
        if not (size.isascii() and size.isdigit()):
            raise self._bad(Reason.PROTOCOL_ERROR, request, "response has no Content-Length")
        return int(size)

    def config(self, repository: str, descriptor: Descriptor, scope: CancelScope = NEVER) -> bytes:
        """An image config, proven by size and digest; at most LARGEST_CONFIG bytes."""
        request = self._blob_request("read config", "GET", repository, descriptor.digest)
        if descriptor.size > LARGEST_CONFIG:
            cause = f"{descriptor.size} bytes, more than {LARGEST_CONFIG}"
            raise self._bad(Reason.PROTOCOL_ERROR, request, cause)
        seconds = CONFIG_ANSWERS * self._answer_seconds
        late = self._bad(Reason.TIMEOUT, request, f"response not complete after {seconds:g} s")
        with (
            scope.within(seconds, late) as whole,
            self.open_blob(repository, descriptor, whole) as chunks,
        ):
            return b"".join(chunks)

    @contextlib.contextmanager
    def open_blob(
        self, repository: str, descriptor: Descriptor, scope: CancelScope = NEVER
    ) -> Iterator[Iterator[bytes]]:
        """The bytes of a blob, hashed as they pass; the last only once they are proven.

        Raises BlobMissing for a blob that is absent or shorter than the manifest says and
        DigestMismatch for other bytes; connected for as long as the `with`. Of an upstream
        a broken connection is followed by another one, for the bytes that are missing.
        """
        request = self._blob_request("read", "GET", repository, descriptor.digest)
        with downloading(self._connection, request, descriptor.size, scope) as chunks:
            yield verified(chunks, descriptor, self._connection.told(request))

    def mount(
        self, repository: str, digest: Digest, source: str, scope: CancelScope = NEVER
    ) -> bool:
        """Link a blob of the repository `source` without moving a byte; False: upload it."""
        return self._uploads(repository, scope).mount(digest, source)

    def upload_blob(
        self,
        repository: str,
        descriptor: Descriptor,
        content: Iterable[bytes],
        scope: CancelScope = NEVER,
    ) -> int:
        """Store a blob of known size; returns the bytes sent, 0 when it was there already.

        The registry is asked first, and `content` is not touched when it has the blob.
        Size and digest are compared before the last byte is sent: DigestMismatch or
        BlobMissing. What `content` itself raises comes out unchanged. Either way, and
        when cancelled, the upload is taken back.
        """
        if self.blob_size(repository, descriptor.digest, scope) == descriptor.size:
            return 0
        self._uploads(repository, scope).send(descriptor, content)
        return descriptor.size

    def upload_stream(
        self,
        repository: str,
        content: Iterable[bytes],
        media_type: str,
        scope: CancelScope = NEVER,
    ) -> Descriptor:
        """Store bytes whose length is not known before; returns what they turned out to be.

        What `content` raises comes out unchanged, and the upload is taken back.
        """
        sent = self._uploads(repository, scope).send_measured(content, "a layer")
        return Descriptor(media_type, sent.digest, sent.size)

    def _uploads(self, repository: str, scope: CancelScope) -> Uploads:
        return Uploads(self._connection, repository, scope, commit_seconds=self._stall_seconds)

    def _manifest_request(
        self, verb: str, method: str, repository: str, reference: str | Digest
    ) -> RegistryRequest:
        return RegistryRequest(
            act=f"{verb} manifest {named(repository, reference)}",
            method=method,
            url=manifest_path(repository, reference),
            scopes=(pull_scope(repository),),
            headers={"Accept": ACCEPT},
            may_be_elsewhere=True,
        )

    def _blob_request(
        self, verb: str, method: str, repository: str, digest: Digest
    ) -> RegistryRequest:
        return RegistryRequest(
            act=f"{verb} blob {named(repository, digest)}",
            method=method,
            url=blob_path(repository, digest),
            scopes=(pull_scope(repository),),
            may_be_elsewhere=method == "GET",
        )

    def _is_there(self, request: RegistryRequest, response: RegistryResponse) -> bool:
        """Only a registry's 404 is False; whatever leaves it unknown raises."""
        if is_foreign(response):
            cause = f"response is not from a registry: {words_of(response)}"
            raise self._bad(Reason.REGISTRY_UNREACHABLE, request, cause)
        if response.status == 404:
            return False
        if response.status != 200:
            raise self._connection.refused(request, response)
        return True

    def _claim(self, request: RegistryRequest, response: RegistryResponse) -> Digest | None:
        """The digest that the registry says this is; None where it says none."""
        said = response.headers.get("docker-content-digest", "")
        try:
            return Digest.parse(said) if said else None
        except InvalidReference as exc:
            raise self._bad(
                Reason.PROTOCOL_ERROR, request, "Docker-Content-Digest is not a digest"
            ) from exc

    def _bad(self, reason: Reason, request: RegistryRequest, cause: str) -> TransferError:
        return TransferError(reason, f"{self._connection.told(request)}: {cause}")


def _is_of(digest: Digest, content: bytes) -> bool:
    return hashlib.new(digest.algorithm, content).hexdigest() == digest.hex
