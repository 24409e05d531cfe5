"""Where an image lives in our registry, and under which names a source may know it.

The source host stays the first component of the repository, so two names meet only if
they mean the same image (`ghcr.io/a/b` and `quay.io/a/b` never do). Names under an alias
of this registry lose the alias and live below `local/`, which is never a host.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache

from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.reference import DOCKER_HUB, Reference

LONGEST = 200
"""Characters of a repository: clients allow 255 together with host and port."""


StoredAs = tuple[str, str]
"""Repository and tag in the registry of a cache: what spellings of one image have in common."""

TRANSPORT_HOST = "transfer.cyroid.io"
"""Never dialled: the host of names that an image carries in engines while it is loaded, so
that leftovers of an interrupted load are known as ours."""


def repository_of(reference: Reference, aliases: Sequence[str]) -> str:
    """The repository of our registry that holds this image."""
    host = reference.host
    place = "local" if host in _lower(aliases) else host.replace(":", "_")
    mapped = f"{place}/{reference.path}"
    if len(mapped) <= LONGEST:
        return mapped
    return f"x__long/{hashlib.sha256(mapped.encode()).hexdigest()}"


def tag_of(reference: Reference) -> str:
    """The tag in our registry: a help for people, since engines pull by digest."""
    if reference.tag:
        return reference.tag
    return f"_by-{reference.digest.hex[:40]}" if reference.digest else "latest"


def stored_as(reference: Reference, aliases: Sequence[str]) -> StoredAs:
    """Where our registry keeps the image; passes ask for the same thousands again and again."""
    return _stored_as(reference, tuple(aliases))


@lru_cache(maxsize=8192)
def _stored_as(reference: Reference, aliases: tuple[str, ...]) -> StoredAs:
    return repository_of(reference, aliases), tag_of(reference)


def pin_tag(manifest: Digest) -> str:
    """The tag that keeps one manifest, whatever becomes of the others."""
    return f"_pin-{manifest.hex[:40]}"


def names_in_source(reference: Reference, aliases: Sequence[str]) -> tuple[Reference, ...]:
    """The names to look for in an engine or archive, first the one that was written.

    Only an alias name is also looked for under the other aliases and bare: a bare name
    at an upstream may be another's image, so this is not for upstreams.
    """
    if reference.host not in _lower(aliases):
        return (reference,)
    others = [reference.at(host) for host in _lower(aliases)]
    return tuple(dict.fromkeys((reference, *others, reference.at(DOCKER_HUB))))


def _lower(aliases: Sequence[str]) -> tuple[str, ...]:
    return tuple(alias.lower() for alias in aliases)
