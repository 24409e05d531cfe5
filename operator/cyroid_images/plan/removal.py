"""What leaves a registry: what spec.removedImages names, and what nobody asks for any more.

Unknown is never unused: while it is not known all that is wanted, nothing is removed. What is
wanted stays, by whatever name: repository and tag are what counts. An image that is wanted
again is no longer unused, and its time begins anew when nobody wants it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from heapq import nsmallest

from cyroid_images.errors import Reason
from cyroid_images.model.fault import Fault
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.reference import Reference
from cyroid_images.model.images.repository import StoredAs, stored_as
from cyroid_images.model.kinds.conditions import rfc3339
from cyroid_images.model.kinds.image_cache import ImageCache
from cyroid_images.model.kinds.lifecycle import RemovedImageStatus, UnusedImageStatus
from cyroid_images.model.kinds.recorded_digests import entry_key
from cyroid_images.model.kinds.status import MOST_REMOVED, MOST_UNUSED
from cyroid_images.model.kinds.status_fields import first
from cyroid_images.model.knowledge import Wish
from cyroid_images.model.removal import Leaving, RemovalPlan, Tried, Wanters

LISTED = "spec.removedImages lists it"
LONGEST_PAUSE = timedelta(days=8)
"""Between two looks whether something is gone still: refresh.interval is a week at most."""
BUSY_SECONDS = 1.0
"""Until it is seen again whether a push into the repository has ended."""


@dataclass(frozen=True, slots=True)
class RemovalSeen:
    """What the decision is made by."""

    item: ImageCache
    now: datetime
    who: Mapping[StoredAs, Wanters] = field(default_factory=dict)
    """Who wants what of this registry, by whichever cache."""
    unknown: Fault | None = None
    """Why it is not known all that is wanted; then nothing is removed."""
    wishes: Collection[Wish] = ()
    """What the cache itself goes after, whoever asked for it: that stays in any case."""
    offered: Collection[Wish] = ()
    """What pushPolicy Automatic keeps in the registry, though nobody asks for it."""
    registry: Fault | None = None
    """Why the registry cannot be asked; None: it can."""
    anchors: Mapping[Wish, Digest] = field(default_factory=dict)
    """The images that this cache has known, with the digest of each."""
    tried: Mapping[StoredAs, Tried] = field(default_factory=dict)
    since: Mapping[Wish, datetime] = field(default_factory=dict)
    is_busy: Callable[[str], bool] = lambda _: False
    """Is something pushed into this repository right now?"""

    def place(self, reference: Reference) -> StoredAs:
        return stored_as(reference, self.item.spec.aliases)


def places_asked(item: ImageCache) -> frozenset[StoredAs]:
    """What spec.removedImages means: nothing goes there by itself (pushPolicy Automatic)."""
    aliases = item.spec.aliases
    return frozenset(stored_as(each.reference, aliases) for each in item.spec.removed_images)


def plan_removals(seen: RemovalSeen) -> RemovalPlan:
    """What is removed now, what is said, and when to decide again."""
    wished = frozenset(seen.place(wish.reference) for wish in seen.wishes)
    known = _known(seen)
    asked = [each.reference for each in seen.item.spec.removed_images]
    listed = [_listed(each, seen, wished, known) for each in _each_place_once(asked, seen)]
    since = _since(seen, {*wished, *(each.place for each in listed)}, known)
    unused = _unused(seen, since, known)
    decided = (*listed, *unused)
    leaving = tuple(each.leaving for each in decided if each.leaving is not None)
    return RemovalPlan(
        leaving=leaving,
        unwanted=frozenset(each.place for each in decided if each.is_unwanted),
        places=frozenset(each.place for each in decided),
        removed=first(MOST_REMOVED, _removed_rows(asked, listed, seen))[0],
        unused=tuple(_unused_rows(since)),
        since=since,
        wakes=min((each.wakes for each in decided if each.wakes is not None), default=None),
    )


@dataclass(frozen=True, slots=True)
class _Decided:
    """Of one place."""

    place: StoredAs
    is_unwanted: bool = True
    is_gone: bool = False
    fault: Fault | None = None
    """Why it is there still."""
    leaving: Leaving | None = None
    wakes: datetime | None = None


def _listed(
    reference: Reference,
    seen: RemovalSeen,
    wished: Collection[StoredAs],
    known: Mapping[StoredAs, Sequence[Wish]],
) -> _Decided:
    place = seen.place(reference)
    # A name with tag and digest speaks of that content: the tag may mean another image by now.
    is_tag = reference.digest is None or reference.tag is None
    wanters = seen.who.get(place)
    if wanters is not None or place in wished:
        who = str(wanters) if wanters else "a range"
        text = f"wanted by {who}; it is removed when nobody wants it any more"
        return _Decided(place, is_unwanted=False, fault=Fault(Reason.IMAGE_WANTED, text))
    tried, hindrance = seen.tried.get(place), _hindrance(place, seen)
    is_gone = tried is not None and tried.is_gone
    if hindrance is not None or not _is_due(tried, seen.now):
        fault = hindrance or _last_fault(tried)
        wakes = _wake(place, seen, tried)
        return _Decided(place, is_unwanted=is_tag, is_gone=is_gone, fault=fault, wakes=wakes)
    mine = [w for w in known.get(place, ()) if reference.digest in (None, w.reference.digest)]
    going = Fault(Reason.PROGRESSING, "about to be removed from the registry")
    leaving = _leaving(reference, LISTED, mine, seen)
    fault = _last_fault(tried) or going
    return _Decided(place, is_unwanted=is_tag, is_gone=is_gone, fault=fault, leaving=leaving)


def _unused(
    seen: RemovalSeen,
    since: Mapping[Wish, datetime],
    known: Mapping[StoredAs, Sequence[Wish]],
) -> list[_Decided]:
    """Of what nobody asks for, what leaves; one place may hold several platforms."""
    most = seen.item.spec.retention.unused
    if most is None or seen.unknown is not None:
        return []
    return [
        _overdue(place, wishes, most, since, seen)
        for place, wishes in known.items()
        if wishes[0] in since  # of a place all or none
    ]


def _overdue(
    place: StoredAs,
    wishes: Sequence[Wish],
    most: float,
    since: Mapping[Wish, datetime],
    seen: RemovalSeen,
) -> _Decided:
    """Is the time of the last that asked for it over?"""
    latest = max([since[wish] for wish in wishes])
    over, tried = latest + timedelta(seconds=most), seen.tried.get(place)
    if over > seen.now:
        return _Decided(place, is_unwanted=False, wakes=over)
    if _hindrance(place, seen) is not None or not _is_due(tried, seen.now):
        return _Decided(place, wakes=_wake(place, seen, tried))
    said = "nobody has asked for it since {}, longer than spec.retention.unused"
    because = said.format(rfc3339(latest))
    plain = [wish.reference for wish in wishes if wish.reference.digest is None]
    image = next(iter(plain), wishes[0].reference)
    return _Decided(place, leaving=_leaving(image, because, wishes, seen))


def _leaving(image: Reference, because: str, wishes: Sequence[Wish], seen: RemovalSeen) -> Leaving:
    known = frozenset(seen.anchors[wish] for wish in wishes)
    # A tag of a name with a digest may mean another image by now, which nobody named.
    named = known | {image.digest} if image.tag and image.digest else frozenset[Digest]()
    place = seen.place(image)
    return Leaving(image, place, because, frozenset(wishes), known, named)


def _hindrance(place: StoredAs, seen: RemovalSeen) -> Fault | None:
    """Why nothing is removed there now, whatever the image; the first that fits."""
    if seen.unknown is not None:
        return seen.unknown
    if seen.item.spec.suspend:
        return Fault(Reason.SUSPENDED, "spec.suspend is true: nothing is removed")
    if seen.registry is not None:
        return seen.registry
    if seen.is_busy(place[0]):
        text = f"waits for a push into {place[0]} that is under way"
        return Fault(Reason.PROGRESSING, text)
    return None


def _wake(place: StoredAs, seen: RemovalSeen, tried: Tried | None) -> datetime | None:
    """The moment at which time alone changes the decision; all else sends an event."""
    if seen.is_busy(place[0]):
        return seen.now + timedelta(seconds=BUSY_SECONDS)
    return tried.next if tried is not None and not _is_due(tried, seen.now) else None


def _is_due(tried: Tried | None, now: datetime) -> bool:
    if tried is None:
        return True
    if tried.failure is not None:
        return not tried.failure.holds(now)
    # A moment that is further away than any pause was made before the clock was put back.
    return not now < tried.next <= now + LONGEST_PAUSE


def _last_fault(tried: Tried | None) -> Fault | None:
    return tried.failure.fault if tried is not None and tried.failure is not None else None


def _since(
    seen: RemovalSeen,
    others: Collection[StoredAs],
    known: Mapping[StoredAs, Sequence[Wish]],
) -> dict[Wish, datetime]:
    """Since when nobody asks for each image; a moment that is still to come counts as now."""
    if seen.item.spec.retention.unused is None:
        return {}
    unknown = seen.unknown
    if unknown is not None:  # before the first list all stays; what cannot be read wants it
        return dict(seen.since) if unknown.reason is Reason.PROGRESSING else {}
    offered = {seen.place(each.reference) for each in seen.offered}
    used = {*seen.who, *others, *offered}
    return {
        wish: min(seen.since.get(wish, seen.now), seen.now)
        for place, wishes in known.items()
        if place not in used
        for wish in wishes
    }


def _known(seen: RemovalSeen) -> Mapping[StoredAs, Sequence[Wish]]:
    """By place: the images that this cache has put there, or found."""
    found: dict[StoredAs, list[Wish]] = defaultdict(list)
    for wish in seen.anchors:
        found[seen.place(wish.reference)].append(wish)
    return found


def _each_place_once(asked: Iterable[Reference], seen: RemovalSeen) -> Iterable[Reference]:
    """Of several names of one image the first that means whatever is there."""
    found: dict[StoredAs, Reference] = {}
    for each in asked:
        place = seen.place(each)
        if place not in found or each.digest is None:
            found[place] = each
    return found.values()


def _removed_rows(
    asked: Iterable[Reference], listed: Iterable[_Decided], seen: RemovalSeen
) -> Iterable[RemovedImageStatus]:
    """A row per entry of the spec: two names of one image say the same."""
    told = {each.place: each for each in listed}
    for image in asked:
        each = told[seen.place(image)]
        yield _removed_row(image, None if each.is_gone else each.fault, each.is_gone)


# The same thousands of rows are told by every pass: each is made once.


@lru_cache(maxsize=1024)
def _removed_row(
    image: Reference,
    fault: Fault | None,
    is_removed: bool,  # noqa: FBT001 - of a row that is kept by its values
) -> RemovedImageStatus:
    return RemovedImageStatus(
        image=str(image),
        is_removed=is_removed,
        reason=None if fault is None else fault.reason,
        message=None if fault is None else fault.message,
    )


@lru_cache(maxsize=1024)
def _unused_row(wish: Wish, since: datetime) -> UnusedImageStatus:
    return UnusedImageStatus(image=str(wish.reference), platform=wish.platform, since=since)


def _unused_rows(since: Mapping[Wish, datetime]) -> list[UnusedImageStatus]:
    chosen = nsmallest(MOST_UNUSED, since.items(), key=lambda at: (at[1], entry_key(at[0])))
    return [_unused_row(*each) for each in chosen]
