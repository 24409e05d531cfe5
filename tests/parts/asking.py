"""Asking a `Cluster` from a test that is no coroutine: connect, ask, close."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from cyroid_images.kube import Cluster

T = TypeVar("T")


def ask(kubeconfig: Path, question: Callable[[Cluster], Awaitable[T]]) -> T:
    """The answer of a Cluster that lives for this one question, in an event loop of its own."""

    async def connected() -> T:
        cluster = await Cluster.connect(
            namespace="cyroid", instance="operator-1", kubeconfig=kubeconfig
        )
        try:
            return await question(cluster)
        finally:
            await cluster.close()

    return asyncio.run(connected())
