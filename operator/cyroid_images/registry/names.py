"""The paths of the distribution API, built only from parts that were checked.

Nothing of a user's text reaches a URL unchecked: `..`, `?`, `#`, `%` and white space are
refused before any request. Source of the grammar: OCI distribution-spec, "Pulling manifests".
"""

from __future__ import annotations

import re

import httpx

from cyroid_images.errors import InvalidReference, Reason, TransferError
from cyroid_images.model.images.digest import Digest

_REPOSITORY = re.compile(
    r"[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*)*", re.ASCII
)
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", re.ASCII)
_LONGEST_REPOSITORY = 255


def manifest_path(repository: str, reference: str | Digest) -> str:
    """Of a manifest by tag or digest; raises InvalidReference for what is neither."""
    return f"/v2/{_checked(repository)}/manifests/{checked_reference(reference)}"


def blob_path(repository: str, digest: Digest) -> str:
    """Of a blob; raises InvalidReference for an illegal repository."""
    return f"/v2/{_checked(repository)}/blobs/{digest}"


def uploads_path(repository: str) -> str:
    """Where an upload is opened; raises InvalidReference for an illegal repository."""
    return f"/v2/{_checked(repository)}/blobs/uploads/"


def tags_path(repository: str) -> str:
    """Where its tags are listed; raises InvalidReference for an illegal repository."""
    return f"/v2/{_checked(repository)}/tags/list"


def pull_scope(repository: str) -> str:
    """The right to read a repository, as token servers write it."""
    return f"repository:{_checked(repository)}:pull"


def push_scope(repository: str) -> str:
    """The right to read and write a repository, as token servers write it."""
    return f"repository:{_checked(repository)}:pull,push"


def delete_scope(repository: str) -> str:
    """The right to delete in a repository, as token servers write it."""
    return f"repository:{_checked(repository)}:delete"


def named(repository: str, reference: str | Digest) -> str:
    """repository:tag or repository@digest, for people."""
    return f"{repository}{'@' if isinstance(reference, Digest) else ':'}{reference}"


def upload_url(asked: httpx.URL, location: str, act: str) -> httpx.URL:
    """Where an upload goes on: Location may be relative or absolute and may hold a query.

    Raises UntrustedRedirect when it leads to another host, ProtocolError when it is none.
    Another scheme on the same host is ours again: a registry behind a proxy that ends TLS
    may not know that it is spoken to by https.
    """
    try:
        joined = asked.join(location)
    except (httpx.InvalidURL, ValueError):
        location = ""
    if not location:
        raise TransferError(Reason.PROTOCOL_ERROR, f"{act}: response has no usable Location")
    if joined.host != asked.host or joined.userinfo or _port(joined) != _port(asked):
        raise TransferError(
            Reason.UNTRUSTED_REDIRECT,
            f"{act}: upload redirect to {joined.host[:120]} is not followed",
        )
    return joined.copy_with(scheme=asked.scheme, port=asked.port)


def with_digest(location: httpx.URL, digest: Digest) -> httpx.URL:
    """The same place with `digest=` appended; what else it holds is the registry's."""
    return location.copy_add_param("digest", str(digest))


def checked_reference(reference: str | Digest) -> str:
    """A tag or a digest as text; raises InvalidReference for anything else."""
    if not isinstance(reference, Digest) and not _TAG.fullmatch(reference):
        raise InvalidReference(f"{reference[:80]!a} is not a tag")
    return str(reference)


def _checked(repository: str) -> str:
    if len(repository) > _LONGEST_REPOSITORY or not _REPOSITORY.fullmatch(repository):
        raise InvalidReference(f"{repository[:80]!a} is not a repository")
    return repository


def _port(url: httpx.URL) -> int | None:
    """The port that was written; a default that was left out is no other host."""
    return url.port if url.port not in (80, 443) else None
