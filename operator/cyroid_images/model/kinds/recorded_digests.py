"""The digests that an ImageCache records in its status, where the registry cannot change them.

What a source was once seen to have is believed while no source answers; what only a tag of
the registry says is not. An entry is the name of an image, after a space its platform where
one is asked for, and the digest.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import lru_cache

from cyroid_images.errors import InvalidReference
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.platform import Platform
from cyroid_images.model.images.reference import Reference
from cyroid_images.model.kinds.status import DIGEST_BYTES, MOST_DIGESTS, ImageCacheStatus
from cyroid_images.model.knowledge import Wish

_AROUND = 6
"""Bytes of one entry in JSON besides its two texts: quotes, colon, comma."""


@lru_cache(maxsize=MOST_DIGESTS)
def entry_key(wish: Wish) -> str:
    """The key of a wish in `status.digests`: one text, however many statuses hold it."""
    return f"{wish.reference} {wish.platform}" if wish.platform else str(wish.reference)


def read_digests(status: ImageCacheStatus) -> dict[Wish, Digest]:
    """What is recorded; an entry whose key cannot be read is left out."""
    read = ((_wish(key), digest) for key, digest in status.digests.items())
    return {wish: digest for wish, digest in read if wish is not None}


def digests_to_record(
    anchors: Mapping[Wish, Digest], listed: Collection[Wish] = ()
) -> tuple[dict[str, Digest], int]:
    """The entries that fit, those of listed images first, and how many were left out."""
    keyed = sorted((wish not in listed, entry_key(wish), found) for wish, found in anchors.items())
    chosen: dict[str, Digest] = {}
    room = DIGEST_BYTES
    for _, key, found in keyed:
        room -= len(key) + len(str(found)) + _AROUND
        if room < 0 or len(chosen) == MOST_DIGESTS:
            break
        chosen[key] = found
    return dict(sorted(chosen.items())), len(anchors) - len(chosen)


def _wish(key: str) -> Wish | None:
    image, _, platform = key.partition(" ")
    try:
        return Wish(Reference.parse(image), Platform.parse(platform) if platform else None)
    except InvalidReference:
        return None
