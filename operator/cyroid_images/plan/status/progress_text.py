"""Sentences that people read in status: sizes, rates, progress."""

from __future__ import annotations

from cyroid_images.model.fault import Route
from cyroid_images.model.observed import Running
from cyroid_images.model.telemetry.progress import Progress

_MIB = 1024 * 1024


def under_way(running: tuple[Running, ...]) -> str | None:
    """What moves right now, such as `pulling x into dind-44 (212 of 450 MiB, 48 MiB/s)`."""
    moving = [each for each in running if each.progress is not None]
    if not moving:
        return _about_to_begin(len(running)) if running else None
    first = max(moving, key=lambda each: each.progress.done if each.progress else 0)
    alone = f"{_verb(first)}{_amount(first.progress, first.rate)}"
    if len(running) == 1:
        return alone
    return f"{alone} and {len(running) - 1} more{_in_all(moving)}"


def _about_to_begin(count: int) -> str:
    return f"{'1 transfer is' if count == 1 else f'{count} transfers are'} about to begin"


def _in_all(moving: list[Running]) -> str:
    """All of them together, as far as each says how much it is."""
    known = [each.progress for each in moving if each.progress and each.progress.total]
    if len(known) < len(moving) or len(moving) == 1:
        return ""
    done, total = sum(each.done for each in known), sum(each.total or 0 for each in known)
    amount = _amount(Progress(done, total), sum(each.rate for each in moving))
    return amount.replace("(", "(in all ", 1)


def _verb(each: Running) -> str:
    if each.pod is None:
        return f"pushing {each.wish}"
    word = "pulling" if each.route is Route.REGISTRY else "loading"
    return f"{word} {each.wish} into {each.pod}"


def _amount(progress: Progress | None, rate_of_all: float) -> str:
    if progress is None or progress.done < _MIB:
        return ""
    done = f"{progress.done // _MIB}"
    total = f" of {progress.total // _MIB}" if progress.total else ""
    return f" ({done}{total} MiB{_rate(rate_of_all)})"


def _rate(bytes_per_second: float) -> str:
    """On a slow line the rate is what people want to know."""
    if bytes_per_second >= _MIB:
        return f", {bytes_per_second / _MIB:.0f} MiB/s"
    return f", {bytes_per_second / 1024:.0f} KiB/s" if bytes_per_second >= 1024 else ""
