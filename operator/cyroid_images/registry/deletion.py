"""Removing from a registry, and what has to be known before: which tags it has.

By digest a registry removes the manifest with every tag that names it. By tag distribution 3
removes that tag alone, while 2.8 answers 400; where deletion is not enabled both answer 405.
Source: OCI distribution-spec 1.1, "Content Management"; distribution 2.8.2 and 3.0.0, asked.
"""

from __future__ import annotations

from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.images.digest import Digest
from cyroid_images.registry import listing
from cyroid_images.registry.connection import Connection
from cyroid_images.registry.errors import RequestKind, is_foreign, words_of
from cyroid_images.registry.names import (
    delete_scope,
    manifest_path,
    named,
)
from cyroid_images.registry.transport import RegistryRequest
from cyroid_images.scheduling.cancel_scope import CancelScope

MOST_TAGS = 2000
"""Tags of one repository that are looked through; each is asked for with a call of its own."""
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
    """Every tag; none where the repository is not there.

    Raises RemovalFailed for more than MOST_TAGS: what is not all read proves no absence.
    """
    found = listing.tags(connection, repository, MOST_TAGS + 1, scope) or ()
    if len(found) > MOST_TAGS:
        cause = f"{repository} has more than {MOST_TAGS} tags, too many to look through"
        raise TransferError(Reason.REMOVAL_FAILED, cause)
    return tuple(found)
