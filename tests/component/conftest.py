"""The real components that component tests run against, each started once per run."""

from __future__ import annotations

import pytest

from tests.parts import namespace
from tests.parts.apiserver import apiserver
from tests.parts.engines import classic_engine, containerd_engine, old_engine
from tests.parts.registry import new_registry, registry
from tests.parts.scripted import scripted

__all__ = [
    "apiserver",
    "classic_engine",
    "containerd_engine",
    "new_registry",
    "old_engine",
    "registry",
    "scripted",
]


def pytest_configure() -> None:
    """Move into namespaces of our own before any test starts a thread."""
    if namespace.why_not() is None:
        namespace.enter()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Say why component tests cannot run here, where that is so."""
    if reason := namespace.why_not():
        for item in items:
            if "component" in item.path.parts:
                item.add_marker(pytest.mark.skip(reason=f"real components: {reason}"))
