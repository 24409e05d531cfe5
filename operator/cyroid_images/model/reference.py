"""The name of an image, parsed once: host / path [: tag] [@ digest].

The grammar is that of distribution/reference (`reference.go`); the steps are: cut at
the first `@`, cut the head at the first `/` and decide whether it is a host, cut the
rest at the first `:`, add `library/`, then check every part. How a reference maps to a
repository of our registry is told in `repository.py`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from cyroid_images.errors import InvalidReference
from cyroid_images.model.digest import Digest

DOCKER_HUB = "docker.io"
LONGEST = 512
"""Characters a reference may have: what the API schema allows."""

_HOST = re.compile(
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*)"
    r"(?::[0-9]{1,5})?",
    re.ASCII,
)
_COMPONENT = re.compile(r"[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*", re.ASCII)
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", re.ASCII)
_IMAGE_ID = re.compile(r"(?:sha256:)?[a-f0-9]{64}", re.ASCII)


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

    @classmethod
    def parse(cls, text: str) -> Reference:
        """Read what a person wrote; raises InvalidReference and says which rule it breaks."""
        _refuse_what_is_no_reference(text)
        name, at, digits = text.partition("@")
        host, rest = _split_host(name)
        path, colon, tag = rest.partition(":")
        digest = Digest.parse(digits) if at else None
        if colon and not _TAG.fullmatch(tag):
            raise InvalidReference(
                f"{text!r}: {tag!r} is not a tag (at most 128 of A-Z a-z 0-9 _ . -)"
            )
        for component in path.split("/"):
            if not _COMPONENT.fullmatch(component):
                raise InvalidReference(
                    f"{text!r}: {component!r} is not a path component (lower case letters, digits,"
                    " separated by one of . _ __ -)"
                )
        if host == DOCKER_HUB and "/" not in path:
            path = f"library/{path}"
        return cls(host, path, tag or (None if digest else "latest"), digest)

    @property
    def name(self) -> str:
        """host/path, without tag and digest."""
        return f"{self.host}/{self.path}"

    @property
    def familiar(self) -> str:
        """host/path as an engine shows it: `nginx`, not `docker.io/library/nginx`."""
        if self.host != DOCKER_HUB:
            return self.name
        return self.path.removeprefix("library/")

    @property
    def tagged(self) -> Reference:
        """The same name without the digest: what an image is called in an engine."""
        return replace(self, digest=None)

    def at(self, host: str) -> Reference:
        """The same path, tag and digest on another host."""
        return replace(self, host=host.lower())

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        return f"{self.familiar}{tag}{f'@{self.digest}' if self.digest else ''}"


def _refuse_what_is_no_reference(text: str) -> None:
    """The refusals that deserve their own sentence; credentials are never repeated."""
    if not text or len(text) > LONGEST:
        raise InvalidReference(f"an image reference has 1 to {LONGEST} characters")
    before_digest, _, after = text.partition("@")
    if after and not after.startswith(("sha256:", "sha512:")):
        raise InvalidReference("an image reference holds no credentials and only one sha256 digest")
    if not text.isascii() or not text.isprintable() or " " in text:
        raise InvalidReference(f"{text[:80]!a}: only printable ASCII without spaces")
    if "://" in text:
        raise InvalidReference(f"{before_digest[:80]!r} is a URL: name the image, not an address")
    if _IMAGE_ID.fullmatch(text):
        raise InvalidReference("an image ID is not a reference: name the image")


def _split_host(name: str) -> tuple[str, str]:
    """The host and the rest; the first component is a host only where Docker says so."""
    first, slash, rest = name.partition("/")
    is_host = slash and (
        first == "localhost" or "." in first or ":" in first or first != first.lower()
    )
    if not is_host:
        return DOCKER_HUB, name
    if not _HOST.fullmatch(first):
        raise InvalidReference(f"{name[:80]!r}: {first[:80]!r} is not a host")
    host = first.lower()
    return (DOCKER_HUB if host == "index.docker.io" else host), rest
