"""The name of an image, parsed once: host / path [: tag] [@ digest].

The grammar is that of distribution/reference (`reference.go`); the steps are: cut at
the first `@`, cut the head at the first `/` and decide whether it is a host, cut the
rest at the first `:`, add `library/`, then check every part. `PATTERN` is the same
grammar as one regular expression for the API server, built from the same parts. How a
reference maps to a repository of our registry is told in `repository.py`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from cyroid_images.errors import InvalidReference
from cyroid_images.model.images.digest import PATTERN as DIGEST
from cyroid_images.model.images.digest import Digest

DOCKER_HUB = "docker.io"
LONGEST = 512
"""Characters a reference may have: what the API schema allows."""

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_PORT = r":[0-9]{1,5}"
HOST = rf"(?:{_LABEL}(?:\.{_LABEL})+(?:{_PORT})?|{_LABEL}{_PORT}|localhost)"
"""What Docker reads as a host before a slash: a dot, a port, or `localhost`."""

_COMPONENT = r"[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*"
_NOT_A_HOST = r"[a-z0-9]+(?:(?:__?|-+)[a-z0-9]+)*"
_TAG = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
PATTERN = (
    rf"^(?:(?:{HOST}|{_NOT_A_HOST})/{_COMPONENT}(?:/{_COMPONENT})*|{_COMPONENT})"
    rf"(?::{_TAG})?(?:@{DIGEST})?$"
)
"""For the API server (RE2 syntax): with `IMAGE_ID` refused it accepts what `parse` does."""

IMAGE_ID = rf"^(?:[a-f0-9]{{64}}|{DIGEST})$"
"""What Docker reads as an image ID, wherever a name is expected; also a digest alone."""

HAS_TAG = rf"^[^@]*:{_TAG}(?:@|$)"
"""Finds a tag in what `PATTERN` accepts; the port of a host is followed by a slash."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A normalised image name: two references are equal when they mean the same image.

    `host` is lower case and `docker.io` when none was written; `path` has `library/`
    where Docker Hub implies it. Without tag and digest the tag is `latest`.
    """

    host: str
    path: str
    tag: str | None
    digest: Digest | None = None

    def __hash__(self) -> int:
        """Of what tells most apart: every pass looks references up by the thousand."""
        return hash((self.path, self.tag))

    @classmethod
    def parse(cls, text: str) -> Reference:
        """Read what a person wrote; raises InvalidReference and says which rule it breaks."""
        return _parsed(text)

    @classmethod
    def _read(cls, text: str) -> Reference:
        _refuse_what_is_no_reference(text)
        name, at, digits = text.partition("@")
        host, rest = _split_host(name)
        path, colon, tag = rest.partition(":")
        digest = Digest.parse(digits) if at else None
        if colon and not re.fullmatch(_TAG, tag, re.ASCII):
            raise InvalidReference(
                f"{text[:80]!r}: {tag[:80]!r} is not a tag (at most 128 of A-Z a-z 0-9 _ . -)"
            )
        for component in path.split("/"):
            if not re.fullmatch(_COMPONENT, component, re.ASCII):
                raise InvalidReference(
                    f"{text[:80]!r}: {component[:80]!r} is not a path component (lower case"
                    " letters, digits, separated by one of . _ __ -)"
                )
        chosen = tag or (None if digest else "latest")
        return cls(host, _path_on(host, path), chosen, digest)

    @property
    def name(self) -> str:
        """host/path, without tag and digest."""
        return f"{self.host}/{self.path}"

    @property
    def familiar(self) -> str:
        """host/path as an engine shows it: `nginx`, not `docker.io/library/nginx`.

        Whatever would be read as something else without `docker.io/` keeps it, and
        `library/` is implied only before a single component.
        """
        if self.host != DOCKER_HUB:
            return self.name
        short = self.path.removeprefix("library/")
        if "/" in short:
            first = self.path.partition("/")[0]
            return self.name if _is_host(first) else self.path
        return short

    @property
    def tagged(self) -> Reference:
        """The same name without the digest: what an image is called in an engine."""
        return self if self.digest is None else replace(self, digest=None)

    def at(self, host: str) -> Reference:
        """The same path, tag and digest on another host."""
        return replace(self, host=host.lower(), path=_path_on(host.lower(), self.path))

    def __str__(self) -> str:
        """The shortest text that parses to this reference again."""
        tag = f":{self.tag}" if self.tag else ""
        ending = f"{tag}{f'@{self.digest}' if self.digest else ''}"
        short = f"{self.familiar}{ending}"
        return f"{self.name}{ending}" if re.match(IMAGE_ID, short) else short


@lru_cache(maxsize=4096)
def _parsed(text: str) -> Reference:
    """The same names stand in each range of an event: a list of 500 is read in half the time."""
    return Reference._read(text)


def _path_on(host: str, path: str) -> str:
    """Docker Hub keeps its official images, which have no namespace, under `library/`."""
    return f"library/{path}" if host == DOCKER_HUB and "/" not in path else path


def _refuse_what_is_no_reference(text: str) -> None:
    """The refusals that deserve their own sentence; credentials are never repeated."""
    if not text or len(text) > LONGEST:
        raise InvalidReference(f"an image reference has 1 to {LONGEST} characters")
    before_digest, _, after = text.partition("@")
    if after and not after.startswith(("sha256:", "sha512:")):
        raise InvalidReference(
            "an image reference holds no credentials, and after @ only sha256: or sha512:"
        )
    if not text.isascii() or not text.isprintable() or " " in text:
        raise InvalidReference(f"{text[:80]!a}: only printable ASCII without spaces")
    if "://" in text:
        raise InvalidReference(f"{before_digest[:80]!r} is a URL: name the image, not an address")
    if re.match(IMAGE_ID, text):
        raise InvalidReference("an image ID is not a reference: name the image")


def _is_host(first: str) -> bool:
    """Whether Docker takes the part before the first slash for a host."""
    return first == "localhost" or "." in first or ":" in first or first != first.lower()


def _split_host(name: str) -> tuple[str, str]:
    """The host and the rest; the first component is a host only where Docker says so."""
    first, slash, rest = name.partition("/")
    if not slash or not _is_host(first):
        return DOCKER_HUB, name
    # Docker also takes `Local/x` for a host, but no machine is called so without a port,
    # and in lower case it would be a namespace of Docker Hub: refused, not guessed.
    if not re.fullmatch(HOST, first, re.ASCII):
        raise InvalidReference(
            f"{name[:80]!r}: {first[:80]!r} is not a host (a dot, a port, or localhost)"
        )
    host = first.lower()
    return (DOCKER_HUB if host == "index.docker.io" else host), rest
