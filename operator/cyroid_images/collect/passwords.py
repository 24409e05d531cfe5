"""Who may ask: the push user, by the htpasswd file that the push listener reads."""

from __future__ import annotations

import base64
import binascii
from pathlib import Path

import bcrypt

LARGEST = 64 * 1024
"""Bytes of the file."""
LONGEST_HEADER = 4096


def may_ask(file: Path, header: str | None) -> bool:
    """Does this Authorization header name a user of the file, with the right password?

    The file is read anew each time, so a new password counts at once. Raises OSError.
    """
    given = _basic(header)
    if given is None:
        return False
    name, password = given
    hashed = _users(file).get(name)
    if hashed is None:
        return False
    try:
        return bcrypt.checkpw(password, hashed)
    except ValueError:  # not a bcrypt hash, or a password longer than bcrypt takes
        return False


def _basic(header: str | None) -> tuple[bytes, bytes] | None:
    scheme, _, encoded = (header or "").partition(" ")
    if scheme.lower() != "basic" or len(encoded) > LONGEST_HEADER:
        return None
    try:
        name, colon, password = base64.b64decode(encoded.strip(), validate=True).partition(b":")
    except (binascii.Error, ValueError):
        return None
    return (name, password) if colon else None


def _users(file: Path) -> dict[bytes, bytes]:
    with file.open("rb") as opened:
        lines = opened.read(LARGEST).splitlines()
    pairs = [line.strip().partition(b":") for line in lines if b":" in line]
    return {name: hashed for name, _, hashed in pairs if not name.startswith(b"#")}
