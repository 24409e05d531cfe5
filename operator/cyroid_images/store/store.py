"""The informer cache: objects, pods and namespaces, and which objects a change wakes.

The operator's informer cache. An event only says which keys to look at; what engines and
registries hold is asked by observers. A change that means nothing to us (our own status
write, a pod's heartbeat) touches nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from cyroid_images.errors import CyroidError, Reason
from cyroid_images.model.fault import Fault
from cyroid_images.model.kinds.image_cache import ImageCache
from cyroid_images.model.kinds.metadata import LONGEST_NAME, RECONCILE_AT, Metadata
from cyroid_images.model.kinds.range_images import RangeImages
from cyroid_images.model.kinds.read_status import read_status
from cyroid_images.model.kinds.status import ImageCacheStatus, RangeImagesStatus, Status
from cyroid_images.model.pod import Pod
from cyroid_images.store.by_namespace import ByNamespace
from cyroid_images.store.keys import Key, Kind
from cyroid_images.store.pods import Pods


@dataclass(frozen=True, slots=True)
class Broken:
    """An object that the API server stored and that breaks a rule of its kind all the same.

    That happens while the stored CRD is older than the operator.
    """

    metadata: Metadata
    status: RangeImagesStatus | ImageCacheStatus
    fault: Fault

    @classmethod
    def read(
        cls,
        kind: type[RangeImagesStatus | ImageCacheStatus],
        body: Mapping[str, Any],
        error: CyroidError,
    ) -> Broken:
        metadata = body["metadata"]  # its key keeps the whole name, whatever the length
        reason = getattr(error, "reason", Reason.INVALID_REFERENCE)
        return cls(
            Metadata.read({**metadata, "name": metadata["name"][:LONGEST_NAME]}, at="metadata"),
            read_status(kind, body.get("status")),
            Fault(reason, str(error)),
        )

    def asks_the_same(self, other: Broken | None) -> bool:
        """Whether the other version of this object is as broken; its status may differ."""
        return other is not None and (
            self.metadata.asks_the_same(other.metadata) and self.fault == other.fault
        )


@dataclass(frozen=True, slots=True)
class _Listed:
    """What the pages of a list had so far."""

    uids: set[str] = field(default_factory=set)
    names: set[tuple[str, str]] = field(default_factory=set)

    def add(self, metadata: Mapping[str, Any]) -> None:
        self.uids.add(metadata["uid"])
        self.names.add((metadata.get("namespace", ""), metadata["name"]))


class Store:
    """Used from the event loop only."""

    def __init__(self) -> None:
        self.ranges = ByNamespace[Key, RangeImages](lambda item: item.metadata.namespace or "")
        self.broken: dict[Key, Broken] = {}
        self.caches: dict[str, ImageCache] = {}
        self.pods = Pods()
        self.namespaces: dict[str, Mapping[str, str]] = {}
        self.revision = 0  # another number: our kinds may ask for something else
        self.listed_kinds: set[Kind] = set()  # of the others it is not known what is absent
        self._told: set[tuple[Kind, str, str]] | None = None
        """What was told while a list is on its way; None while none is."""
        self._listed = _Listed()

    def changed(self, kind: Kind, event: str | None, body: Mapping[str, Any]) -> frozenset[Key]:
        """Remember one event of a watch; returns the keys that it touches."""
        if self._told is not None:
            self._told.add(_place(kind, body))
        return self._apply(kind, event, body)

    def _apply(self, kind: Kind, event: str | None, body: Mapping[str, Any]) -> frozenset[Key]:
        match kind:
            case Kind.RANGE_IMAGES:
                return self._counted(self._range(body, gone=event == "DELETED"))
            case Kind.IMAGE_CACHE:
                return self._counted(self._cache(body, gone=event == "DELETED"))
            case Kind.POD:
                return self._pod(body, gone=event == "DELETED")
            case Kind.NAMESPACE:
                return self._namespace(body, gone=event == "DELETED")

    def _counted(self, touched: frozenset[Key]) -> frozenset[Key]:
        self.revision += bool(touched)
        return touched

    def expect_list(self) -> None:
        """A list is asked for now: whatever is told until it is taken over is newer than it."""
        self._told = set()
        self._listed = _Listed()

    def listed(self, kind: Kind, page: Iterable[Mapping[str, Any]]) -> Iterator[frozenset[Key]]:
        """Remember one page of a list, one object per step.

        Each step tells the keys that it touches; others may run between two. What a watch
        told, or we wrote, since `expect_list` stays as it is: the list would put an object
        back to an older version, or take one away that was just made.
        """
        for body in page:
            self._listed.add(body["metadata"])
            yield self._told_by_list(kind, "MODIFIED", body)

    def list_ended(self, kind: Kind) -> Iterator[frozenset[Key]]:
        """What no page had is gone, even if no watch ever said so; in steps, like a page."""
        for body in self._missing(kind):
            yield self._told_by_list(kind, "DELETED", body)
        self.listed_kinds.add(kind)
        self._told = None
        self._listed = _Listed()

    def _told_by_list(self, kind: Kind, event: str, body: Mapping[str, Any]) -> frozenset[Key]:
        if self._told is not None and _place(kind, body) in self._told:
            return frozenset()
        return self._apply(kind, event, body)

    def find(self, key: Key) -> RangeImages | ImageCache | Broken | None:
        """The object with this key, or None."""
        is_range = key.kind is Kind.RANGE_IMAGES
        found = self.ranges.get(key) if is_range else self.caches.get(key.name)
        return found or self.broken.get(key)

    def targets(self, wanted: RangeImages) -> tuple[Pod, ...]:
        """The pods of its namespace that its selector matches and that may be targets."""
        return tuple(
            sorted(
                (pod for pod in self.pods.selected_by(wanted) if pod.is_engine),
                key=lambda pod: pod.name,
            )
        )

    def refused(self, wanted: RangeImages) -> tuple[Pod, ...]:
        """Matching pods on the host network: through them we would reach the node's engine."""
        selected = self.pods.selected_by(wanted)
        return tuple(pod for pod in selected if pod.host_network and not pod.leaving)

    def ranges_of(self, cache: str) -> tuple[Key, ...]:
        """The RangeImages that name this cache."""
        return tuple(key for key, item in self.ranges.items() if item.cache_name == cache)

    def ranges_on(self, pod: Pod) -> tuple[Key, ...]:
        """The RangeImages that select this pod."""
        mine = self.ranges.within(pod.namespace)
        return tuple(sorted(key for key, item in mine.items() if item.selects(pod)))

    def older_rivals(self, wanted: RangeImages) -> tuple[RangeImages, ...]:
        """The RangeImages of its namespace that were there before it, the oldest first."""
        mine = _age(wanted)
        beside = self.ranges.within(wanted.metadata.namespace or "")
        return tuple(sorted((each for each in beside.values() if _age(each) < mine), key=_age))

    def reported(self, key: Key, over: Metadata, version: str, status: Status) -> None:
        """Our own status write over that version: the object has this one and says this now.

        The answer to a write may come after the watch has told of a later edit: an older
        version would come back then, and each write over it would be a conflict.
        """
        found = self.find(key)
        if found is None or not _is_version(found.metadata, over):
            return
        if self._told is not None:
            self._told.add((key.kind, key.namespace, key.name))
        if (held := self.ranges.get(key)) and isinstance(status, RangeImagesStatus):
            self.ranges[key] = replace(held.at_version(version), status=status)
        elif (cache := self.caches.get(key.name)) and isinstance(status, ImageCacheStatus):
            self.caches[key.name] = replace(cache.at_version(version), status=status)

    def _range(self, body: Mapping[str, Any], *, gone: bool) -> frozenset[Key]:
        metadata = body["metadata"]
        key = Key(Kind.RANGE_IMAGES, metadata["namespace"], metadata["name"])
        if not gone and _is_known(self.ranges.get(key), metadata):
            return frozenset()
        if _is_late(self.find(key), metadata, gone=gone):
            return frozenset()
        before = self.ranges.pop(key, None)
        was_broken = self.broken.pop(key, None)
        if gone:
            return self._with_cache(key, before)
        try:
            item = RangeImages.parse(body)
        except CyroidError as exc:
            self.broken[key] = broken = Broken.read(RangeImagesStatus, body, exc)
            is_news = not broken.asks_the_same(was_broken)
            return self._with_cache(key, before) if is_news else frozenset()
        self.ranges[key] = item
        if before is not None and before.asks_the_same(item):
            return frozenset()
        return self._with_cache(key, before, item)

    def _with_cache(self, key: Key, *items: RangeImages | None) -> frozenset[Key]:
        """The range itself, and the caches it names or named."""
        caches = {item.cache_name for item in items if item is not None}
        return frozenset({key} | {Key(Kind.IMAGE_CACHE, "", name) for name in caches})

    def _cache(self, body: Mapping[str, Any], *, gone: bool) -> frozenset[Key]:
        name = body["metadata"]["name"]
        key = Key(Kind.IMAGE_CACHE, "", name)
        if not gone and _is_known(self.caches.get(name), body["metadata"]):
            return frozenset()
        if _is_late(self.find(key), body["metadata"], gone=gone):
            return frozenset()
        touched = frozenset({key, *self.ranges_of(name)})
        before = self.caches.pop(name, None)
        was_broken = self.broken.pop(key, None)
        if gone:
            return touched
        try:
            item = ImageCache.parse(body)
        except CyroidError as exc:
            self.broken[key] = broken = Broken.read(ImageCacheStatus, body, exc)
            return frozenset() if broken.asks_the_same(was_broken) else touched
        self.caches[name] = item
        if before is not None and before.asks_the_same(item):
            return frozenset()
        return touched

    def _pod(self, body: Mapping[str, Any], *, gone: bool) -> frozenset[Key]:
        """A name is one pod's at a time: a new one ends the old, even if no watch said so."""
        pod = Pod.parse(body)
        before = self.pods.pop(pod.uid, None)
        replaced = [] if gone else self._namesakes(pod)
        if any(_came_after(each, pod) for each in replaced):
            return frozenset()  # a late event of a pod that is gone
        for each in replaced:
            del self.pods[each.uid]
        if not gone:
            self.pods[pod.uid] = pod
        if before == pod and not gone and not replaced:
            return frozenset()
        concerned = [each for each in (before, pod, *replaced) if each is not None]
        return frozenset(
            key
            for key, item in self.ranges.within(pod.namespace).items()
            if any(item.selects(each) for each in concerned)
        )

    def _namesakes(self, pod: Pod) -> list[Pod]:
        return [each for each in self.pods.within(pod.namespace).values() if each.name == pod.name]

    def _namespace(self, body: Mapping[str, Any], *, gone: bool) -> frozenset[Key]:
        name = body["metadata"]["name"]
        labels = body["metadata"].get("labels") or {}
        if gone:
            self.namespaces.pop(name, None)
            return frozenset()
        if self.namespaces.get(name) == labels:
            return frozenset()
        self.namespaces[name] = dict(labels)
        return frozenset(self.ranges.within(name))

    def _missing(self, kind: Kind) -> tuple[Mapping[str, Any], ...]:
        """Stand-in bodies of what we remember and the list lacks."""
        uids, names = self._listed.uids, self._listed.names
        held: list[tuple[str, str, str]] = []
        match kind:
            case Kind.POD:
                held = [
                    (p.namespace, p.name, p.uid) for p in self.pods.values() if p.uid not in uids
                ]
            case Kind.RANGE_IMAGES:
                held = [(key.namespace, key.name, "") for key in self.ranges]
                held += self._broken_of(kind)
            case Kind.IMAGE_CACHE:
                held = [("", name, "") for name in self.caches]
                held += self._broken_of(kind)
            case Kind.NAMESPACE:
                held = [("", name, "") for name in self.namespaces]
        return tuple(
            {"metadata": {"namespace": namespace, "name": name, "uid": uid}}
            for namespace, name, uid in held
            if uid or (namespace, name) not in names
        )

    def _broken_of(self, kind: Kind) -> list[tuple[str, str, str]]:
        return [(key.namespace, key.name, "") for key in self.broken if key.kind is kind]


