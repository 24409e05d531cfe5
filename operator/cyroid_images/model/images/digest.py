"""A digest names exact bytes: `sha256:<64 hex>` or `sha512:<128 hex>`.

Source of the form: OCI image-spec, descriptor.md, "Digests". Hashing lives where the
bytes are; here is only the value.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from cyroid_images.errors import InvalidReference

PATTERN = r"(?:sha256:[a-f0-9]{64}|sha512:[a-f0-9]{128})"
"""The form of a digest, for a full match; without anchors."""

_FORM = re.compile(PATTERN, re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class Digest:
    """The digest of a manifest, a blob, a config or an uncompressed layer."""

    algorithm: str
    hex: str

    @classmethod
    def parse(cls, text: str) -> Digest:
        """Read `algorithm:hex`; raises InvalidReference for anything else."""
        if not _FORM.fullmatch(text):
            raise InvalidReference(f"{text[:80]!r} is not a digest (sha256:<64 hex digits>)")
        algorithm, _, digits = text.partition(":")
        return cls(algorithm, digits)

    @classmethod
    def of(cls, content: bytes) -> Digest:
        """The sha256 digest of these bytes."""
        return cls("sha256", hashlib.sha256(content).hexdigest())

    @property
    def short(self) -> str:
        """Twelve hex digits, as Docker shows them to people."""
        return self.hex[:12]

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.hex}"
