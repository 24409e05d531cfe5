"""The whole operator inside the test process, so that kopf's patience can be made short.

Seventy seconds of silence are too long for a test; everything else is as in production.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kopf

from cyroid_images import handlers
from cyroid_images.settings import Settings
from cyroid_images.wiring.operator import Operator
from tests.parts.identity import OWN_NAMESPACE

SILENCE_SECONDS = 3.0
"""Instead of `inactivity_timeout`: how long a watch may tell nothing."""


@contextlib.contextmanager
def running_operator(kubeconfig: Path) -> Iterator[None]:
    """Runs until the end of the block; its watches are dropped after SILENCE_SECONDS."""
    registry, stop, ready = kopf.OperatorRegistry(), threading.Event(), threading.Event()
    handlers.register(registry, Operator(Settings(namespace=OWN_NAMESPACE, kubeconfig=kubeconfig)))

    async def hurry(settings: kopf.OperatorSettings, **_: Any) -> None:
        settings.watching.inactivity_timeout = SILENCE_SECONDS

    kopf.on.startup(id="hurry", registry=registry)(hurry)
    thread = threading.Thread(target=lambda: asyncio.run(_run(registry, stop, ready)))
    thread.start()
    try:
        assert ready.wait(30), "the operator did not start"
        yield
    finally:
        stop.set()
        thread.join(15)
        assert not thread.is_alive()


async def _run(
    registry: kopf.OperatorRegistry, stop: threading.Event, ready: threading.Event
) -> None:
    await kopf.operator(
        registry=registry,
        settings=kopf.OperatorSettings(),
        clusterwide=True,
        stop_flag=stop,
        ready_flag=ready,
        identity="cyroid-operator",  # type: ignore[arg-type] # a NewType kopf does not export
    )
