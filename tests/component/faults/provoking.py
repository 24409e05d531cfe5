"""How a fault is provoked: one move of a real engine that is going to fail, and its error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from cyroid_images.errors import TransferError
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.manifest import OCI_INDEX
from cyroid_images.model.images.reference import Reference
from cyroid_images.model.telemetry.progress import ignore
from cyroid_images.registry.client import RegistryClient
from cyroid_images.scheduling.cancel_scope import NEVER
from tests.parts.engines import EnginePart
from tests.parts.images import TinyImage, index_of
from tests.parts.range_engine import LIMITS
from tests.parts.registry import CREDENTIALS, RegistryPart

NOBODY = Digest.parse(f"sha256:{'0' * 64}")
"""The digest of nothing."""


def at(host: str, repository: str, digest: Digest = NOBODY) -> Reference:
    """A transport reference."""
    return Reference.parse(f"{host}/{repository}@{digest}")


def refusal(part: EnginePart, move: str, transport: Reference) -> TransferError:
    """The error of this preflight, pull or push; that there is none fails the test."""
    with pytest.raises(TransferError) as caught:
        _run(part, move, transport)
    return caught.value


def _run(part: EnginePart, move: str, transport: Reference) -> None:
    match move:
        case "preflight":
            part.engine.preflight(transport, None, NEVER)
        case "pull":
            part.engine.pull(transport, ignore, limits=LIMITS, cancellation=NEVER)
        case "push":
            name = replace(transport, tag="pushed", digest=None)
            part.load_image(str(name))
            try:
                part.engine.push(name, CREDENTIALS, ignore, limits=LIMITS, cancellation=NEVER)
            finally:
                part.engine.untag(name)
        case _:
            raise AssertionError(move)


def put_index(part: RegistryPart, repository: str, images: Mapping[str, TinyImage]) -> Digest:
    """An index of these platforms; all of them are in the registry."""
    for image in images.values():
        part.push(repository, "child", image)
    content = index_of(images)
    with RegistryClient(part.push_endpoint) as registry:
        return registry.put_manifest(repository, Digest.of(content), content, OCI_INDEX)
