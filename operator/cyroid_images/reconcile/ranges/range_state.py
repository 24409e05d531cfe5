"""What is remembered of a RangeImages from pass to pass: failures and tar records, no progress.

Two things are read back from status when the operator starts, because nothing else
records them: the tar deliveries, and the attempts of failing transfers (so that a restart
does not reset the back-off).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cyroid_images.errors import Mark, Reason
from cyroid_images.model.actions import Load, Present, Pull, Step
from cyroid_images.model.fault import Failure, Fault, Route
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.platform import Platform
from cyroid_images.model.images.reference import Reference
from cyroid_images.model.kinds.range_images import RangeImages
from cyroid_images.model.kinds.status import TarDelivery
from cyroid_images.model.knowledge import Wish
from cyroid_images.model.observed import FailureKey
from cyroid_images.observe.places import EnginePlace
from cyroid_images.plan import backoff
from cyroid_images.plan.status.tar_record import is_recorded, record_of, still_true
from cyroid_images.reconcile.untidy import Untidy

MOST_PODS = 1024
"""Pods of a range whose names are remembered after they went: Deployments make up new ones."""

INSECURE = "insecure"
"""What a warning of engines without TLS is about: the spec, so it is told once of each."""


DID_NOT_LAST = "delivered and verified, but missing again soon after; will retry with back-off"
SETTLED_SECONDS = 30.0
"""Between two looks, and all in between, that show another platform than the believed one."""
LASTING = timedelta(minutes=5)
"""What is gone sooner after its delivery did not last: the next delivery waits longer."""


@dataclass(frozen=True, slots=True)
class Seen:
    """An image that was delivered, or found there: what, and since when."""

    identity: Digest
    since: datetime


@dataclass(frozen=True, slots=True)
class PlatformClaim:
    """What is believed of an engine's platform, and what it claims instead since a look."""

    believed: Platform
    other: Platform | None = None
    since: float = 0.0
    """When the first look began that showed the other one, by the event loop's clock."""


