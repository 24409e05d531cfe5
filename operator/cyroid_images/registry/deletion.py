"""Removing from a registry, and what has to be known before: which tags it has.

By digest a registry removes the manifest with every tag that names it. By tag distribution 3
removes that tag alone, while 2.8 answers 400; where deletion is not enabled both answer 405.
Source: OCI distribution-spec 1.1, "Content Management"; distribution 2.8.2 and 3.0.0, asked.
"""

from __future__ import annotations

import json

import httpx

from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.images.digest import Digest
from cyroid_images.registry.connection import Connection
from cyroid_images.registry.errors import RequestKind, is_foreign, words_of
from cyroid_images.registry.names import (
    delete_scope,
    manifest_path,
    named,
    pull_scope,
    tags_path,
)
from cyroid_images.registry.transport import RegistryRequest
from cyroid_images.scheduling.cancel_scope import CancelScope

MOST_TAGS = 2000
"""Tags of one repository that are looked through; each is asked for with a call of its own."""
LARGEST_LIST = 1024 * 1024
"""Bytes of a list of tags, which have 128 characters at most; 2.8 sends all at once."""
_PAGE = 1000
_GONE = frozenset({200, 202, 204})


def delete(
    connection: Connection, repository: str, reference: str | Digest, scope: CancelScope
) -> None:
    """Remove a manifest by its digest, or one tag; what is gone already is fine.

    Raises DeletionRefused or RegistryReadOnly where nothing is deleted at all, RemovalFailed
    where this is not. A success proves little: look whether it is gone.
    """
    request = RegistryRequest(
        act=f"delete manifest {named(repository, reference)}",
        method="DELETE",
        url=manifest_path(repository, reference),
        scopes=(delete_scope(repository),),
        kind=RequestKind.DELETE,
    )
    response = connection.answer(request, scope)
    if is_foreign(response):
        cause = f"response is not from a registry: {words_of(response)}"
        raise TransferError(Reason.REGISTRY_UNREACHABLE, f"{connection.told(request)}: {cause}")
    if response.status not in (*_GONE, 404):
        raise connection.refused(request, response)


def tags(connection: Connection, repository: str, scope: CancelScope) -> tuple[str, ...]:
    """Every tag, in pages; none where the repository is not there.

    Raises RemovalFailed for more than MOST_TAGS: what is not all read proves no absence.
    """
    found: dict[str, None] = {}
    last: str | None = None
    while True:
        page, is_last = _page(connection, repository, last, scope)
        before = len(found)
        found.update(dict.fromkeys(page))
        if len(found) > MOST_TAGS:
            cause = f"{repository} has more than {MOST_TAGS} tags, too many to look through"
            raise TransferError(Reason.REMOVAL_FAILED, cause)
        if is_last or len(found) == before:
            return tuple(found)
        last = page[-1]


def _page(
    connection: Connection, repository: str, last: str | None, scope: CancelScope
) -> tuple[list[str], bool]:
    """One page, and whether it is the last one: the next begins behind its last tag."""
    query = {"n": str(_PAGE), **({"last": last} if last is not None else {})}
    request = RegistryRequest(
        act=f"list the tags of {repository}",
        method="GET",
        url=httpx.URL(tags_path(repository), params=query),
        scopes=(pull_scope(repository),),
    )
    response = connection.answer(request, scope, most=LARGEST_LIST)
    if is_foreign(response):
        cause = f"response is not from a registry: {words_of(response)}"
        raise TransferError(Reason.REGISTRY_UNREACHABLE, f"{connection.told(request)}: {cause}")
    if response.status == 404:
        return [], True
    if response.status != 200:
        raise connection.refused(request, response)
    listed = _read(response.body)
    if listed is None:
        cause = "the list of tags cannot be read"
        raise TransferError(Reason.PROTOCOL_ERROR, f"{connection.told(request)}: {cause}")
    return listed, "link" not in response.headers


def _read(body: bytes) -> list[str] | None:
    """The tags; a repository whose last tag is gone says null (2.8)."""
    try:
        listed = json.loads(body)["tags"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    if listed is None:
        return []
    are_texts = isinstance(listed, list) and all(isinstance(each, str) for each in listed)
    return listed if are_texts else None
