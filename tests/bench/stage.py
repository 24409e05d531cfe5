"""The parts that every measure stands on, put together once, and ended without a trace.

API server and operator live as long as the stage. Registries are new for each run of a
measure that must find nothing in them: a new address and a new data root. Source and range
engines are started when they are first asked for and emptied between runs.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.bench.emptying import Store
from tests.bench.traces import Trace
from tests.lab.progress import Progress, step
from tests.parts.apiserver import ApiServerPart, free_ports
from tests.parts.dockerd import Setup
from tests.parts.engines import EnginePart
from tests.parts.identity import OWN_NAMESPACE, operator_account
from tests.parts.operator import OperatorPart
from tests.parts.registry import RegistryPart
from tests.parts.site import Site

SCRATCH = Path("/var/tmp")
"""On disk: a data root of 5 GB in a tmpfs would be memory."""
DEBUG: dict[str, object] = {"debug": True}


@contextmanager
def engine(
    store: Store = Store.CLASSIC,
    *,
    port: int | None = None,
    address: str = "127.0.0.1",
    logs_calls: bool = False,
) -> Iterator[EnginePart]:
    """A started Docker 26.1; ends with the context."""
    setup = Setup(
        port=port or free_ports(1)[0],
        address=address,
        containerd_store=store is Store.CONTAINERD,
        extra=DEBUG if logs_calls else {},
    )
    part = EnginePart(setup)
    try:
        part.start()
        yield part
    finally:
        part.close()


class Stage:
    """API server and operator; makes registries, engines and sites.

    As a context: everything ends with it, in the reverse order.
    """

    api: ApiServerPart
    operator: OperatorPart

    def __init__(self, tell: Progress) -> None:
        self.tell = tell
        self._stack = ExitStack()
        self._numbers = count(1)

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    @contextmanager
    def registry(self, *, logs_calls: bool = False) -> Iterator[RegistryPart]:
        """A started registry with nothing in it."""
        with tempfile.TemporaryDirectory(prefix="cyroid-bench-registry-", dir=SCRATCH) as folder:
            part = RegistryPart(Path(folder), logs_calls=logs_calls)
            try:
                part.start()
                yield part
            finally:
                part.close()

    def site(self, purpose: str, source: EnginePart) -> Site:
        """A namespace with a cache to be made; its images come from that engine."""
        site = Site(f"{purpose}-{next(self._numbers)}", self.api, self.operator, source)
        self.api.put_namespace(site.name, {"cyroid.io/ranges": "true"})
        return site

    def _start(self) -> None:
        with step(self.tell, "API server"):
            self.api = ApiServerPart(self._folder("apiserver"))
            self._stack.callback(self.api.close)
            self.api.start()
            self.api.install_crds()
        with step(self.tell, "operator"):
            self.operator = OperatorPart(
                self._folder("operator"),
                operator_account(self.api, "bench-operator"),
                OWN_NAMESPACE,
            )
            self._stack.callback(self.operator.kill)
            self.operator.start()

    def _folder(self, purpose: str) -> Path:
        made = tempfile.TemporaryDirectory(prefix=f"cyroid-bench-{purpose}-", dir=SCRATCH)
        return Path(self._stack.enter_context(made))


def registry_traces(registry: RegistryPart) -> tuple[Trace, Trace]:
    """What the push and the pull listener log from now on."""
    folder = registry.data_root.parent
    return Trace(folder / "push.log"), Trace(folder / "pull.log")
