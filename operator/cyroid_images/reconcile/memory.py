"""What a range's passes remember from one to the next: failures and tar records, no progress.

Two things are read back from status when the operator starts, because nothing else
records them: the tar deliveries, and the attempts of failing transfers (so that a restart
does not reset the back-off).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from cyroid_images.errors import Mark
from cyroid_images.model.actions import Load, Present, Pull, Step
from cyroid_images.model.digest import Digest
from cyroid_images.model.fault import Failure, Fault, Route
from cyroid_images.model.knowledge import Wish
from cyroid_images.model.observed import FailureKey
from cyroid_images.model.range_images import RangeImages
from cyroid_images.model.status import TarDelivery
from cyroid_images.plan import backoff
from cyroid_images.plan.tar_record import is_recorded, record_of, still_true

MOST_PODS = 1024
"""Pods of a range whose names are remembered after they went: Deployments make up new ones."""

INSECURE = "insecure"
"""What a warning of engines without TLS is about: the spec, so it is told once of each."""


@dataclass(slots=True)
class Memory:
    """Of one RangeImages, by uid: a re-made object starts anew."""

    uid: str
    generation: int
    token: str | None
    failures: dict[FailureKey, Failure] = field(default_factory=dict)
    tar: list[TarDelivery] = field(default_factory=list)
    written: bool = False
    """Is the list of tar records, as it is now, in the object's status?"""
    warned: set[str] = field(default_factory=set)
    """What people were warned of already, by what it is about."""
    causes: dict[tuple[str, str], str] = field(default_factory=dict)
    """By target and image: the error that made the load necessary."""
    delivered: dict[tuple[str, Wish], Digest] = field(default_factory=dict)
    """What was seen present by an earlier pass, to tell drift from first delivery."""
    met: set[str] = field(default_factory=set)
    """Targets whose engine has answered at least once."""
    pods: dict[str, str] = field(default_factory=dict)
    """UIDs of the targets that were met, by name of the pod: the last MOST_PODS of them."""
    engines: dict[str, str] = field(default_factory=dict)
    """By target: the ID of the engine that answered there last."""
    first_asked: dict[str, float] = field(default_factory=dict)
    """Since when a target's engine has not answered, by the clock of the event loop."""
    waited: dict[str, float] = field(default_factory=dict)
    """For how many seconds it had not answered when it was last asked."""
    looked_at: int = -1
    """The generation of which somebody was told that it was looked at."""

    @classmethod
    def of(cls, item: RangeImages, now: datetime) -> Memory:
        """What the status of the object still tells."""
        memory = cls(item.metadata.uid, item.metadata.generation, item.metadata.reconcile_at)
        memory.tar, memory.written = list(item.status.tar_deliveries), True
        if any(each.observed_generation == memory.generation for each in item.status.conditions):
            memory.warned.add(
                INSECURE
            )  # told when this spec was first seen, maybe before a restart
        memory.pods = {row.pod: row.uid for row in item.status.target_statuses}
        wishes = {str(each.reference): each for each in item.spec.images}
        uids = {row.pod: row.uid for row in item.status.target_statuses}
        for row in item.status.failures:
            wish, uid = wishes.get(row.image), uids.get(row.pod or "")
            if wish is None or uid is None or row.route is None:
                continue
            key = FailureKey(uid, Wish(wish.reference, wish.platform), row.route)
            fault = Fault(row.reason, row.message)
            memory.failures[key] = Failure(fault, row.attempts, row.next_attempt_time or now)
        return memory

    def begin(self, item: RangeImages) -> None:
        """A changed spec or a manual token: what only a change could help is tried again."""
        if item.metadata.reconcile_at != self.token:
            self.failures.clear()
        elif item.metadata.generation != self.generation:
            self.failures = {
                key: failure
                for key, failure in self.failures.items()
                if failure.reason.mark is not Mark.TERMINAL
            }
        self.generation, self.token = item.metadata.generation, item.metadata.reconcile_at

    def looks_first(self) -> bool:
        """Is this the first look of this generation? Asked once per look."""
        before, self.looked_at = self.looked_at, self.generation
        return before != self.generation

    def failed(self, action: Pull | Load, fault: Fault, now: datetime, spread: float) -> Failure:
        """One more attempt in vain; the failure that it makes of them all."""
        route = Route.REGISTRY if isinstance(action, Pull) else Route.TAR
        key = FailureKey(action.target.uid, action.wish, route)
        self.failures[key] = backoff.failed(self.failures.get(key), fault, now, spread=spread)
        return self.failures[key]

    def succeeded(self, action: Pull | Load) -> None:
        """The image is there: what failed before is made good, a pull ends a tar record."""
        uid, wish = action.target.uid, action.wish
        for route in Route:
            key = FailureKey(uid, wish, route)
            # The failed registry route stays known while tars come: it is not healed by them.
            if route is Route.TAR or isinstance(action, Pull):
                self.failures.pop(key, None)
        self.delivered[uid, wish] = action.content.identity
        if isinstance(action, Pull):
            self._keep(
                record for record in self.tar if _place(record) != (uid, str(wish.reference))
            )

    def record(self, load: Load, now: datetime) -> bool:
        """Put a load on record; True if the record is in status already, so it may begin."""
        if is_recorded(load, self.tar):
            return self.written
        new = record_of(load, now)
        self._keep([*(old for old in self.tar if _place(old) != _place(new)), new])
        self.causes[_place(new)] = load.because.message
        return False

    def prune(self, steps: Mapping[str, tuple[Step, ...]]) -> None:
        """Forget what speaks of gone targets, images nobody wants, and what is there now."""
        self._keep(
            record
            for record in self.tar
            if record.uid in steps and still_true(record, steps[record.uid])
        )
        self.met &= steps.keys()
        self.engines = {uid: name for uid, name in self.engines.items() if uid in steps}
        self.first_asked = {uid: at for uid, at in self.first_asked.items() if uid in steps}
        self.waited = {uid: at for uid, at in self.waited.items() if uid in steps}
        self.delivered = {at: seen for at, seen in self.delivered.items() if at[0] in steps}
        self.causes = {at: why for at, why in self.causes.items() if at[0] in steps}
        wanted = {(uid, step.wish): step for uid, each in steps.items() for step in each}
        for key in list(self.failures):
            step = wanted.get((key.uid, key.wish))
            if steps.get(key.uid) != () and (step is None or isinstance(step, Present)):
                del self.failures[key]

    def drifted(self, steps: Mapping[str, tuple[Step, ...]]) -> tuple[tuple[str, Step], ...]:
        """Images that an earlier pass saw and that are gone or another; told once."""
        gone: list[tuple[str, Step]] = []
        for uid, each in steps.items():
            for step in each:
                if isinstance(step, Present):
                    self.delivered[uid, step.wish] = step.content.identity
                elif isinstance(step, Pull | Load):
                    before = self.delivered.get((uid, step.wish))
                    if before is not None and before in step.content.identities:
                        del self.delivered[uid, step.wish]
                        gone.append((uid, step))
        return tuple(gone)

    def renewed(self, steps: Mapping[str, tuple[Step, ...]]) -> Mapping[tuple[str, Wish], Digest]:
        """What was delivered before under the names whose other content is on its way."""
        return {
            (uid, step.wish): before
            for uid, each in steps.items()
            for step in each
            if isinstance(step, Pull | Load)
            and (before := self.delivered.get((uid, step.wish)))
            and before not in step.content.identities
        }

    def met_pod(self, name: str, uid: str) -> bool:
        """Remember who has this name; True if that was another pod before."""
        before = self.pods.pop(name, uid)
        self.pods[name] = uid
        while len(self.pods) > MOST_PODS:
            del self.pods[next(iter(self.pods))]
        return before != uid

    def met_engine(self, uid: str, engine: str) -> bool:
        """Remember who answers in a target; True if that is another engine than before.

        Another ID is another data root: what was delivered into the old one is not missing.
        """
        before, self.engines[uid] = self.engines.get(uid), engine
        if before in (None, engine):
            return False
        self.delivered = {at: seen for at, seen in self.delivered.items() if at[0] != uid}
        return True

    def _keep(self, records: Iterable[TarDelivery]) -> None:
        kept = list(records)
        if kept != self.tar:
            self.tar, self.written = kept, False


def _place(record: TarDelivery) -> tuple[str, str]:
    return record.uid, record.image
