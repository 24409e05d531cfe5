"""What came of the moves of a range: remembered, told to the cache, told to people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cyroid_images.errors import Reason
from cyroid_images.model.actions import Load, Pull, Step
from cyroid_images.model.fault import Failure, Fault
from cyroid_images.model.observed import RangeSeen
from cyroid_images.model.range_images import RangeImages
from cyroid_images.reconcile.job import Ended
from cyroid_images.reconcile.keys import Key, Kind
from cyroid_images.reconcile.memory import INSECURE, Memory
from cyroid_images.reconcile.site import Site

_REGISTRY_LACKS_IT = frozenset(
    {Reason.IMAGE_NOT_FOUND, Reason.BLOB_MISSING, Reason.DIGEST_MISMATCH}
)
"""What an engine says of a pull when the registry lost or damaged the image."""


class RangeOutcomes:
    """Between the jobs and a range's memory."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def take(self, key: Key, item: RangeImages, memory: Memory) -> None:
        """Everything that has ended for this range since its last pass."""
        for ended in self._site.jobs.take_ended(key):
            action = ended.move.action
            if not isinstance(action, Pull | Load):
                continue
            if ended.fault is None:
                memory.succeeded(action)
                await self._tell_delivered(key, item, action, ended)
            else:
                fault = self._seen_from_here(item, action, ended.fault)
                spread, now = self._site.clock.spread(), self._site.clock.now()
                failure = memory.failed(action, _gone_for_now(action, fault), now, spread)
                self._warn_cache(item, action, replace(failure, fault=fault))

    async def warn(self, key: Key, item: RangeImages, memory: Memory) -> None:
        """What is as written and dangerous all the same, or looks like a target and is none."""
        warnings = {
            f"host network/{pod.uid}": (
                Reason.HOST_NETWORK_REFUSED,
                f"{pod.name} is on the host network: its address is the node's, so it is no target",
            )
            for pod in self._site.world.refused(item)
        }
        if item.spec.targets.docker.insecure:
            warnings[INSECURE] = (
                Reason.INSECURE_ENDPOINT,
                "targets.docker.insecure: engines are dialled without TLS, open to who finds them",
            )
        for about, (reason, message) in warnings.items():
            if about not in memory.warned:
                memory.warned.add(about)
                await self._site.reporter.note(key, item.metadata, reason, message, about=about)

    async def tell_replaced(self, key: Key, seen: RangeSeen, memory: Memory) -> None:
        """A pod under a known name is another one, or its engine has another data root."""
        for each in seen.targets:
            target = each.target
            if memory.met_pod(target.pod, target.uid):
                what = f"{target.pod} is a new pod ({target.uid})"
            elif each.view is not None and memory.met_engine(target.uid, each.view.info.id):
                what = f"{target.pod} has another engine, of ID {each.view.info.id}"
            else:
                continue
            await self._site.reporter.note(
                key,
                seen.item.metadata,
                Reason.TARGET_REPLACED,
                f"{what}; what it holds is looked at anew",
                about=f"{target.uid}/{each.view.info.id if each.view else ''}",
            )

    async def tell_drift(
        self, key: Key, item: RangeImages, gone: Sequence[tuple[str, Step]]
    ) -> None:
        """Images that were there and are not: they are on their way back."""
        for uid, step in gone:
            self._site.measures.drifted()
            await self._site.reporter.note(
                key,
                item.metadata,
                Reason.DRIFT_CORRECTED,
                f"{step.wish} was removed or retagged in a target; it is delivered again",
                about=f"{uid}/{step.wish}",
            )

    async def _tell_delivered(
        self, key: Key, item: RangeImages, action: Pull | Load, ended: Ended
    ) -> None:
        if isinstance(action, Pull):
            how = f"by the registry ({action.stored.manifest.digest})"
            about = str(action.stored.manifest.digest)
        else:
            how = f"by tar from {action.source.source}: {action.because.message}"
            about = str(action.source.id)
        message = f"{action.wish} is in {action.target.pod} {how}, in {ended.seconds:.1f} s"
        await self._site.reporter.note(
            key,
            item.metadata,
            Reason.IMAGE_DELIVERED,
            message,
            about=f"{action.target.uid}/{action.wish}/{about}",
        )

    def _seen_from_here(self, item: RangeImages, action: Pull | Load, fault: Fault) -> Fault:
        """The engine cannot reach the registry: is it the registry, or the way to it?"""
        if not isinstance(action, Pull) or fault.reason is not Reason.REGISTRY_UNREACHABLE:
            return fault
        view = self._site.board.view(item.cache_name)
        if view is None or view.registry is not None:
            return fault
        return replace(fault, reason=Reason.REGISTRY_UNREACHABLE_FROM_TARGET)

    def _warn_cache(self, item: RangeImages, action: Pull | Load, failure: Failure) -> None:
        """A failed pull is a reason for the cache to look at the registry now."""
        if not isinstance(action, Pull):
            return
        # A layer that the registry has cut off ends early each time, as a bad line does once.
        ends_early = failure.reason is Reason.TRANSFER_INTERRUPTED and failure.attempts > 1
        if ends_early or failure.reason in _REGISTRY_LACKS_IT:
            of_content = failure.reason is Reason.DIGEST_MISMATCH
            self._site.board.doubt(item.cache_name, action.wish, of_content=of_content)
        self._site.queue.wake(Key(Kind.IMAGE_CACHE, "", item.cache_name))


def _gone_for_now(action: Pull | Load, fault: Fault) -> Fault:
    """What a plan saw and its move did not find is brought anew, so it is tried again soon.

    That nobody has an image, which only a human can mend, is for the plan to say.
    """
    if fault.reason is not Reason.IMAGE_NOT_FOUND:
        return fault
    reason = Reason.PULL_FAILED if isinstance(action, Pull) else Reason.LOAD_FAILED
    return replace(fault, reason=reason)
