"""A whole kopf operator against the real API server, with a shell that only writes down."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import kopf
import pytest

from cyroid_images import handlers
from cyroid_images.kube import rights
from tests.parts import objects
from tests.parts.apiserver import ApiServerPart, wait_for
from tests.parts.identity import grant

pytestmark = pytest.mark.slow
ENGINE = {"cyroid.io/component": "dind"}
SEEN_SECONDS = 2.0
"""How soon a change must arrive."""


@dataclass(slots=True)
class RecordingShell:
    """Writes down what it is told; `raises` makes every event fail afterwards."""

    told: list[tuple[str, str | None, str]] = field(default_factory=list)
    bodies: list[Mapping[str, Any]] = field(default_factory=list)
    life: list[str] = field(default_factory=list)
    raises: bool = False

    async def start(self) -> None:
        self.life.append("start")

    async def stop(self) -> None:
        self.life.append("stop")

    def changed(self, kind: str, event_type: str | None, body: Mapping[str, Any]) -> None:
        self.told.append((kind, event_type, body["metadata"]["name"]))
        self.bodies.append(body)
        if self.raises:
            raise RuntimeError("a defect of the world")

    def wait_for(
        self, kind: str, event_type: str | None, name: str, seconds: float = SEEN_SECONDS
    ) -> None:
        """Until it was told so; the error shows what it was told instead."""
        told = (kind, event_type, name)
        wait_for(lambda: told in self.told, str(told), seconds, lambda: str(self.told))


class Running:
    """The operator in a thread with an event loop of its own."""

    def __init__(self, shell: RecordingShell) -> None:
        self.registry = kopf.OperatorRegistry()
        handlers.register(self.registry, shell)
        self.settings = kopf.OperatorSettings()
        self.error: BaseException | None = None
        self._stop = threading.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="operator")

    def start(self) -> None:
        self._thread.start()
        assert self._ready.wait(30), self.error

    def stop(self, seconds: float = 10) -> None:
        self._stop.set()
        self._thread.join(seconds)

    @property
    def is_running(self) -> bool:
        return self._thread.is_alive()

    def _run(self) -> None:
        try:
            asyncio.run(
                kopf.operator(
                    registry=self.registry,
                    settings=self.settings,
                    clusterwide=True,
                    stop_flag=self._stop,
                    ready_flag=self._ready,
                )
            )
        except BaseException as exc:
            self.error = exc


@pytest.fixture(scope="module")
def watcher(apiserver: ApiServerPart) -> Path:
    """The kubeconfig of a service account with the operator's rights and no more."""
    apiserver.install_crds()
    return grant(apiserver, "watcher", rights.needed("cyroid"))


@pytest.fixture
def shell() -> RecordingShell:
    return RecordingShell()


@pytest.fixture
def running(
    watcher: Path, shell: RecordingShell, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Running]:
    """An operator that has seen the namespaces, so all its watches may be counted on."""
    monkeypatch.setenv("KUBECONFIG", str(watcher))
    operator = Running(shell)
    operator.start()
    shell.wait_for("Namespace", None, "kube-system", seconds=10)
    yield operator
    operator.stop()


def test_a_range_is_seen_made_changed_and_deleted(
    apiserver: ApiServerPart, running: Running, shell: RecordingShell
) -> None:
    stored = objects.create(apiserver, objects.range_images("watched"))
    shell.wait_for("RangeImages", "ADDED", "watched")
    merge = {"content_type": "application/merge-patch+json"}
    apiserver.call("PATCH", objects.path_of(stored), {"spec": {"suspend": True}}, **merge)
    shell.wait_for("RangeImages", "MODIFIED", "watched")
    apiserver.call("DELETE", objects.path_of(stored))
    shell.wait_for("RangeImages", "DELETED", "watched")
    assert running.is_running