def _is_known(held: RangeImages | ImageCache | None, told: Mapping[str, Any]) -> bool:
    """Is it told at the very version that we have? A re-list tells thousands of those."""
    if held is None:
        return False
    mine = held.metadata
    token = (told.get("annotations") or {}).get(RECONCILE_AT)
    return (
        mine.uid,
        mine.resource_version,
        mine.generation,
        mine.annotations.get(RECONCILE_AT),
    ) == (
        told.get("uid"),
        told.get("resourceVersion"),
        told.get("generation"),
        token,
    )


def _is_version(held: Metadata, other: Metadata) -> bool:
    return (held.uid, held.resource_version) == (other.uid, other.resource_version)


def _is_late(
    held: RangeImages | ImageCache | Broken | None, told: Mapping[str, Any], *, gone: bool
) -> bool:
    """Is it told of an object whose place, under its name, the one that we hold has taken?

    The events of both come by two tasks of kopf, in any order. A list tells no UID of what is
    gone. Moments are to the second, and their text sorts by time.
    """
    uid = told.get("uid")
    if held is None or not uid or held.metadata.uid == uid:
        return False
    made = f"{held.metadata.creation_timestamp:%Y-%m-%dT%H:%M:%SZ}"
    before = told.get("creationTimestamp") or ""
    return gone or before < made or (before == made and bool(told.get("deletionTimestamp")))


def _place(kind: Kind, body: Mapping[str, Any]) -> tuple[Kind, str, str]:
    metadata = body["metadata"]
    return kind, metadata.get("namespace", ""), metadata["name"]


def _came_after(held: Pod, told: Pod) -> bool:
    """Was the one that we hold made after the one that is told of now? To the second."""
    if held.created == told.created:
        return told.leaving
    return held.created > told.created


def _age(item: RangeImages) -> tuple[Any, str]:
    return item.metadata.creation_timestamp, item.metadata.uid
