"""The named images that engine sources hold, as rows of a status: what the registry lacks first."""

from __future__ import annotations

from collections.abc import Mapping

from cyroid_images.model.fault import Failure
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.kinds.lifecycle import SourceImageStatus
from cyroid_images.model.kinds.status import MOST_SOURCE_IMAGES
from cyroid_images.model.kinds.status_fields import first
from cyroid_images.model.observed import CacheSeen
from cyroid_images.model.offer import Offer
from cyroid_images.plan.offers import created_at

_RANKS = {False: 0, None: 1, True: 2}


def source_images(seen: CacheSeen) -> tuple[tuple[SourceImageStatus, ...], int]:
    """Rows, and how many were left out.

    Of a source that cannot be seen the rows of before stay, and so does what was last known of
    an image that the registry was not asked for yet.
    """
    before = seen.item.status
    if not seen.offers.is_settled:
        return before.source_images, before.source_images_omitted
    known = {(row.image, row.source, row.id): row.in_registry for row in before.source_images}
    rows = [_row(each, known) for each in seen.offers.listed]
    unseen = {
        each.name for each in seen.sources if each.shown is None and _is_engine(each.name, seen)
    }
    named = {row.image for row in rows}
    rows += [row for row in before.source_images if row.source in unseen and row.image not in named]
    rows.sort(key=lambda row: _RANKS[row.in_registry])  # of one rank they keep their order
    listed, omitted = first(MOST_SOURCE_IMAGES, rows)
    is_full = len(listed) == MOST_SOURCE_IMAGES
    hidden = before.source_images_omitted if unseen and is_full else 0
    return listed, max(omitted + seen.offers.omitted, hidden)


def unasked_failures(seen: CacheSeen) -> list[tuple[str, Failure]]:
    """By image: the pushes that nobody asked for and that failed."""
    failed = [(str(each.wish.reference), each.failure) for each in seen.offers.listed]
    return [(image, failure) for image, failure in failed if failure is not None]


def _row(offer: Offer, known: Mapping[tuple[str, str, Digest], bool | None]) -> SourceImageStatus:
    held, image = offer.held, str(offer.wish.reference)
    in_registry = offer.in_registry
    if in_registry is None:
        in_registry = known.get((image, held.source, held.id))
    return SourceImageStatus(
        image=image,
        source=held.source,
        id=held.id,
        size_bytes=held.size,
        created=created_at(held),
        in_registry=in_registry,
        reason=offer.failure.reason if offer.failure is not None else None,
    )


def _is_engine(name: str, seen: CacheSeen) -> bool:
    return any(each.name == name and each.engine is not None for each in seen.item.spec.sources)
