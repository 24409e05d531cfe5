"""What objects of the API server mean. One that this version cannot read is told of, and hides
no other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from cyroid_images.console.cluster.api_server import ApiObject
from cyroid_images.errors import CyroidError
from cyroid_images.model.kinds.image_cache import ImageCache
from cyroid_images.model.kinds.range_images import RangeImages

T = TypeVar("T")


def parsed_ranges(bodies: Iterable[ApiObject], tell: Callable[[str], None]) -> list[RangeImages]:
    """Those that can be read; of the others it is told why not."""
    return [item for body in bodies if (item := _parsed(RangeImages.parse, body, tell))]


def parsed_caches(bodies: Iterable[ApiObject], tell: Callable[[str], None]) -> list[ImageCache]:
    """Those that can be read; of the others it is told why not."""
    return [item for body in bodies if (item := _parsed(ImageCache.parse, body, tell))]


def _parsed(
    parse: Callable[[ApiObject], T], body: ApiObject, tell: Callable[[str], None]
) -> T | None:
    try:
        return parse(body)
    except CyroidError as exc:
        metadata = body.get("metadata") or {}
        name = f"{metadata.get('namespace') or ''}/{metadata.get('name')}".lstrip("/")
        tell(f"{body.get('kind') or 'object'} {name} is left out, since it cannot be read: {exc}")
        return None
