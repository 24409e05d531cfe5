"""Sentences that people read in status: sizes, rates, progress."""

from __future__ import annotations

from cyroid_images.model.fault import Route
from cyroid_images.model.observed import Running

_MIB = 1024 * 1024


def under_way(running: tuple[Running, ...]) -> str | None:
    """What moves right now, such as `pulling x into dind-44 (212 of 450 MiB, 48 MiB/s)`."""
    moving = [each for each in running if each.progress is not None]
    if not moving:
        return f"{len(running)} transfers are about to begin" if running else None
    first = max(moving, key=lambda each: each.progress.done if each.progress else 0)
    more = f" and {len(running) - 1} more" if len(running) > 1 else ""
    return f"{_verb(first)}{_amount(first)}{more}"


def _verb(each: Running) -> str:
    if each.pod is None:
        return f"pushing {each.wish}"
    word = "pulling" if each.route is Route.REGISTRY else "loading"
    return f"{word} {each.wish} into {each.pod}"


def _amount(each: Running) -> str:
    if each.progress is None or each.progress.done < _MIB:
        return ""
    done = f"{each.progress.done // _MIB}"
    total = f" of {each.progress.total // _MIB}" if each.progress.total else ""
    rate = f", {each.rate / _MIB:.0f} MiB/s" if each.rate >= _MIB else ""
    return f" ({done}{total} MiB{rate})"
