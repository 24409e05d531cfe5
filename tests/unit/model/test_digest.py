"""Digests: exact forms only."""

from __future__ import annotations

import pytest

from cyroid_images.errors import InvalidReference
from cyroid_images.model.images.digest import Digest
from tests.unit.model.names_table import SHA256, SHA512


@pytest.mark.parametrize("text", [SHA256, SHA512])
def test_a_digest_survives_a_round_trip(text: str) -> None:
    assert str(Digest.parse(text)) == text


@pytest.mark.parametrize(
    "text", ["", "sha256:", SHA256 + "\n", SHA256[:-1], SHA256.upper(), "sha512:" + SHA256[7:]]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(InvalidReference):
        Digest.parse(text)


def test_it_is_computed_from_the_bytes() -> None:
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert Digest.of(b"") == Digest("sha256", empty)
    assert Digest.of(b"").short == "e3b0c44298fc"
