"""The parts of a load test, started once and ended without a trace."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench.emptying import Store
from tests.bench.stage import SCRATCH, engine
from tests.chaos.stack import logging_registry
from tests.lab.progress import Progress, step
from tests.parts.apiserver import ApiServerPart, free_ports
from tests.parts.engines import EnginePart
from tests.parts.identity import OWN_NAMESPACE, operator_account
from tests.parts.operator import OperatorPart
from tests.parts.registry import RegistryPart
from tests.parts.stand_in import StandIns

REAL_ENGINES = 6
"""Half of them with either image store; besides the source."""


@dataclass(frozen=True, slots=True)
class Stack:
    """Started parts."""

    api: ApiServerPart
    operator: OperatorPart
    registry: RegistryPart
    source: EnginePart
    engines: tuple[EnginePart, ...]
    stand_ins: StandIns
    tell: Progress


@contextmanager
def stack(tell: Progress) -> Iterator[Stack]:
    """All parts of their own."""
    with ExitStack() as ends:
        with step(tell, "API server, registry, stand-ins"):
            api = ApiServerPart(_folder(ends, "apiserver"), is_audited=True)
            ends.callback(api.close)
            api.start()
            api.install_crds()
            registry = ends.enter_context(logging_registry())
            stand_ins = ends.enter_context(StandIns().running())
        with step(tell, f"{REAL_ENGINES + 1} engines"):
            source = ends.enter_context(engine())
            (port,) = free_ports(1)
            engines = tuple(
                ends.enter_context(
                    engine(store, port=port, address=f"127.0.0.{20 + number}", logs_calls=True)
                )
                for number, store in enumerate((*Store,) * (REAL_ENGINES // 2))
            )
        account = operator_account(api, "load-operator")
        operator = OperatorPart(_folder(ends, "operator"), account, OWN_NAMESPACE)
        ends.callback(operator.kill)
        operator.start()
        yield Stack(api, operator, registry, source, engines, stand_ins, tell)


def _folder(ends: ExitStack, purpose: str) -> Path:
    made = tempfile.TemporaryDirectory(prefix=f"cyroid-load-{purpose}-", dir=SCRATCH)
    return Path(ends.enter_context(made))
