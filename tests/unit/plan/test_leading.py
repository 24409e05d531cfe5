"""Whose turn it is: by the holder, and by how long the Lease stands still."""

from __future__ import annotations

import pytest

from cyroid_images.model.lease import Lease
from cyroid_images.plan.leading import Claim, claim


def held(holder: str) -> Lease:
    return Lease(holder, 35, "2026-01-01T00:00:00Z", 1, "7", "uid")


@pytest.mark.parametrize(
    ("seen", "still_for", "answer"),
    [
        (None, 0.0, Claim.TAKE),
        (held(""), 0.0, Claim.TAKE),
        (held("me"), 0.0, Claim.KEEP),
        (held("me"), 99.0, Claim.KEEP),
        (held("other"), 0.0, Claim.WAIT),
        (held("other"), 34.9, Claim.WAIT),
        (held("other"), 35.0, Claim.TAKE),
    ],
)
def test_the_claim(seen: Lease | None, still_for: float, answer: Claim) -> None:
    assert claim(seen, "me", still_for) is answer
