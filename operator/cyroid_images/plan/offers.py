"""What engine sources offer unasked: which names, and what of it pushPolicy Automatic pushes.

An offer is no wish. It counts in no condition, wants nothing of a range or an upstream, and
is pushed after everything that somebody asks for.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import urlsplit

from cyroid_images.errors import InvalidReference, Reason
from cyroid_images.model.actions import Push
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.image import EngineImage
from cyroid_images.model.images.reference import Reference
from cyroid_images.model.images.repository import TRANSPORT_HOST, repository_of, tag_of
from cyroid_images.model.kinds.image_cache import ImageCache, PushPolicy, RefreshPolicy
from cyroid_images.model.kinds.status import MOST_SOURCE_IMAGES
from cyroid_images.model.knowledge import HeldByEngine, Wish
from cyroid_images.model.observed import CacheSeen, EngineShown, SourceSeen, UpstreamShown
from cyroid_images.model.offer import Offer
from cyroid_images.model.registry import RegistryEndpoint
from cyroid_images.plan.cache import slot_of
from cyroid_images.plan.push_order import due
from cyroid_images.plan.sources import Sources, resolve

MOST_AT_ONCE = 2
"""Pushes that nobody asked for, at a time: what somebody waits for is never far behind them."""
_OF_THE_REGISTRY = frozenset(
    {
        Reason.REGISTRY_FULL,
        Reason.REGISTRY_READ_ONLY,
        Reason.REGISTRY_UNREACHABLE,
        Reason.UNAUTHORIZED,
        Reason.RATE_LIMITED,
        Reason.SERVER_ERROR,
    }
)
"""One such failure says the same of every other image: it alone is tried again."""

Appeared = Mapping[tuple[Reference, Digest], int]
"""By name and ID: the number of what was not there at the first look, the newest highest."""


def offered(
    sources: Sequence[SourceSeen], item: ImageCache, appeared: Appeared
) -> tuple[tuple[tuple[Wish, HeldByEngine], ...], int]:
    """The names that engine sources give, what appeared last first, then the newest; and how
    many more there are.

    Left out: names that only transfers of ours give, names below our own registry's address,
    and what an earlier engine or archive has under that name, since a push would take that.
    """
    named = _named(sources, _infrastructure(item))
    order = _ordered(named, appeared)
    known = Sources(
        [each for each in sources if not isinstance(each.shown, UpstreamShown)], item.spec.aliases
    )
    chosen: list[tuple[Wish, HeldByEngine]] = []
    for at, name in enumerate(order):
        if len(chosen) == MOST_SOURCE_IMAGES:
            return tuple(chosen), len(order) - at
        found = resolve(Wish(name), known)
        if isinstance(found, HeldByEngine):
            chosen.append((Wish(name), found))
    return tuple(chosen), 0


def automatic(seen: CacheSeen, registry: RegistryEndpoint | None) -> tuple[Push, ...]:
    """What pushPolicy Automatic has pushed unasked, whether it is there already or not.

    Not what somebody wants, which has a step of its own, nor what is to be removed, nor new
    content under a name that is pinned.
    """
    if seen.item.spec.push_policy is not PushPolicy.AUTOMATIC or registry is None:
        return ()
    taken = {_slot(each, seen.item) for each, may_push in seen.wishes.items() if may_push}
    taken |= _removed(seen)
    found = []
    for each in seen.offers.listed:
        slot = _slot(each.wish, seen.item)
        if slot not in taken and not _is_pinned(each, seen):
            found.append(Push(each.wish, each.held, slot_of(each.wish, seen, registry)))
        taken.add(slot)  # of two spellings of one name the first counts: what appeared last
    return tuple(found)


def due_unasked(
    pushes: Sequence[Push], seen: CacheSeen, running: Iterable[Push]
) -> tuple[Push, ...]:
    """Those of the automatic pushes that may begin now, beside these that run already."""
    under_way = list(running)
    offers = {each.wish: each for each in seen.offers.listed}
    room = MOST_AT_ONCE - sum(push.wish in offers for push in under_way)
    if room <= 0 or seen.registry is not None or seen.write is not None or _is_held(seen):
        return ()
    busy = {push.wish for push in under_way}
    open_ones = [
        push for push in pushes if push.wish not in busy and _may_begin(offers[push.wish], seen.now)
    ]
    chosen = due(open_ones, under_way)[:room]
    return tuple(each for each in chosen if isinstance(each, Push))


def goes_on(push: Push, pushes: Collection[Push], seen: CacheSeen) -> bool:
    """May this push, which nobody asked for, go on? Also while its source cannot be seen."""
    if seen.item.spec.push_policy is not PushPolicy.AUTOMATIC:
        return False
    same = next((each for each in pushes if each.wish == push.wish), None)
    if same is not None:
        return same.source.id == push.source.id
    is_removed = _slot(push.wish, seen.item) in _removed(seen)
    unseen = {each.name for each in seen.sources if each.shown is None}
    return push.source.source in unseen and not is_removed


def believed(seen: CacheSeen) -> tuple[tuple[Wish, Digest], ...]:
    """Digests to believe of offers that the policy keeps in the registry: so they can be
    delivered while their source is away."""
    if seen.item.spec.push_policy is not PushPolicy.AUTOMATIC:
        return ()
    return tuple(
        (each.wish, each.stored.manifest.digest)
        for each in seen.offers.listed
        if each.stored is not None and each.wish not in seen.wishes and not _is_pinned(each, seen)
    )


def kept_unasked(seen: CacheSeen) -> frozenset[Wish]:
    """What pushPolicy Automatic keeps in the registry although nobody wants it: it is in use.

    Of a source that cannot be seen what status tells of it: unknown is never unused.
    """
    if seen.item.spec.push_policy is not PushPolicy.AUTOMATIC:
        return frozenset()
    unseen = {each.name for each in seen.sources if each.shown is None}
    told = [row.image for row in seen.item.status.source_images if row.source in unseen]
    wishes = [each.wish for each in seen.offers.listed]
    for image in told:
        with contextlib.suppress(InvalidReference):
            wishes.append(Wish(Reference.parse(image)))
    removed = _removed(seen)
    return frozenset(wish for wish in wishes if _slot(wish, seen.item) not in removed)


def created_at(held: HeldByEngine) -> datetime | None:
    """When an image was built, as it says; None where it says nothing that is a moment."""
    text = held.content.created.rstrip("Z").partition(".")[0]
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None
    except ValueError:
        return None


def _named(
    sources: Sequence[SourceSeen], infrastructure: frozenset[str]
) -> Mapping[Reference, EngineImage]:
    named: dict[Reference, EngineImage] = {}
    for source in sources:
        if isinstance(source.shown, EngineShown):
            for name, image in source.shown.view.images.items():
                if name.host not in infrastructure:
                    named.setdefault(name, image)
    return named


def _infrastructure(item: ImageCache) -> frozenset[str]:
    """Hosts of names that say how an image was moved, not what it is."""
    registry = item.spec.registry
    own = {registry.pull_host.lower(), urlsplit(registry.push_url).netloc.lower()}
    return frozenset({TRANSPORT_HOST} | own - {alias.lower() for alias in item.spec.aliases})


def _ordered(named: Mapping[Reference, EngineImage], appeared: Appeared) -> list[Reference]:
    """What appeared last first, then the newest, then by name: sorts are stable."""
    order = sorted(named, key=lambda name: (name.path, name.tag or "", name.host))
    order.sort(key=lambda name: named[name].content.created, reverse=True)
    if appeared:
        order.sort(key=lambda name: appeared.get((name, named[name].id), 0), reverse=True)
    return order


def _slot(wish: Wish, item: ImageCache) -> tuple[str, str]:
    return repository_of(wish.reference, item.spec.aliases), tag_of(wish.reference)


def _removed(seen: CacheSeen) -> frozenset[tuple[str, str]]:
    """Where spec.removedImages lets nothing be put by itself."""
    asked = seen.item.spec.removed_images
    return frozenset(_slot(Wish(each.reference), seen.item) for each in asked)


def _is_pinned(offer: Offer, seen: CacheSeen) -> bool:
    """Is other content under that name to stay?"""
    if seen.item.spec.refresh.policy is not RefreshPolicy.PIN:
        return False
    anchor = seen.anchors.get(offer.wish)
    known = offer.held.content.identities | (
        {offer.stored.manifest.digest, *offer.stored.content.identities} if offer.stored else set()
    )
    return anchor is not None and anchor not in known


def _is_held(seen: CacheSeen) -> bool:
    """Has the registry refused one of them for a reason that concerns all?"""
    failures = [each.failure for each in seen.offers.listed if each.failure is not None]
    return any(each.reason in _OF_THE_REGISTRY and each.holds(seen.now) for each in failures)


def _may_begin(offer: Offer, now: datetime) -> bool:
    return offer.is_lacking and not (offer.failure is not None and offer.failure.holds(now))
