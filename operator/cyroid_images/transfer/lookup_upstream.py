"""Is an image at an upstream, and what is it there? A few small requests, no layer bytes.

The first look reads manifest and config; later ones ask by HEAD whether the tag still
names the same digest, which costs no pull of a rate limit (Docker Hub counts GETs).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace

from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.image import content_of_config
from cyroid_images.model.images.manifest import OCI_CONFIG, Index, IndexEntry, Manifest
from cyroid_images.model.images.platform import Platform
from cyroid_images.model.knowledge import HeldByUpstream, Stored, UpstreamAsk
from cyroid_images.model.registry import UpstreamEndpoint
from cyroid_images.model.telemetry.request_observer import RequestObserver, unobserved
from cyroid_images.registry.client import RegistryClient
from cyroid_images.registry.retry import RetryPolicy
from cyroid_images.registry.upstream import UpstreamRules
from cyroid_images.scheduling.cancel_scope import NEVER, CancelScope

_IMAGE_CONFIGS = frozenset(
    {
        OCI_CONFIG,
        "application/vnd.docker.container.image.v1+json",
        "application/octet-stream",  # Docker 1.10 (distribution, manifest/schema2)
    }
)
_NOT_DISTRIBUTABLE = ("nondistributable", "foreign")
"""In a layer's media type: its bytes are at another place, which nobody declared."""

_TAR = ".tar"
"""In the media type of each layer of an image; signatures call their config an image's, too."""

MOST_NAMED = 12
"""Platforms that a message names: an index of Docker Hub has about as many."""


def upstream_registry(
    upstream: UpstreamEndpoint,
    retry: RetryPolicy | None = None,
    on_request: RequestObserver = unobserved,
) -> RegistryClient:
    """The registry behind an upstream; keep it, for it remembers its tokens."""
    rules = UpstreamRules(upstream.token_hosts, retry or RetryPolicy())
    return RegistryClient(upstream.registry, rules=rules, on_request=on_request)


def find_upstream(
    registry: RegistryClient, ask: UpstreamAsk, default: Platform, cancellation: CancelScope = NEVER
) -> HeldByUpstream | None:
    """The one image that is meant there; None only on a 404.

    Of an index it is the child for the platform that is asked for; without one the only
    child, else the one for `default`. Raises TransferError: PlatformMismatch names the
    platforms that there are, ImageNotFound says what is there instead of an image, and
    a host that does not answer is SourceUnreachable.
    """
    if ask.reference.host != ask.upstream.host:
        raise TransferError(
            Reason.HOST_NOT_ALLOWED, f"{ask.reference} is not an image of {ask.upstream.host}"
        )
    with as_source():
        if ask.known and holds_still(registry, ask, ask.known, cancellation):
            return ask.known
        stored = _look(registry, ask, default, cancellation)
    return HeldByUpstream(ask.source, ask.upstream, stored) if stored else None


def holds_still(
    registry: RegistryClient,
    ask: UpstreamAsk,
    known: HeldByUpstream,
    cancellation: CancelScope = NEVER,
) -> bool:
    """Does the reference name what it named then? One HEAD."""
    digest = registry.tag_digest(ask.reference.path, _named(ask), cancellation)
    return digest is not None and digest in known.content.identities


def refuse_what_cannot_be_copied(manifest: Manifest, where: str) -> None:
    """Raises ImageNotFound for an artifact, and for layers that are kept somewhere else."""
    if manifest.config.media_type not in _IMAGE_CONFIGS:
        raise _no_image(where, f"an artifact ({manifest.config.media_type[:80]})")
    for layer in manifest.layers:
        kind = layer.media_type[:80]
        if any(word in layer.media_type for word in _NOT_DISTRIBUTABLE):
            raise TransferError(
                Reason.IMAGE_NOT_FOUND,
                f"{where} cannot be copied: it has a foreign layer ({kind}), kept elsewhere",
            )
        if _TAR not in layer.media_type:
            raise _no_image(where, f"an artifact (of {kind})")


@contextlib.contextmanager
def as_source() -> Iterator[None]:
    """An upstream that does not answer is SourceUnreachable, not RegistryUnreachable."""
    try:
        yield
    except TransferError as exc:
        if exc.reason is not Reason.REGISTRY_UNREACHABLE:
            raise
        raise TransferError(
            Reason.SOURCE_UNREACHABLE, exc.message, retry_after=exc.retry_after
        ) from exc


def _look(
    registry: RegistryClient, ask: UpstreamAsk, default: Platform, cancellation: CancelScope
) -> Stored | None:
    repository = ask.reference.path
    fetched = registry.manifest(repository, _named(ask), cancellation)
    if fetched is None:
        return None
    parsed: Manifest | Index = fetched.parsed
    aliases: frozenset[Digest] = frozenset()
    chosen: Platform | None = None
    if isinstance(parsed, Index):
        aliases = frozenset({parsed.digest})
        entry = _child(parsed, ask, default)
        chosen = entry.platform
        inner = registry.manifest(repository, entry.descriptor.digest, cancellation)
        if inner is None or isinstance(inner.parsed, Index):
            what = "a nested index" if inner else "not there"
            digest = entry.descriptor.digest
            raise TransferError(
                Reason.IMAGE_NOT_FOUND, f"{ask.reference}: its child {digest} is {what}"
            )
        parsed = inner.parsed
    refuse_what_cannot_be_copied(parsed, str(ask.reference))
    config = registry.config(repository, parsed.config, cancellation)
    content = replace(content_of_config(config, manifest=parsed.digest), aliases=aliases)
    _check_platform(ask, content.platform, chosen)
    return Stored(repository, parsed, content)


def _no_image(where: str, found: str) -> TransferError:
    """What was found instead, since a name that is there and not found puzzles people."""
    return TransferError(
        Reason.IMAGE_NOT_FOUND, f"{where} is not an image that an engine can run: it is {found}"
    )


def _named(ask: UpstreamAsk) -> str | Digest:
    """A digest decides over a tag."""
    return ask.reference.digest or ask.reference.tag or "latest"


def _child(index: Index, ask: UpstreamAsk, default: Platform) -> IndexEntry:
    images = [entry for entry in index.entries if entry.platform]
    if not images:
        raise _no_image(str(ask.reference), "an index that lists no image")
    if ask.platform is None and len(images) == 1:
        return images[0]
    wanted = ask.platform or default
    matches = [entry for entry in images if entry.platform == wanted]
    if not matches:
        raise _mismatch(ask, wanted, [str(entry.platform) for entry in images])
    return matches[0]


def _check_platform(ask: UpstreamAsk, found: Platform, chosen: Platform | None) -> None:
    """The config decides, but configs of an index may leave out the variant."""
    if chosen is not None:
        if (found.os, found.architecture) != (chosen.os, chosen.architecture):
            raise _mismatch(ask, chosen, [str(found)])
    elif ask.platform not in (None, found):
        raise _mismatch(ask, ask.platform or found, [str(found)])


def _mismatch(ask: UpstreamAsk, wanted: Platform, there: list[str]) -> TransferError:
    named = sorted(set(there))
    more = f" and {len(named) - MOST_NAMED} more" if len(named) > MOST_NAMED else ""
    listed = ", ".join(named[:MOST_NAMED]) or "no platform"
    return TransferError(
        Reason.PLATFORM_MISMATCH,
        f"{ask.reference} at {ask.upstream.host} is for {listed}{more}, not for {wanted}",
    )
