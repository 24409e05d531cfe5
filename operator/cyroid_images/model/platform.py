"""A platform is os/architecture[/variant] in OCI spelling, such as `linux/arm64/v8`.

Engines, registries and people spell the same machine differently (`x86_64`, `aarch64`,
`arm64` with and without `v8`); they all meet here in one normal form. Source of the
normal form: containerd/platforms, `database.go`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from cyroid_images.errors import InvalidReference

_FORM = re.compile(r"[a-z0-9]+/[a-z0-9_]+(/[a-z0-9.]+)?", re.ASCII)
_ARCHITECTURES = {"x86_64": "amd64", "x86-64": "amd64", "aarch64": "arm64", "i386": "386"}
_ARCHITECTURES |= {"i686": "386", "armhf": "arm", "armel": "arm"}
_VARIANTS = {("arm64", "v8"): "", ("arm64", "8"): "", ("amd64", "v1"): "", ("arm", ""): "v7"}


@dataclass(frozen=True, slots=True, order=True)
class Platform:
    """Where an image can run, in normal form: equal platforms compare equal."""

    os: str
    architecture: str
    variant: str = ""

    @classmethod
    def of(cls, os: str, architecture: str, variant: str = "") -> Platform:
        """The normal form of what an engine or a registry says."""
        name = _ARCHITECTURES.get(architecture.lower(), architecture.lower())
        kind = _VARIANTS.get((name, variant.lower()), variant.lower())
        return cls(os.lower(), name, kind)

    @classmethod
    def parse(cls, text: str) -> Platform:
        """Read `os/architecture[/variant]`; raises InvalidReference for anything else."""
        if not _FORM.fullmatch(text):
            raise InvalidReference(f"{text[:80]!r} is not a platform (such as linux/amd64)")
        return cls.of(*text.split("/"))

    def __str__(self) -> str:
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)
