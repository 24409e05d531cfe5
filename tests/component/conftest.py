"""The real components that component tests run against, each started once per run."""

from __future__ import annotations

import contextlib

import pytest

from tests.parts import fetch, namespace
from tests.parts.apiserver import apiserver
from tests.parts.engines import (
    any_engine,
    classic_engine,
    containerd_engine,
    docker28_engine,
    docker29_engine,
    emptied_engines,
    new_engine,
    old_engine,
    shared_engines,
)
from tests.parts.proxy import new_proxy
from tests.parts.registry import new_registry, registry
from tests.parts.scripted import scripted

__all__ = [
    "any_engine",
    "apiserver",
    "classic_engine",
    "containerd_engine",
    "docker28_engine",
    "docker29_engine",
    "emptied_engines",
    "new_engine",
    "new_proxy",
    "new_registry",
    "old_engine",
    "registry",
    "scripted",
    "shared_engines",
]


def pytest_configure(config: pytest.Config) -> None:
    """Fetch what needs the machine's network, then move into namespaces of our own.

    Each process of a run that is spread over several has its own network and its own parts;
    the one that only hands out the tests fetches for all of them.
    """
    if namespace.why_not() is not None or config.option.collectonly:
        return
    is_worker = hasattr(config, "workerinput")
    if not is_worker:
        _fetch(config)
    if is_worker or not config.getoption("numprocesses", None):
        namespace.enter()


def _fetch(config: pytest.Config) -> None:
    """Past pytest's capturing: somebody may wait for minutes, and is told for what."""
    capture = config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled() if capture else contextlib.nullcontext():
        fetch.everything()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Say why component tests cannot run here, where that is so."""
    if reason := namespace.why_not():
        for item in items:
            if "component" in item.path.parts:
                item.add_marker(pytest.mark.skip(reason=f"real components: {reason}"))
