"""What one event says of all that was delivered for an object within a few seconds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2s

from cyroid_images.model.fault import Route
from cyroid_images.model.text import clean_bytes

SUMMARY_BYTES = 1000
FEW = 3
"""So many images are named; more are counted, and the status has the rest."""
_BY = {Route.REGISTRY: "by the registry", Route.TAR: "by tar"}


@dataclass(frozen=True, slots=True)
class Arrival:
    """One image that came into one pod; `why` it did not go by the registry, or empty."""

    image: str
    pod: str
    route: Route
    why: str = ""


def summary(arrivals: Iterable[Arrival]) -> str:
    """Such as "13 images delivered into dind-r1: 12 by the registry, 1 by tar (why)"."""
    told = tuple(arrivals)
    images, pods = _distinct(each.image for each in told), _distinct(each.pod for each in told)
    into = f"delivered into {pods[0] if len(pods) == 1 else f'{len(pods)} pods'}"
    is_few = len(images) <= FEW
    parts = [_part(route, told, is_few=is_few) for route in Route if _by(route, told)]
    if len(images) == len(parts) == 1:
        text = f"{images[0]} {into} {parts[0].removeprefix(images[0]).lstrip()}"
    else:
        count = "1 image" if len(images) == 1 else f"{len(images)} images"
        text = f"{count} {into}: {('; ' if is_few else ', ').join(parts)}"
    return clean_bytes(text, SUMMARY_BYTES)


def sameness(arrivals: Iterable[Arrival]) -> str:
    """Equal for deliveries of the same images into the same pods by the same routes."""
    rows = sorted(f"{each.image} {each.pod} {each.route}" for each in arrivals)
    return blake2s("\n".join(rows).encode(), digest_size=8).hexdigest()


def _part(route: Route, told: tuple[Arrival, ...], *, is_few: bool) -> str:
    """What came by one route."""
    images = _distinct(each.image for each in _by(route, told))
    whys = Counter(each.why for each in _by(route, told) if each.why).most_common()
    others = len(whys) - 1
    more = "" if others < 1 else f"; and {others} other reason{'s' if others > 1 else ''}"
    because = f" ({whys[0][0]}{more})" if whys else ""
    return f"{', '.join(images) if is_few else len(images)} {_BY[route]}{because}"


def _by(route: Route, told: tuple[Arrival, ...]) -> list[Arrival]:
    return [each for each in told if each.route is route]


def _distinct(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))
