"""Small fakes of the ports, for what no real component can be asked to do on cue."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

from cyroid_images.errors import Reason, TransferError
from cyroid_images.execute import ports as execute_ports
from cyroid_images.model.actions import Collect, Copy, Load, Pull, Push, Remove, Untag
from cyroid_images.model.archive import ArchiveView
from cyroid_images.model.clock import Clock
from cyroid_images.model.collected import Collected
from cyroid_images.model.engine import ClientTLS, EngineEndpoint, EngineView, FoundImages
from cyroid_images.model.event import EventNote
from cyroid_images.model.fault import Fault, Route
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.knowledge import (
    HeldByUpstream,
    ImageLocation,
    Stored,
    StoredCheck,
    UpstreamAsk,
    Wanted,
)
from cyroid_images.model.pushed import How, Pushed
from cyroid_images.model.registry import Credentials, RegistryEndpoint
from cyroid_images.model.removal import Removed
from cyroid_images.model.telemetry.progress import ProgressObserver
from cyroid_images.observe import ports as observe_ports
from cyroid_images.reconcile import ports
from cyroid_images.report import ports as report_ports
from cyroid_images.report.event_recorder import event_type
from cyroid_images.scheduling.cancel_scope import CancelScope
from cyroid_images.store.keys import Key, Kind
from tests.unit.plan.examples import NOW, stored


@dataclass(slots=True)
class FakeClock:
    """A day that stands still until it is told."""

    moment: datetime = NOW

    def now(self) -> datetime:
        return self.moment

    def spread(self) -> float:
        return 0.0


@dataclass(slots=True)
class FakeCluster:
    """Remembers what was written; `errors` are raised one after the other instead."""

    listed: dict[Kind, list[Mapping[str, Any]]] = field(default_factory=dict)
    statuses: list[tuple[Key, str, Mapping[str, Any]]] = field(default_factory=list)
    notes: list[EventNote] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)
    page_errors: list[Exception] = field(default_factory=list)
    """What the second page of a list fails with."""
    gone: bool = False
    gates: list[tuple[str, str]] = field(default_factory=list)
    """UID and status of each pod condition that was written."""
    said: list[str] = field(default_factory=list)
    """The message of each."""
    meanwhile: Callable[[], None] | None = None
    """Happens while a status is on its way."""

    async def pages(self, kind: Kind) -> AsyncIterator[Sequence[Mapping[str, Any]]]:
        if self.errors:
            raise self.errors.pop(0)
        for number, body in enumerate(self.listed.get(kind, [])):
            if number and self.page_errors:
                raise self.page_errors.pop(0)
            yield [body]

    async def apply_status(
        self, key: Key, resource_version: str, status: Mapping[str, Any]
    ) -> str | None:
        if self.errors:
            raise self.errors.pop(0)
        self.statuses.append((key, resource_version, status))
        if self.meanwhile is not None:
            self.meanwhile()
        return None if self.gone else str(int(resource_version) + 1)

    async def set_pod_condition(
        self,
        namespace: str,  # noqa: ARG002 - the port
        name: str,  # noqa: ARG002 - the port
        uid: str,
        condition: Mapping[str, Any],
    ) -> None:
        if self.errors:
            raise self.errors.pop(0)
        self.gates.append((uid, condition["status"]))
        self.said.append(condition["message"])

    def last(self, key: Key) -> Mapping[str, Any]:
        """The status that stands in the object now."""
        return [status for each, _, status in self.statuses if each == key][-1]


@dataclass(slots=True)
class FakeEngines:
    """Engines by URL: a view, or what a look does; any other refuses."""

    views: dict[str, EngineView | Callable[[], EngineView]] = field(default_factory=dict)
    looks: list[str] = field(default_factory=list)

    def look(self, endpoint: EngineEndpoint) -> EngineView:
        self.looks.append(endpoint.url)
        shown = self.views.get(endpoint.url)
        if shown is None:
            raise TransferError(Reason.ENGINE_UNREACHABLE, "refused")
        return shown if isinstance(shown, EngineView) else shown()


@dataclass(slots=True)
class FakeArchives:
    """Archives by path; any other is missing."""

    views: dict[str, ArchiveView] = field(default_factory=dict)

    def look(self, path: str) -> ArchiveView:
        if path not in self.views:
            raise TransferError(Reason.ARCHIVE_MISSING, f"there is no {path}")
        return self.views[path]


@dataclass(slots=True)
class FakeUpstreams:
    """Upstream images by reference, or the error that each question ends in."""

    held: dict[str, HeldByUpstream] = field(default_factory=dict)
    error: TransferError | None = None
    asked: list[str] = field(default_factory=list)

    def find(self, ask: UpstreamAsk) -> HeldByUpstream | None:
        self.asked.append(str(ask.reference))
        if self.error is not None:
            raise self.error
        return self.held.get(str(ask.reference))


@dataclass(slots=True)
class FakeRegistries:
    """A registry that has what it was told, or is away."""

    held: dict[str, Stored] = field(default_factory=dict)
    away: bool = False
    tagged: Digest | None = None
    """What somebody else put under every tag."""
    pings: int = 0

    def ping(self, endpoint: RegistryEndpoint) -> None:
        self.pings += 1
        if self.away:
            raise TransferError(Reason.REGISTRY_UNREACHABLE, f"{endpoint} refuses")

    def find(
        self, endpoint: RegistryEndpoint, place: ImageLocation, wanted: Wanted
    ) -> Stored | None:
        self.ping(endpoint)
        found = self.held.get(place.repository)
        matches = wanted.content is None or (found and found.content.is_same(wanted.content))
        return found if matches else None

    def holds(self, endpoint: RegistryEndpoint, stored: Stored, tag: str) -> StoredCheck:  # noqa: ARG002 - the port
        self.ping(endpoint)
        there = stored.repository in self.held
        return StoredCheck(there, self.tagged or (stored.manifest.digest if there else None))


@dataclass(slots=True)
class FakeMovers:
    """Moves that end at once: by `then`, which a test gives, or in vain."""

    then: Callable[[Copy | Push | Pull | Load], None]
    shows: Callable[[Pull | Load], EngineView]
    """The engine once the move is done there."""
    moves: list[Copy | Push | Pull | Load | Untag | Remove | Collect] = field(default_factory=list)
    collects: Callable[[Collect], Collected] = lambda each: Collected(
        each.id, each.is_dry_run, is_over=True
    )
    dropped: Callable[[], None] = lambda: None
    """Happens when names are dropped."""
    takes_out: Callable[[Remove], Removed] = lambda _: Removed()
    """What a removal takes out of the registry."""

    def push(self, action: Push, cancellation: CancelScope, observer: ProgressObserver) -> Pushed:  # noqa: ARG002 - the port
        self._move(action)
        return Pushed(stored(), How.STREAM, "a test wants it so")

    def copy(self, action: Copy, cancellation: CancelScope, observer: ProgressObserver) -> Stored:  # noqa: ARG002 - the port
        self._move(action)
        return stored()

    def pull(
        self,
        action: Pull,
        stall_seconds: float,  # noqa: ARG002 - the port
        cancellation: CancelScope,  # noqa: ARG002 - the port
        observer: ProgressObserver,  # noqa: ARG002 - the port
    ) -> FoundImages:
        return self._deliver(action)

    def load(
        self,
        action: Load,
        stall_seconds: float,  # noqa: ARG002 - the port
        cancellation: CancelScope,  # noqa: ARG002 - the port
        observer: ProgressObserver,  # noqa: ARG002 - the port
    ) -> FoundImages:
        return self._deliver(action)

    def untag(self, action: Untag, cancellation: CancelScope) -> None:  # noqa: ARG002 - the port
        self.moves.append(action)
        self.dropped()

    def remove(self, action: Remove, cancellation: CancelScope) -> Removed:  # noqa: ARG002 - the port
        self.moves.append(action)
        return self.takes_out(action)

    def collect(self, action: Collect, cancellation: CancelScope) -> Collected:  # noqa: ARG002 - the port
        self.moves.append(action)
        return self.collects(action)

    def _deliver(self, action: Pull | Load) -> FoundImages:
        self._move(action)
        shown = self.shows(action)
        names = [action.wish.reference.tagged]
        names += [action.transport] if isinstance(action, Pull) else []
        return {name: shown.images.get(name) or shown.by_digest.get(name) for name in names}

    def _move(self, action: Copy | Push | Pull | Load) -> None:
        self.moves.append(action)
        self.then(action)


class NoSecrets:
    """A namespace without Secrets."""

    def forget(self, name: str) -> None:
        raise AssertionError(f"nobody has read {name}")

    async def credentials(self, name: str) -> Credentials:
        raise TransferError(Reason.SECRET_MISSING, f"no {name}")

    async def upstream_credentials(
        self, name: str, hosts: frozenset[str]
    ) -> Mapping[str, Credentials]:
        raise TransferError(Reason.SECRET_MISSING, f"no {name} for {len(hosts)} hosts")

    async def authority(self, name: str) -> str:
        raise TransferError(Reason.SECRET_MISSING, f"no {name}")

    async def client_tls(self, name: str, server_name: str) -> ClientTLS:
        raise TransferError(Reason.SECRET_MISSING, f"no {name} for {server_name}")


P = TypeVar("P")
V = TypeVar("V")


@dataclass(slots=True)
class FakeLooker(Generic[P, V]):
    """Looks by a function of the place and its last view; nothing is ever renewed."""

    look: Callable[[P, V | None], V]
    party_of: Callable[[P], str] = lambda _: ""
    renew: Callable[[P, Fault], Awaitable[bool]] | None = None

    def party(self, place: P, /) -> str:
        return self.party_of(place)

    async def prepare(self, place: P, /) -> Callable[[V | None], V]:
        return lambda last: self.look(place, last)

    async def renewed(self, place: P, fault: Fault, /) -> bool:
        return self.renew is not None and await self.renew(place, fault)


@dataclass(slots=True)
class FakeRecorder:
    """Remembers every event; deliveries as notes of their own."""

    notes: list[EventNote]

    def record(self, key: Key, uid: str, reason: Reason, message: str, *, about: str) -> None:
        kind, namespace, name = key.kind, key.namespace, key.name
        self.notes.append(
            EventNote(kind, namespace, name, uid, reason, message, event_type(reason), about)
        )

    def delivered(
        self, key: Key, uid: str, *, image: str, pod: str, route: Route, why: str = ""
    ) -> None:
        text = f"{image} into {pod} by {route} {why}".rstrip()
        self.record(key, uid, Reason.IMAGE_DELIVERED, text, about=f"{image}/{pod}/{route}")

    def forget(self, key: Key) -> None:
        """Nothing waits here."""


def _typed(movers: FakeMovers) -> tuple[object, ...]:
    """mypy compares each fake with its Protocol here."""
    clock: Clock = FakeClock()
    lists: ports.Lists = FakeCluster()
    cluster: report_ports.StatusAPI = FakeCluster()
    recorder: report_ports.Recorder = FakeRecorder([])
    secrets: observe_ports.Secrets = NoSecrets()
    moving: execute_ports.Movers = movers
    return clock, lists, cluster, recorder, secrets, moving