def test_a_cache_and_a_namespace_are_seen(
    apiserver: ApiServerPart, running: Running, shell: RecordingShell
) -> None:
    stored = objects.create(apiserver, objects.image_cache("watched"))
    shell.wait_for("ImageCache", "ADDED", "watched")
    apiserver.put_namespace("watched")
    shell.wait_for("Namespace", "ADDED", "watched")
    apiserver.call("DELETE", objects.path_of(stored))
    shell.wait_for("ImageCache", "DELETED", "watched")
    assert running.is_running


def test_pods_are_seen_only_with_the_label_of_an_engine(
    apiserver: ApiServerPart, running: Running, shell: RecordingShell
) -> None:
    apiserver.put_pod("other", labels={"app": "web"})
    apiserver.put_pod("engine", labels=ENGINE)
    shell.wait_for("Pod", "MODIFIED", "engine")
    apiserver.delete_pod("engine")
    apiserver.delete_pod("other")
    shell.wait_for("Pod", "DELETED", "engine")
    assert "other" not in {name for kind, _, name in shell.told if kind == "Pod"}
    assert running.is_running


def test_a_body_is_the_object_as_the_api_tells_it(
    apiserver: ApiServerPart, running: Running, shell: RecordingShell
) -> None:
    stored = objects.create(apiserver, objects.range_images("told"))
    shell.wait_for("RangeImages", "ADDED", "told")
    body = next(
        item for item in shell.bodies if item["metadata"]["uid"] == stored["metadata"]["uid"]
    )
    assert type(body) is dict
    assert body["spec"] == stored["spec"]
    apiserver.call("DELETE", objects.path_of(stored))
    assert running.is_running


def test_watching_writes_nothing_to_objects(
    apiserver: ApiServerPart, running: Running, shell: RecordingShell
) -> None:
    stored = objects.create(apiserver, objects.range_images("untouched"))
    shell.wait_for("RangeImages", "ADDED", "untouched")
    running.stop()
    body = apiserver.call("GET", objects.path_of(stored))
    assert body["metadata"] == stored["metadata"]
    assert "annotations" not in body["metadata"]
    assert "finalizers" not in body["metadata"]
    apiserver.call("DELETE", objects.path_of(stored))


def test_it_ends_within_three_seconds(running: Running, shell: RecordingShell) -> None:
    running.stop(seconds=3)
    assert not running.is_running
    assert running.error is None
    assert shell.life == ["start", "stop"]


def test_a_defect_of_the_world_stops_no_watch(
    apiserver: ApiServerPart, running: Running, shell: RecordingShell
) -> None:
    shell.raises = True
    for name in ("first", "second"):
        stored = objects.create(apiserver, objects.range_images(name))
        shell.wait_for("RangeImages", "ADDED", name)
        apiserver.call("DELETE", objects.path_of(stored))
        shell.wait_for("RangeImages", "DELETED", name)
    assert running.is_running


def test_it_survives_an_outage_of_the_api_server(
    apiserver: ApiServerPart, running: Running, shell: RecordingShell
) -> None:
    apiserver.stop()
    wait_for(lambda: not apiserver.is_ready(), "the API server to be gone", 5)
    apiserver.start()
    stored = objects.create(apiserver, objects.range_images("afterwards"))
    wait_for(
        lambda: any(name == "afterwards" for _, _, name in shell.told),
        "a range made after the outage",
        30,
        lambda: str(shell.told),
    )
    assert running.is_running
    assert shell.life == ["start"]
    apiserver.call("DELETE", objects.path_of(stored))


def test_an_identity_that_comes_late_is_taken(
    watcher: Path, shell: RecordingShell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "absent"))
    operator = Running(shell)
    operator.start()
    try:
        monkeypatch.setenv("KUBECONFIG", str(watcher))
        shell.wait_for("Namespace", None, "kube-system", seconds=15)
    finally:
        operator.stop()


def test_the_pauses_between_tries_grow_and_never_end() -> None:
    backoffs = handlers.Backoffs()
    first = [pause for pause, _ in zip(backoffs, range(100), strict=False)]
    assert 0.8 <= first[0] <= 1.2
    assert all(24 <= pause <= 36 for pause in first[5:])
    assert next(iter(backoffs)) <= 1.2
