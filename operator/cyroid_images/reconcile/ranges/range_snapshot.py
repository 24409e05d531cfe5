"""What one pass of a RangeImages decides by: store, demand and observations, as one value."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from cyroid_images.errors import Reason
from cyroid_images.execute.transfer import Ended
from cyroid_images.model.actions import Load, Pull, Target
from cyroid_images.model.clock import Clock
from cyroid_images.model.engine import EngineEndpoint, EngineView
from cyroid_images.model.fault import Fault
from cyroid_images.model.images.platform import Platform
from cyroid_images.model.kinds.range_images import Delivery, RangeImages
from cyroid_images.model.knowledge import CacheView, Wish
from cyroid_images.model.observed import EngineShown, RangeSeen, TargetSeen
from cyroid_images.model.pod import Pod
from cyroid_images.observe.observation import Observation
from cyroid_images.observe.observer import Observer
from cyroid_images.observe.places import EnginePlace
from cyroid_images.plan.conflicts import conflicts
from cyroid_images.plan.limits import EffectiveTimeouts, RangeLimits, effective_timeouts
from cyroid_images.reconcile.ranges.range_state import SETTLED_SECONDS, RangeState
from cyroid_images.scheduling.work_queue import WorkQueue
from cyroid_images.store.demand import Demand, Wants
from cyroid_images.store.keys import Key
from cyroid_images.store.store import Store

STARTING_SECONDS = 120.0
"""A container needs seconds until its engine listens; for so long that is no outage."""
NOT_YET = Fault(Reason.PROGRESSING, "engine not looked at yet")
NOT_MET = Fault(Reason.WAITING_FOR_ENGINE, "engine not looked at yet")
"""The same of one that is new here: what was said of another one is not true of it."""
NOT_RUNNING = Fault(Reason.POD_NOT_READY, "no container of the pod is running yet")

Engines = Observer[EnginePlace, EngineShown]


@dataclass(frozen=True, slots=True)
class RangeSnapshots:
    """Follows the engines of a range, and tells the demand what it wants."""

    store: Store
    demand: Demand
    queue: WorkQueue[Key]
    engines: Engines
    clock: Clock
    client_secret: str
    """Name of the Secret with the client certificate for range engines."""
    limits: RangeLimits
    """What a range may ask for, where its cache says nothing of it."""

    def take(self, key: Key, item: RangeImages, state: RangeState) -> RangeSeen:
        """Everything that this range depends on, as it is known now."""
        pods = self.store.targets(item)
        self._follow(key, item, pods, state)
        rivals = conflicts(item, self.store.older_rivals(item), pods)
        now = self.queue.time()
        told = frozenset(row.uid for row in item.status.target_statuses)
        is_told = told.__contains__ if not item.status.targets_omitted else lambda _: True
        seen = [self._target(pod, state, now, is_told) for pod in pods]
        targets = tuple(
            replace(each, conflicts=rivals[each.target.uid])
            if each.view is not None and each.target.uid in rivals
            else each
            for each in seen
        )
        cache, fault = self._cache(key, item)
        if cache is not None:
            state.dials(cache.pull_host)
        self._want(key, item, targets, is_allowed=fault is None)
        looking = [self.engines.is_pending(place) for place in state.places.values()]
        return RangeSeen(
            item,
            targets,
            cache,
            fault,
            dict(state.failures),
            self.clock.now(),
            is_looking=any(looking),
        )

    def timeouts(self, item: RangeImages) -> EffectiveTimeouts:
        """What counts for this range: what it asks for, within the limits of its cache."""
        cache = self.store.caches.get(item.cache_name)
        return effective_timeouts(item.spec, cache.spec.limits if cache else None, self.limits)

    def refresh(self, uid: str, state: RangeState, not_before: float | None = None) -> None:
        """Something happened in this target: what was seen before does not count."""
        if (place := state.places.get(uid)) is not None:
            self.engines.refresh(place, not_before)

    def amend(self, key: Key, target: Target, ended: Ended, state: RangeState) -> None:
        """A transfer into this target ended well: what it saw there last is known from now on."""
        place = state.places.get(target.uid)
        if place is None:
            return
        action, found = ended.transfer.action, ended.result
        last = self.engines.at(place)
        shown = last.view if last is not None else None
        if shown is None or not _is_only_more(shown.view, action):
            self.engines.refresh(place, ended.at)
            return
        after = replace(shown, view=shown.view.amended(found))
        self.engines.amend(place, ended.at, after, by=key)

    def refresh_endpoint(
        self, endpoint: EngineEndpoint, state: RangeState, not_before: float
    ) -> None:
        """The same, of the target that listens there."""
        for place in state.places.values():
            if place.url == endpoint.url:
                self.engines.refresh(place, not_before)

    def forget(self, key: Key) -> None:
        """The range is gone: its engines are left alone, the cache need not hold its images."""
        self.engines.follow(key, {})
        self._wake(self.demand.set(key, None))

    def _follow(
        self, key: Key, item: RangeImages, pods: tuple[Pod, ...], state: RangeState
    ) -> None:
        """Have the engine of each running pod looked at; a pod that is no longer ready, now."""
        state.places = {
            pod.uid: self._place(item, pod) for pod in pods if pod.address and pod.running
        }
        every = self.timeouts(item).interval
        self.engines.follow(key, dict.fromkeys(state.places.values(), every))
        if state.is_asked:
            state.is_asked = False
            for place in state.places.values():
                self.engines.refresh(place)
        for pod in pods:
            # While our own gate is closed no pod is ready, and that says nothing.
            was_ready = pod.uid not in state.unready
            if pod.ready or pod.gate == "False" or (pod.waits_for_images and pod.gate is None):
                state.unready.discard(pod.uid)
            elif was_ready:
                state.unready.add(pod.uid)
                self.refresh(pod.uid, state)

    def _place(self, item: RangeImages, pod: Pod) -> EnginePlace:
        name = item.spec.targets.docker.effective_server_name
        host = f"[{pod.address}]" if ":" in pod.address else pod.address
        return EnginePlace(
            owner=pod.uid,
            containers=pod.running,
            url=f"tcp://{host}:{item.spec.targets.docker.effective_port}",
            secret=self.client_secret if name else "",
            server_name=name or "",
            party=pod.namespace,
        )

    def _target(
        self, pod: Pod, state: RangeState, now: float, is_told: Callable[[str], bool]
    ) -> TargetSeen:
        """`is_told`: does the status speak of the target with this UID?"""
        place = state.places.get(pod.uid)
        nowhere = Target(pod.uid, pod.name, EngineEndpoint(""))
        if place is None:
            return TargetSeen(nowhere, fault=NOT_RUNNING)
        seen = self.engines.at(place)
        if seen is None:
            is_known = state.shown.get(pod.uid, place) == place and is_told(pod.uid)
            return TargetSeen(nowhere, fault=NOT_YET if is_known else NOT_MET)
        if seen.fault is not None or seen.view is None:
            return TargetSeen(nowhere, fault=_fault(seen, now), since=seen.seen)
        shown = seen.view
        state.shown[pod.uid] = place
        target = Target(pod.uid, pod.name, shown.endpoint)
        claimed = shown.view.info.platform
        believed = state.claims(place, claimed, seen.began)
        if believed != claimed:
            text = (
                f"the engine claims another platform than {believed}, which it claimed before;"
                f" it is believed once it claims the same for {SETTLED_SECONDS:.0f} s"
            )
            return TargetSeen(target, fault=Fault(Reason.TARGET_IDENTITY_MISMATCH, text))
        return TargetSeen(
            target, view=shown.view, since=seen.seen, is_stale=self.engines.is_pending(place)
        )

    def _cache(self, key: Key, item: RangeImages) -> tuple[CacheView | None, Fault | None]:
        """What the cache tells, or why it cannot be used."""
        name = item.cache_name
        cache = self.store.caches.get(name)
        if cache is None:
            message = f"there is no ImageCache {name}; work starts when it appears"
            return None, Fault(Reason.CACHE_NOT_FOUND, message)
        allowed = cache.spec.allowed_namespaces
        labels = self.store.namespaces.get(key.namespace)
        if allowed is not None and labels is None:
            return None, Fault(Reason.PROGRESSING, f"namespace {key.namespace} is not known yet")
        if allowed is not None and not allowed.matches(labels or {}):
            return None, Fault(
                Reason.NAMESPACE_NOT_ALLOWED,
                f"ImageCache {name} does not allow namespace {key.namespace}"
                " (spec.allowedNamespaces)",
            )
        return self.demand.view(name) or CacheView(cache.spec.registry.pull_host), None

    def _want(
        self, key: Key, item: RangeImages, targets: tuple[TargetSeen, ...], *, is_allowed: bool
    ) -> None:
        """Tell the cache what is wanted; wake it if that is news."""
        if not is_allowed:
            self._wake(self.demand.set(key, None))
            return
        wishes = set(item.wishes)
        view = self.demand.view(item.cache_name)
        if view is not None:
            for platform in {each.view.info.platform for each in targets if each.view}:
                wishes |= _for_platform(platform, view, item.wishes)
        # TarOnly is for sites without a registry, and for comparisons: nothing is put into it.
        may_push = not item.spec.suspend and item.spec.delivery is not Delivery.TAR_ONLY
        wants = Wants(item.cache_name, frozenset(wishes), may_push=may_push)
        self._wake(self.demand.set(key, wants))

    def _wake(self, keys: Iterable[Key]) -> None:
        for key in keys:
            self.queue.wake(key)


def _is_only_more(view: EngineView, action: Pull | Load) -> bool:
    """Did this delivery change nothing else in the engine that the view shows?

    Where the name stood on something else, that may have gone with its last name; and another
    engine that answers there meanwhile holds nobody knows what.
    """
    name = action.wish.reference.tagged
    return view.info == action.info and name not in view.images and name not in view.half


def _fault(seen: Observation[EngineShown], now: float) -> Fault:
    """Why the engine shows nothing; one that never answered yet is given time to start."""
    fault = seen.fault or NOT_YET
    is_starting = seen.view is None and seen.faulty_for(now) <= STARTING_SECONDS
    if fault.reason is not Reason.ENGINE_UNREACHABLE or not is_starting:
        return fault
    return Fault(Reason.WAITING_FOR_ENGINE, f"engine does not listen yet: {fault.message}")


def _for_platform(platform: Platform, cache: CacheView, wishes: Iterable[Wish]) -> set[Wish]:
    """Wishes by the engine's platform, where the source's own is another one."""
    return {
        Wish(wish.reference, platform)
        for wish in wishes
        if wish.platform is None
        and (known := cache.images.get(wish)) is not None
        and known.content is not None
        and known.content.platform != platform
    }
