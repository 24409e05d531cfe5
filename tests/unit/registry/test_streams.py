"""Bytes on their way: the last chunk is handed out only when it is proven."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

import pytest

from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.manifest import Descriptor
from cyroid_images.registry.streams import CompletedBody, HashedStream, verified

CHUNKS = [b"one", b"", b"two", b"three"]
WHOLE = b"onetwothree"
DESCRIPTOR = Descriptor("x", Digest.of(WHOLE), len(WHOLE))


def test_the_right_bytes_pass_unchanged() -> None:
    """Nothing is lost, whatever the chunks."""
    assert b"".join(verified(CHUNKS, DESCRIPTOR, "act")) == WHOLE


def test_sha512_has_its_own_hash() -> None:
    """A digest names its algorithm."""
    digest = Digest("sha512", hashlib.sha512(WHOLE).hexdigest())
    assert b"".join(verified(CHUNKS, Descriptor("x", digest, len(WHOLE)), "act")) == WHOLE


def test_an_empty_blob_is_a_blob() -> None:
    """No chunk at all, and still proven."""
    assert list(verified([], Descriptor("x", Digest.of(b""), 0), "act")) == []


@pytest.mark.parametrize(
    ("chunks", "reason"),
    [
        pytest.param([b"one", b"two", b"threE"], Reason.DIGEST_MISMATCH, id="flipped"),
        pytest.param([b"one", b"two"], Reason.BLOB_MISSING, id="short"),
        pytest.param([*CHUNKS, b"x"], Reason.DIGEST_MISMATCH, id="long"),
        pytest.param([], Reason.BLOB_MISSING, id="empty"),
    ],
)
def test_wrong_bytes_raise_before_the_last_chunk(chunks: Sequence[bytes], reason: Reason) -> None:
    """Whoever passes them on never completes a wrong blob."""
    passed: list[bytes] = []
    with pytest.raises(TransferError) as caught:
        passed.extend(verified(chunks, DESCRIPTOR, "act"))
    assert caught.value.reason is reason
    assert len(b"".join(passed)) < len(WHOLE)


def test_bytes_of_unknown_length_are_measured() -> None:
    """Digest and size are those of what passed."""
    measured = HashedStream(CHUNKS)
    assert b"".join(measured) == WHOLE
    assert (measured.digest, measured.size) == (DESCRIPTOR.digest, DESCRIPTOR.size)


def failing() -> Iterator[bytes]:
    yield b"one"
    raise KeyError("source")


def test_a_source_that_fails_ends_properly_and_raises_when_asked() -> None:
    """So an upload's body has an end, and the failure is not lost."""
    ending = CompletedBody(failing())
    assert list(ending) == [b"one"]
    with pytest.raises(KeyError, match="source"):
        ending.raise_failure()


def test_a_source_that_ends_well_has_no_failure() -> None:
    """Nothing is raised."""
    ending = CompletedBody(CHUNKS)
    list(ending)
    ending.raise_failure()