@dataclass(slots=True)
class RangeState:
    """Of one RangeImages, by uid: a re-made object starts anew."""

    uid: str
    generation: int
    token: str | None
    failures: dict[FailureKey, Failure] = field(default_factory=dict)
    tar: list[TarDelivery] = field(default_factory=list)
    written: tuple[TarDelivery, ...] = ()
    """The tar records that are in the object's status: their loads may begin."""
    warned: set[str] = field(default_factory=set)
    """What people were warned of already, by what it is about."""
    causes: dict[tuple[str, str], str] = field(default_factory=dict)
    """By target and image: the error that made the load necessary."""
    delivered: dict[tuple[str, Wish], Seen] = field(default_factory=dict)
    """What was seen present by an earlier pass, to tell drift from first delivery."""
    lost: dict[tuple[str, Wish], int] = field(default_factory=dict)
    """How often in a row a delivery did not last."""
    places: dict[str, EnginePlace] = field(default_factory=dict)
    """By target: where its engine is looked at."""
    shown: dict[str, EnginePlace] = field(default_factory=dict)
    """By target: which engine was seen last, so that a restarted one is known as new."""
    platforms: dict[EnginePlace, PlatformClaim] = field(default_factory=dict)
    """What is believed of an engine: it does not change while its containers run."""
    transports: dict[str, set[Reference]] = field(default_factory=dict)
    """By target: the transport names that transfers of this process gave there."""
    untidy: Untidy = field(default_factory=Untidy)
    unready: set[str] = field(default_factory=set)
    """Targets whose pod was not ready when it was last seen."""
    pull_host: str | None = None
    """How engines named the registry in the last pass."""
    pods: dict[str, str] = field(default_factory=dict)
    """UIDs of the targets that were met, by name of the pod: the last MOST_PODS of them."""
    engines: dict[str, str] = field(default_factory=dict)
    """By target: the ID of the engine that answered there last."""
    is_asked: bool = False
    """Somebody asked for a pass now: every engine is to be looked at anew."""
    has_status: bool = False
    """A first status was written."""
    looked_at: int = -1
    """The generation of which somebody was told that it was looked at."""

    @classmethod
    def of(cls, item: RangeImages, now: datetime) -> RangeState:
        """What the status of the object still tells."""
        state = cls(item.metadata.uid, item.metadata.generation, item.metadata.reconcile_at)
        state.tar, state.written = list(item.status.tar_deliveries), item.status.tar_deliveries
        state.has_status = bool(item.status.conditions)
        if any(each.observed_generation == state.generation for each in item.status.conditions):
            state.warned.add(INSECURE)  # told when this spec was first seen, maybe before a restart
        state.pods = {row.pod: row.uid for row in item.status.target_statuses}
        wishes = {str(each.reference): each for each in item.spec.images}
        uids = {row.pod: row.uid for row in item.status.target_statuses}
        for row in item.status.failures:
            wish, uid = wishes.get(row.image), uids.get(row.pod or "")
            if wish is None or uid is None or row.route is None:
                continue
            key = FailureKey(uid, Wish(wish.reference, wish.platform), row.route)
            fault = Fault(row.reason, row.message)
            state.failures[key] = Failure(fault, row.attempts, row.next_attempt_time or now)
        return state

    def begin(self, item: RangeImages) -> None:
        """A changed spec or a manual token: what only a change could help is tried again."""
        if item.metadata.reconcile_at != self.token:
            self.failures.clear()
            self.is_asked = True
        elif item.metadata.generation != self.generation:
            self.failures = {
                key: failure
                for key, failure in self.failures.items()
                if failure.reason.mark is not Mark.TERMINAL
            }
        self.generation, self.token = item.metadata.generation, item.metadata.reconcile_at

    def dials(self, pull_host: str) -> None:
        """Another name of the registry: what failed under the old one is worth another try."""
        if self.pull_host not in (None, pull_host):
            self.failures = {
                key: failure
                for key, failure in self.failures.items()
                if key.route is not Route.REGISTRY
            }
        self.pull_host = pull_host

    def claims(self, place: EnginePlace, platform: Platform, at: float) -> Platform:
        """The platform that is believed of this engine, which claims this one in a look that
        began then: the first one, or another one that it has claimed ever since for a while.

        So who claims another one at each look is believed once, and who lied once is not
        refused for good.
        """
        held = self.platforms.get(place)
        if held is not None and platform == held.other and at - held.since >= SETTLED_SECONDS:
            held = None
        if held is None or platform == held.believed:
            held = PlatformClaim(platform)
        elif platform != held.other:
            held = PlatformClaim(held.believed, platform, at)
        self.platforms[place] = held
        return held.believed

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

    def succeeded(self, action: Pull | Load, now: datetime) -> None:
        """The image is there: what failed before is made good, a pull ends a tar record."""
        uid, wish = action.target.uid, action.wish
        for route in Route:
            key = FailureKey(uid, wish, route)
            # The failed registry route stays known while tars come: it is not healed by them.
            if route is Route.TAR or isinstance(action, Pull):
                self.failures.pop(key, None)
        self.delivered[uid, wish] = Seen(action.content.identity, now)
        if isinstance(action, Pull):
            about = (uid, str(wish.reference))
            self.tar = [record for record in self.tar if _about(record) != about]

    def record(self, load: Load, now: datetime) -> bool:
        """Put a load on record; True if the record is in status already, so it may begin."""
        if is_recorded(load, self.tar):
            return is_recorded(load, self.written)
        new = record_of(load, now)
        self.tar = [*(old for old in self.tar if _about(old) != _about(new)), new]
        self.causes[_about(new)] = load.because.message
        return False

    def gives(self, action: Pull) -> None:
        """A transfer of ours gives this transport name, and takes it away again at its end."""
        self.transports.setdefault(action.target.uid, set()).add(action.transport)

    def prune(self, steps: Mapping[str, tuple[Step, ...]]) -> None:
        """Forget what speaks of gone targets, images nobody wants, and what is there now."""
        self.tar = [
            record
            for record in self.tar
            if record.uid in steps and still_true(record, steps[record.uid])
        ]
        self.engines = {uid: name for uid, name in self.engines.items() if uid in steps}
        self.places = {uid: place for uid, place in self.places.items() if uid in steps}
        self.shown = {uid: place for uid, place in self.shown.items() if uid in steps}
        known = frozenset(self.places.values())
        self.platforms = {at: each for at, each in self.platforms.items() if at in known}
        self.transports = {uid: names for uid, names in self.transports.items() if uid in steps}
        self.unready &= steps.keys()
        self.causes = {at: why for at, why in self.causes.items() if at[0] in steps}
        wanted = {(uid, step.wish): step for uid, each in steps.items() for step in each}
        self.delivered = {
            at: seen
            for at, seen in self.delivered.items()
            if at in wanted or steps.get(at[0]) == ()
        }
        self.lost = {at: times for at, times in self.lost.items() if at[0] in steps}
        for key in list(self.failures):
            step = wanted.get((key.uid, key.wish))
            if steps.get(key.uid) != () and (step is None or isinstance(step, Present)):
                del self.failures[key]

    def drifted(
        self, steps: Mapping[str, tuple[Step, ...]], now: datetime, spread: float
    ) -> tuple[tuple[str, Step], ...]:
        """Images that an earlier pass saw and that are gone or another; told once.

        What does not last again and again is delivered with growing pauses only.
        """
        gone: list[tuple[str, Step]] = []
        for uid, each in steps.items():
            for step in each:
                if isinstance(step, Present):
                    self._lasts(uid, step, now)
                elif isinstance(step, Pull | Load) and self._is_lost(uid, step, now, spread):
                    gone.append((uid, step))
        return tuple(gone)

    def renewed(self, steps: Mapping[str, tuple[Step, ...]]) -> Mapping[tuple[str, Wish], Digest]:
        """What was delivered before under the names whose other content is on its way."""
        return {
            (uid, step.wish): before.identity
            for uid, each in steps.items()
            for step in each
            if isinstance(step, Pull | Load)
            and (before := self.delivered.get((uid, step.wish)))
            and before.identity not in step.content.identities
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

    def _lasts(self, uid: str, step: Present, now: datetime) -> None:
        """It is there: after a while, what was lost before counts no more."""
        at, identity = (uid, step.wish), step.content.identity
        before = self.delivered.get(at)
        if before is None or before.identity != identity:
            before = self.delivered[at] = Seen(identity, now)
        if now - before.since >= LASTING:
            self.lost.pop(at, None)

    def _is_lost(self, uid: str, step: Pull | Load, now: datetime, spread: float) -> bool:
        """Was it there before? One that did not last is a failure of its route from then on."""
        at = (uid, step.wish)
        before = self.delivered.get(at)
        if before is None or before.identity not in step.content.identities:
            return False
        del self.delivered[at]
        if now - before.since < LASTING:
            self.lost[at] = self.lost.get(at, 0) + 1
            is_pull = isinstance(step, Pull)
            route = Route.REGISTRY if is_pull else Route.TAR
            reason = Reason.PULL_FAILED if is_pull else Reason.LOAD_FAILED
            fault = Fault(reason, f"{step.wish}: {DID_NOT_LAST}")
            self.failures[FailureKey(uid, step.wish, route)] = backoff.failed(
                None, fault, now, spread=spread, attempts=self.lost[at]
            )
        return True


def _about(record: TarDelivery) -> tuple[str, str]:
    return record.uid, record.image
