"""Is an image in our registry, and what is it there? A few small requests, no layer bytes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace

from cyroid_images.errors import Mark, Reason, TransferError
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.image import ImageContent, content_of_config
from cyroid_images.model.images.manifest import Descriptor, Index, Manifest
from cyroid_images.model.images.platform import Platform
from cyroid_images.model.knowledge import ImageLocation, Stored, StoredCheck, Wanted
from cyroid_images.registry.client import FetchedManifest, RegistryClient
from cyroid_images.scheduling.cancel_scope import NEVER, CancelScope

_DAMAGE = frozenset(
    {
        Reason.PROTOCOL_ERROR,
        Reason.MANIFEST_DIGEST_MISMATCH,
        Reason.DIGEST_MISMATCH,
        Reason.BLOB_MISSING,
    }
)
"""What is wrong with one manifest and says nothing of another one."""

WHAT_HELPS = (
    "a registry does not write again what it believes it has: delete the manifest there, run its"
    " garbage collection and restart it; then the image is pushed again"
)


def find(registry: RegistryClient, place: ImageLocation, wanted: Wanted) -> Stored | None:
    """The wanted content in this repository, by tag, then by the digests it is known by.

    The tag comes first: an image that a containerd store pushed uncompressed once is there
    by its digest still, and by its tag as we put it there since. What others push under
    the tag is other content, and passed over. Without a wanted content whatever the tag holds
    for the platform is the answer. None means: not there. Raises TransferError where the
    registry could not be asked, or has only damage to show.
    """
    found = locate(registry, place, wanted)
    return found[0] if found else None


def locate(
    registry: RegistryClient, place: ImageLocation, wanted: Wanted
) -> tuple[Stored, str | Digest] | None:
    """The same, and the tag or digest under which it was found."""
    content = wanted.content
    platform = content.platform if content else wanted.platform
    damage: TransferError | None = None
    for reference in (place.tag, *_manifests(content)):
        try:
            stored = _described(registry, place.repository, reference, platform)
        except TransferError as exc:
            if exc.reason not in _DAMAGE:
                raise
            damage = damage or exc
            continue
        if stored and _answers(stored, content, platform):
            return stored, reference
    if damage is not None:
        raise damage
    return None


def holds(registry: RegistryClient, stored: Stored, tag: str) -> StoredCheck:
    """Is it there still, and does its tag still name it? One HEAD where both are so.

    Raises TransferError where the registry could not be asked.
    """
    tagged = registry.tag_digest(stored.repository, tag)
    digest = stored.manifest.digest
    return StoredCheck(tagged == digest or registry.has_manifest(stored.repository, digest), tagged)


def _described(
    registry: RegistryClient, repository: str, reference: str | Digest, platform: Platform | None
) -> Stored | None:
    fetched = registry.manifest(repository, reference)
    return describe(registry, repository, fetched, platform) if fetched else None


def _manifests(content: ImageContent | None) -> tuple[Digest, ...]:
    """The digests under which the content may be stored: of its manifest, if that is known.

    Never that of its config, which is the ID on a classic engine: the registry has a blob of
    that digest, takes it for a manifest and answers 500 (seen on 2.8).
    """
    if content is None:
        return ()
    if content.manifest:
        return (content.manifest,)
    return tuple(sorted(content.identities - {content.config}))


def _answers(stored: Stored, content: ImageContent | None, platform: Platform | None) -> bool:
    if content is not None:
        return stored.content.is_same(content)
    return platform is None or stored.content.platform == platform


def describe(
    registry: RegistryClient,
    repository: str,
    fetched: FetchedManifest,
    platform: Platform | None,
    cancellation: CancelScope = NEVER,
) -> Stored | None:
    """What a manifest of ours is; of an index the child for `platform`, or None."""
    aliases: frozenset[Digest] = frozenset()
    parsed: Manifest | Index = fetched.parsed
    if isinstance(parsed, Index):
        aliases = frozenset({parsed.digest})
        child = parsed.choose(platform) if platform else None
        inner = registry.manifest(repository, child.digest, cancellation) if child else None
        if inner is None or isinstance(inner.parsed, Index):
            return None
        parsed = inner.parsed
    config = registry.config(repository, parsed.config, cancellation)
    content = content_of_config(config, manifest=parsed.digest)
    return Stored(repository, parsed, replace(content, aliases=aliases))


def verify(registry: RegistryClient, stored: Stored, cancellation: CancelScope = NEVER) -> None:
    """Ask for everything that a push left: the manifest's bytes and each blob's size.

    A 201 proves nothing: with a stale descriptor cache a registry accepts a push that
    it does not store (distribution #3743). Raises TransferError(PushNotDurable or BlobMissing).
    """
    manifest = stored.manifest
    with telling_what_helps():
        if registry.manifest(stored.repository, manifest.digest, cancellation) is None:
            raise not_durable(stored.repository, manifest.digest)
        for blob in (manifest.config, *manifest.layers):
            size = registry.blob_size(stored.repository, blob.digest, cancellation)
            if size != blob.size:
                found = "is missing" if size is None else f"has {size} bytes"
                raise TransferError(
                    Reason.BLOB_MISSING,
                    f"{stored.repository}: blob {blob.digest} of {blob.size} bytes {found}",
                )


def verify_content(
    registry: RegistryClient, stored: Stored, cancellation: CancelScope = NEVER
) -> None:
    """Read every byte, which `verify` spares; raises TransferError, DigestMismatch above all."""
    for blob in (stored.manifest.config, *stored.manifest.layers):
        with telling_what_helps():
            _read(registry, stored.repository, blob, cancellation)


def not_durable(repository: str, digest: Digest) -> TransferError:
    """The registry took a manifest that it does not have."""
    return TransferError(
        Reason.PUSH_NOT_DURABLE,
        f"the registry accepted {repository}@{digest}, but does not have it",
    )


@contextlib.contextmanager
def telling_what_helps() -> Iterator[None]:
    """Damage in our registry ends with what an admin can do: we cannot write it anew."""
    try:
        yield
    except TransferError as exc:
        if exc.reason.mark is not Mark.INTEGRITY or exc.message.endswith(WHAT_HELPS):
            raise
        raise TransferError(exc.reason, f"{exc.message}; {WHAT_HELPS}") from exc


def _read(
    registry: RegistryClient, repository: str, blob: Descriptor, cancellation: CancelScope
) -> None:
    with registry.open_blob(repository, blob, cancellation) as chunks:
        for _ in chunks:
            pass
