"""What one pass of a RangeImages sees: its engines, its cache, its rivals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.actions import Target
from cyroid_images.model.engine import ClientTLS, EngineEndpoint, EngineView
from cyroid_images.model.fault import Fault
from cyroid_images.model.knowledge import CacheView, Wish
from cyroid_images.model.observed import RangeSeen, TargetSeen
from cyroid_images.model.platform import Platform
from cyroid_images.model.pod import Pod
from cyroid_images.model.range_images import Delivery, RangeImages
from cyroid_images.plan.conflicts import conflicts
from cyroid_images.reconcile.board import Wants
from cyroid_images.reconcile.keys import Key, Kind
from cyroid_images.reconcile.looks import NOT_YET
from cyroid_images.reconcile.memory import Memory
from cyroid_images.reconcile.site import Site

STARTING_SECONDS = 120.0
"""A container needs seconds until its engine listens; for so long that is no outage."""


class RangeObserver:
    """Reads world, board and engines; tells the board what the range wants."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def observe(self, key: Key, item: RangeImages, memory: Memory) -> RangeSeen:
        """Look at everything that this range depends on."""
        pods = self._site.world.targets(item)
        targets = await self._targets(key, item, pods, memory)
        cache, fault = self._cache(key, item)
        self._tell_wishes(key, item, targets, is_allowed=fault is None)
        return RangeSeen(
            item=item,
            targets=targets,
            cache=cache,
            cache_fault=fault,
            failures=dict(memory.failures),
            now=self._site.clock.now(),
        )

    def forget(self, key: Key) -> None:
        """The range is gone: the cache need not hold anything for it."""
        wants = self._site.board.wants(key)
        if self._site.board.want(key, None) and wants is not None:
            self._site.queue.wake(Key(Kind.IMAGE_CACHE, "", wants.cache))

    async def _targets(
        self, key: Key, item: RangeImages, pods: tuple[Pod, ...], memory: Memory
    ) -> tuple[TargetSeen, ...]:
        """Each pod with its engine's view, or why there is none."""
        try:
            tls = await self._tls(item)
        except TransferError as exc:
            fault = Fault.of(exc)
            return tuple(TargetSeen(_target(item, pod, None), fault=fault) for pod in pods)
        targets = {pod.uid: _target(item, pod, tls) for pod in pods}
        asked = [targets[pod.uid].endpoint for pod in pods if pod.address and pod.running]
        seen = await self._site.looks.at(key, asked)
        rivals = conflicts(item, self._site.world.older_rivals(item), pods)
        return tuple(
            self._seen(pod, targets[pod.uid], seen, memory, rivals.get(pod.uid, {})) for pod in pods
        )

    def _seen(
        self,
        pod: Pod,
        target: Target,
        seen: Mapping[EngineEndpoint, EngineView | Fault],
        memory: Memory,
        rivals: Mapping[Wish, Fault],
    ) -> TargetSeen:
        if not pod.address or not pod.running:
            fault = Fault(Reason.POD_NOT_READY, "the pod has no running container yet")
            return TargetSeen(target, fault=fault)
        result = seen[target.endpoint]
        if isinstance(result, EngineView):
            memory.first_asked.pop(pod.uid, None)
            memory.waited.pop(pod.uid, None)
            memory.met.add(pod.uid)
            return TargetSeen(target, view=result, conflicts=rivals)
        return TargetSeen(target, fault=self._patient(pod, result, memory))

    def _patient(self, pod: Pod, fault: Fault, memory: Memory) -> Fault:
        """An engine that never answered yet is given time before it counts as unreachable."""
        if fault is NOT_YET:
            return fault
        now = self._site.queue.time()
        memory.waited[pod.uid] = now - memory.first_asked.setdefault(pod.uid, now)
        is_starting = pod.uid not in memory.met and memory.waited[pod.uid] <= STARTING_SECONDS
        if fault.reason is not Reason.ENGINE_UNREACHABLE or not is_starting:
            return fault
        return Fault(Reason.WAITING_FOR_ENGINE, f"the engine does not listen yet: {fault.message}")

    def _cache(self, key: Key, item: RangeImages) -> tuple[CacheView | None, Fault | None]:
        """What the cache tells, or why it cannot be used."""
        name = item.cache_name
        cache = self._site.world.caches.get(name)
        if cache is None:
            message = f"there is no ImageCache {name}; work starts when it appears"
            return None, Fault(Reason.CACHE_NOT_FOUND, message)
        allowed = cache.spec.allowed_namespaces
        labels = self._site.world.namespaces.get(key.namespace)
        if allowed is not None and labels is None:
            return None, Fault(Reason.PROGRESSING, f"namespace {key.namespace} is not seen yet")
        if allowed is not None and not allowed.matches(labels or {}):
            return None, Fault(
                Reason.NAMESPACE_NOT_ALLOWED,
                f"ImageCache {name} does not allow namespace {key.namespace}"
                " (spec.allowedNamespaces)",
            )
        view = self._site.board.view(name)
        return view or CacheView(cache.spec.registry.pull_host), None

    def _tell_wishes(
        self, key: Key, item: RangeImages, targets: tuple[TargetSeen, ...], *, is_allowed: bool
    ) -> None:
        """Tell the cache what is wanted; wake it if that is news."""
        if not is_allowed:
            self.forget(key)
            return
        wishes = set(item.wishes)
        view = self._site.board.view(item.cache_name)
        if view is not None:
            for platform in {each.view.info.platform for each in targets if each.view}:
                wishes |= _for_platform(platform, view, item.wishes)
        # TarOnly is for sites without a registry, and for comparisons: nothing is put into it.
        may_push = not item.spec.suspend and item.spec.delivery is not Delivery.TAR_ONLY
        wants = Wants(item.cache_name, frozenset(wishes), may_push=may_push)
        if self._site.board.want(key, wants):
            self._site.queue.wake(Key(Kind.IMAGE_CACHE, "", item.cache_name))

    async def _tls(self, item: RangeImages) -> ClientTLS | None:
        name = item.spec.targets.docker.effective_server_name
        if name is None:
            return None
        return await self._site.secrets.client_tls(self._site.client_secret, name)


def _target(item: RangeImages, pod: Pod, tls: ClientTLS | None) -> Target:
    host = f"[{pod.address}]" if ":" in pod.address else pod.address
    port = item.spec.targets.docker.effective_port
    return Target(pod.uid, pod.name, EngineEndpoint(f"tcp://{host}:{port}", tls))


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
