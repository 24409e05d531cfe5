"""What came of the transfers of a range: remembered, told to the cache, told to people."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from cyroid_images.errors import Reason
from cyroid_images.execute.executor import Executor
from cyroid_images.model.actions import Load, Pull, Step, Untag
from cyroid_images.model.clock import Clock
from cyroid_images.model.fault import Failure, Fault, Route
from cyroid_images.model.kinds.range_images import RangeImages
from cyroid_images.model.observed import RangeSeen
from cyroid_images.model.telemetry.measures import Measures
from cyroid_images.plan import backoff
from cyroid_images.reconcile.ranges.range_snapshot import RangeSnapshots
from cyroid_images.reconcile.ranges.range_state import INSECURE, RangeState
from cyroid_images.report.ports import Recorder
from cyroid_images.scheduling.work_queue import WorkQueue
from cyroid_images.store.demand import Demand
from cyroid_images.store.keys import Key, Kind
from cyroid_images.store.store import Store

_WITHOUT_TLS = (
    "targets.docker.insecure: connecting to engines without TLS; whoever reaches the port"
    " controls the engine"
)
_REGISTRY_LACKS_IT = frozenset(
    {Reason.IMAGE_NOT_FOUND, Reason.BLOB_MISSING, Reason.DIGEST_MISMATCH}
)
"""What an engine says of a pull when the registry lost or damaged the image."""


@dataclass(frozen=True, slots=True)
class RangeOutcomes:
    """Between the executor and a range's state."""

    executor: Executor
    recorder: Recorder
    snapshots: RangeSnapshots
    store: Store
    demand: Demand
    queue: WorkQueue[Key]
    check_registry: Callable[[str], None]
    clock: Clock
    measures: Measures

    def take(self, key: Key, item: RangeImages, state: RangeState) -> None:
        """Everything that has ended for this range since its last pass."""
        for ended in self.executor.take_ended(key):
            action = ended.transfer.action
            if isinstance(action, Untag):
                self.snapshots.refresh_endpoint(action.endpoint, state, ended.at)
                now, spread = self.clock.now(), self.clock.spread()
                state.untidy.ended(action.endpoint, ended.fault, now, spread)
            if not isinstance(action, Pull | Load):
                continue
            if ended.fault is None:
                self.snapshots.amend(key, action.target, ended, state)
                state.succeeded(action, self.clock.now())
                self._tell_delivered(key, item, action)
            else:
                self.snapshots.refresh(action.target.uid, state, ended.at)
                self._failed(item, state, action, ended.fault)

    def warn(self, key: Key, item: RangeImages, state: RangeState) -> None:
        """What is as written and dangerous all the same, or looks like a target and is none."""
        warnings = {
            f"host network/{pod.uid}": (
                Reason.HOST_NETWORK_REFUSED,
                f"{pod.name} is on the host network: its address is the node's, so it is no target",
            )
            for pod in self.store.refused(item)
        }
        if item.spec.targets.docker.insecure:
            warnings[INSECURE] = (Reason.INSECURE_ENDPOINT, _WITHOUT_TLS)
        for about in warnings.keys() - state.warned:
            reason, message = warnings[about]
            self.recorder.record(key, item.metadata.uid, reason, message, about=about)
        state.warned &= {INSECURE}  # what is gone need not be remembered
        state.warned |= warnings.keys()

    def tell_replaced(self, key: Key, seen: RangeSeen, state: RangeState) -> None:
        """A pod under a known name is another one, or its engine has another data root."""
        for each in seen.targets:
            target = each.target
            if state.met_pod(target.pod, target.uid):
                what = f"{target.pod} is a new pod ({target.uid})"
            elif each.view is not None and state.met_engine(target.uid, each.view.info.id):
                what = f"{target.pod} has another engine, of ID {each.view.info.id}"
            else:
                continue
            self.recorder.record(
                key,
                seen.item.metadata.uid,
                Reason.TARGET_REPLACED,
                f"{what}; its images are checked again",
                about=f"{target.uid}/{each.view.info.id if each.view else ''}",
            )

    def tell_drift(self, key: Key, seen: RangeSeen, gone: Sequence[tuple[str, Step]]) -> None:
        """Images that were there and are not: they are on their way back."""
        pods = {each.target.uid: each.target.pod for each in seen.targets}
        for uid, step in gone:
            self.measures.drifted()
            self.recorder.record(
                key,
                seen.item.metadata.uid,
                Reason.DRIFT_CORRECTED,
                f"{step.wish} was removed or retagged in pod {pods.get(uid, uid)};"
                " delivering it again",
                about=f"{uid}/{step.wish}",
            )

    def _tell_delivered(self, key: Key, item: RangeImages, action: Pull | Load) -> None:
        route, why = Route.REGISTRY, ""
        if isinstance(action, Load):
            route, why = Route.TAR, f"{action.because.reason}: {action.because.message}"
        image, pod = str(action.wish), action.target.pod
        self.recorder.delivered(key, item.metadata.uid, image=image, pod=pod, route=route, why=why)

    def _failed(
        self, item: RangeImages, state: RangeState, action: Pull | Load, fault: Fault
    ) -> None:
        fault = self._seen_from_here(item, action, fault)
        otherwise = Reason.PULL_FAILED if isinstance(action, Pull) else Reason.LOAD_FAILED
        spread, now = self.clock.spread(), self.clock.now()
        failure = state.failed(action, backoff.gone_for_now(fault, otherwise), now, spread)
        self._warn_cache(item, action, replace(failure, fault=fault))

    def _seen_from_here(self, item: RangeImages, action: Pull | Load, fault: Fault) -> Fault:
        """The engine cannot reach the registry: is it the registry, or the way to it?"""
        if not isinstance(action, Pull) or fault.reason is not Reason.REGISTRY_UNREACHABLE:
            return fault
        view = self.demand.view(item.cache_name)
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
            self.demand.distrust(item.cache_name, action.wish, of_content=of_content)
            self.queue.wake(Key(Kind.IMAGE_CACHE, "", item.cache_name))
        self.check_registry(item.cache_name)
