"""The parts that every measure stands on, put together once, and ended without a trace."""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Self

import yaml

from cyroid_images.kube import rights
from tests.bench.traces import Trace
from tests.lab.progress import Progress, step
from tests.parts.apiserver import ApiServerPart, free_ports
from tests.parts.dockerd import Setup
from tests.parts.engines import EnginePart
from tests.parts.identity import OWN_NAMESPACE, grant
from tests.parts.operator import OperatorPart
from tests.parts.registry import CREDENTIALS, RegistryPart
from tests.parts.site import PUSH_SECRET, Site

SCRATCH = Path("/var/tmp")
"""On disk: a data root of 2 GB in a tmpfs would be memory."""
DEBUG: dict[str, object] = {"debug": True}


@contextmanager
def engine(*, port: int | None = None, address: str = "127.0.0.1") -> Iterator[EnginePart]:
    """A started Docker 26.1 with the classic store that logs each call; ends with the context."""
    part = EnginePart(Setup(port=port or free_ports(1)[0], address=address, extra=DEBUG))
    try:
        part.start()
        yield part
    finally:
        part.close()


class Stage:
    """API server, operator, registry and source engine; `engine` makes range engines.

    As a context: everything ends with it, in the reverse order.
    """

    api: ApiServerPart
    operator: OperatorPart
    registry: RegistryPart
    source: EnginePart

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

    def engine(self, *, port: int | None = None, address: str = "127.0.0.1") -> EnginePart:
        """A started engine that ends with the stage."""
        return self._stack.enter_context(engine(port=port, address=address))

    def site(self, purpose: str) -> Site:
        """A namespace with a cache to be made; its images come from the source engine."""
        site = Site(f"{purpose}-{next(self._numbers)}", self.api, self.operator, self.source)
        self.api.put_namespace(site.name, {"cyroid.io/ranges": "true"})
        return site

    def registry_traces(self) -> tuple[Trace, Trace]:
        """What the push and the pull listener log from now on."""
        folder = self.registry.data_root.parent
        return Trace(folder / "push.log"), Trace(folder / "pull.log")

    def _start(self) -> None:
        with step(self.tell, "API server"):
            self.api = ApiServerPart(self._folder("apiserver"))
            self._stack.callback(self.api.close)
            self.api.start()
            self.api.install_crds()
        with step(self.tell, "registry and source engine"):
            self.registry = RegistryPart(self._folder("registry"))
            self._stack.callback(self.registry.close)
            self._log_each_answer()
            self.registry.start()
            self.source = self.engine()
        with step(self.tell, "operator"):
            self.operator = OperatorPart(self._folder("operator"), self._identity(), OWN_NAMESPACE)
            self._stack.callback(self.operator.kill)
            self.operator.start()

    def _folder(self, purpose: str) -> Path:
        made = tempfile.TemporaryDirectory(prefix=f"cyroid-bench-{purpose}-", dir=SCRATCH)
        return Path(self._stack.enter_context(made))

    def _identity(self) -> Path:
        """A kubeconfig with exactly the rights of the operator, and its password in place."""
        allowed = rights.needed(OWN_NAMESPACE, [PUSH_SECRET, "cyroid-docker-client"])
        kubeconfig = grant(self.api, "bench-operator", allowed)
        encoded = {
            key: base64.b64encode(getattr(CREDENTIALS, key).encode()).decode()
            for key in ("username", "password")
        }
        secret = {"metadata": {"name": PUSH_SECRET}, "data": encoded}
        self.api.call("POST", f"/api/v1/namespaces/{OWN_NAMESPACE}/secrets", secret)
        return kubeconfig

    def _log_each_answer(self) -> None:
        for name in ("push", "pull"):
            path = self.registry.data_root.parent / f"{name}.yml"
            settings = yaml.safe_load(path.read_text())
            settings["log"]["accesslog"]["disabled"] = False
            path.write_text(yaml.safe_dump(settings))
