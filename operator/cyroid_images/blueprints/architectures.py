"""`arch` of a VM or an image project: a word, `both`, a list, or nothing at all."""

from __future__ import annotations

from cyroid_images.errors import InvalidReference
from cyroid_images.model.images.platform import Platform

_KNOWN = frozenset(
    {"amd64", "x86_64", "x86-64", "arm64", "aarch64", "386", "i386", "i686", "arm", "armhf"}
    | {"armel", "ppc64le", "riscv64", "s390x"}
)
_ANY = frozenset({"", "both", "any", "all", "multi", "none"})
_LONGEST_SHOWN = 40


def platform_of(arch: object) -> tuple[Platform | None, str | None]:
    """The platform that is meant (None: the engine's own), and what is odd about the text."""
    if arch is None:
        return None, None
    if isinstance(arch, str):
        return _word(arch.strip().lower())
    if isinstance(arch, list):
        words = [word.strip().lower() for word in arch if isinstance(word, str)]
        if len(words) < len(arch):
            return (
                None,
                f"arch {_shown(arch)} is not understood: the engine's own platform is taken",
            )
        platforms = {found for word in words if (found := _word(word)[0]) is not None}
        oddities = [odd for word in words if (odd := _word(word)[1]) is not None]
        only = platforms.pop() if len(platforms) == 1 and len(words) == 1 else None
        return only, oddities[0] if oddities else None
    return None, f"arch {_shown(arch)} is not understood: the engine's own platform is taken"


def _word(word: str) -> tuple[Platform | None, str | None]:
    if word in _ANY:
        return None, None
    if word in _KNOWN:
        return Platform.of("linux", word), None
    try:
        return Platform.parse(word), None
    except InvalidReference:
        odd = f"arch {_shown(word)} is not understood: the engine's own platform is taken"
        return None, odd


def _shown(value: object) -> str:
    return ascii(value)[:_LONGEST_SHOWN]
