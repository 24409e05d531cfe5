"""The real parts that everything happens to, put together once and ended without a trace.

API server, the whole operator behind a proxy, two registries that log each answer, a source
engine, two range engines of either store that listen on one port, as pods do, and stand-ins
for the engines of others.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench.traces import Call, Trace, registry_calls
from tests.chaos.faults import Kind
from tests.parts.api_proxy import before_api_server
from tests.parts.apiserver import ApiServerPart, free_ports
from tests.parts.dockerd import Setup
from tests.parts.engines import EnginePart
from tests.parts.identity import OWN_NAMESPACE, operator_account
from tests.parts.operator import OperatorPart
from tests.parts.proxy import FaultProxy
from tests.parts.registry import RegistryPart
from tests.parts.silent_volume import why_no_silence
from tests.parts.stand_in import StandIns

LOGS_CALLS: dict[str, object] = {"debug": True}
"""So that dockerd tells when a pull begins."""
JSON_LOG = {"CYROID_LOG_FORMAT": "json"}
CONFIG_BYTES = 4096
"""More than the config of any image here, and less than any layer."""
TARGET_ADDRESSES = ("127.0.0.11", "127.0.0.12")


@dataclass(frozen=True, slots=True)
class Stack:
    """Started parts."""

    api: ApiServerPart
    operator: OperatorPart
    registries: tuple[RegistryPart, RegistryPart]
    source: EnginePart
    engines: tuple[EnginePart, EnginePart]
    """With the classic store, with the containerd store."""
    stand_ins: StandIns
    """The engines of others."""
    api_way: FaultProxy | None = None
    """Before the API server, where the operator goes by it."""

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The faults that can be made here."""
        absent = set[Kind]()
        if self.api_way is None:
            absent |= {Kind.SECRETS_SLOW, Kind.SECRETS_REFUSED}
        if why_no_silence():
            absent.add(Kind.VOLUME_HANGS)
        return tuple(kind for kind in Kind if kind not in absent)


@contextmanager
def stack() -> Iterator[Stack]:
    """All parts of their own; end with the context."""
    with ExitStack() as ends:
        api = ApiServerPart(_folder(ends, "apiserver"))
        ends.callback(api.close)
        api.start()
        api.install_crds()
        account = operator_account(api, "chaos-operator")
        way, kubeconfig = ends.enter_context(before_api_server(account))
        operator = OperatorPart(_folder(ends, "operator"), kubeconfig, OWN_NAMESPACE)
        operator.settings.update(JSON_LOG)
        ends.callback(operator.kill)
        operator.start()
        yield ends.enter_context(beside(api, operator, way))


@contextmanager
def beside(
    api: ApiServerPart, operator: OperatorPart, api_way: FaultProxy | None = None
) -> Iterator[Stack]:
    """Registries and engines of their own, for an operator that runs already."""
    with ExitStack() as ends:
        registries = (
            ends.enter_context(logging_registry()),
            ends.enter_context(logging_registry()),
        )
        stand_ins = ends.enter_context(StandIns().running())
        (port,) = free_ports(1)
        first, second = (
            ends.enter_context(
                _engine(Setup(port, address, containerd_store=bool(number), extra=LOGS_CALLS))
            )
            for number, address in enumerate(TARGET_ADDRESSES)
        )
        source = ends.enter_context(_engine(Setup(free_ports(1)[0])))
        yield Stack(api, operator, registries, source, (first, second), stand_ins, api_way)


@contextmanager
def logging_registry() -> Iterator[RegistryPart]:
    """A started registry that logs each answer, with its size."""
    with tempfile.TemporaryDirectory(prefix="cyroid-logging-registry-") as folder:
        part = RegistryPart(Path(folder), logs_calls=True)
        try:
            part.start()
            yield part
        finally:
            part.close()


class RegistryCalls:
    """What both listeners of each registry answered since this was made."""

    def __init__(self, *registries: RegistryPart) -> None:
        self._traces = [
            Trace(registry.data_root.parent / f"{name}.log")
            for registry in registries
            for name in ("push", "pull")
        ]

    def of_layers(self) -> list[Call]:
        """Requests that move layers: down, or up. A config is read to know what an image is."""
        return [
            call
            for trace in self._traces
            for call in registry_calls(trace)
            if "/blobs/" in call.path
            and (call.size > CONFIG_BYTES if call.method == "GET" else _sends(call))
        ]


def wipe(registry: RegistryPart) -> None:
    """Empty the data root of a registry that is stopped."""
    for entry in registry.data_root.iterdir():
        shutil.rmtree(entry)


def empty(engine: EnginePart) -> None:
    """Take away all that an engine that is killed ever stored, and who it was."""
    data = Path(engine.local.url.removeprefix("unix://")).parent / "data"
    shutil.rmtree(data)
    data.mkdir()


def _sends(call: Call) -> bool:
    return call.method in ("POST", "PATCH", "PUT")


@contextmanager
def _engine(setup: Setup) -> Iterator[EnginePart]:
    part = EnginePart(setup)
    try:
        part.start()
        yield part
    finally:
        part.close()


def _folder(ends: ExitStack, purpose: str) -> Path:
    made = tempfile.TemporaryDirectory(prefix=f"cyroid-chaos-{purpose}-")
    return Path(ends.enter_context(made))
