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
_ARCHITECTURES = {
    "x86_64": "amd64",
    "x86-64": "amd64",
    "aarch64": "arm64",
    "i386": "386",
    "i686": "386",
    "armhf": "arm",
    "armel": "arm",
}
_IMPLIED = {"armel": "v6", "arm": "v7", "armhf": "v7"}
"""The variant of a spelling that is written without one."""
_VARIANTS = {("arm64", "v8"): "", ("amd64", "v1"): ""}


@dataclass(frozen=True, slots=True, order=True)
class Platform:
    """Where an image can run, in normal form: equal platforms compare equal."""

    os: str
    architecture: str
    variant: str = ""

    @classmethod
    def of(cls, os: str, architecture: str, variant: str = "") -> Platform:
        """The normal form of what an engine or a registry says."""
        spelling = architecture.lower()
        name = _ARCHITECTURES.get(spelling, spelling)
        kind = variant.lower() or _IMPLIED.get(spelling, "")
        if name in ("arm", "arm64") and kind.isdigit():
            kind = f"v{kind}"
        return cls(os.lower(), name, _VARIANTS.get((name, kind), kind))

    @classmethod
    def parse(cls, text: str) -> Platform:
        """Read `os/architecture[/variant]`; raises InvalidReference for anything else."""
        if not _FORM.fullmatch(text):
            raise InvalidReference(f"{text[:80]!r} is not a platform (such as linux/amd64)")
        return cls.of(*text.split("/"))

    def __str__(self) -> str:
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)
