"""How what lies in a registry is proven: by size after each push, by content where in doubt."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.knowledge import ImageLocation, Stored, Wanted
from cyroid_images.registry.client import RegistryClient
from cyroid_images.transfer.lookup import WHAT_HELPS, find, verify, verify_content
from tests.parts.registry import RegistryPart
from tests.parts.save_tars import noise


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


def stored(part: RegistryPart, client: RegistryClient, name: str) -> Stored:
    """An image of this test alone."""
    part.push_image(name, "1", layers=({"noise": noise(50_000, sum(name.encode()))},))
    found = find(client, ImageLocation(name, "1"), Wanted())
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("damage", "by_size", "by_content"),
    [
        (flip, None, Reason.DIGEST_MISMATCH),
        (cut, Reason.BLOB_MISSING, Reason.BLOB_MISSING),
        (Path.unlink, Reason.BLOB_MISSING, Reason.BLOB_MISSING),
        (lambda _: None, None, None),
    ],
    ids=["flipped", "cut", "gone", "whole"],
)
def test_damage_to_a_layer_is_found(
    registry: RegistryPart,
    request: pytest.FixtureRequest,
    damage: Callable[[Path], object],
    by_size: Reason | None,
    by_content: Reason | None,
) -> None:
    """And the message says what an admin can do."""
    with RegistryClient(registry.push_endpoint) as client:
        image = stored(registry, client, f"proofs/{request.node.callspec.id}")
        damage(registry.blob_file(image.manifest.layers[0].digest))
        assert reason_of(lambda: verify(client, image)) is by_size
        assert reason_of(lambda: verify_content(client, image)) is by_content


def reason_of(proof: Callable[[], None]) -> Reason | None:
    """What the proof fails with, if it does."""
    try:
        proof()
    except TransferError as error:
        return error.reason if error.message.endswith(WHAT_HELPS) else Reason.INTERNAL_ERROR
    return None
