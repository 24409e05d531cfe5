"""A whole kopf operator against the real API server, with a shell that only writes down."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import kopf
import pytest
from kopf.testing import KopfRunner

from cyroid_images import handlers
from cyroid_images.errors import AccessDenied
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
    """Writes down what it is told; `raises` makes every event fail afterwards, and
    `starts_with` is what its start raises."""

    told: list[tuple[str, str | None, str]] = field(default_factory=list)
    bodies: list[Mapping[str, Any]] = field(default_factory=list)
    life: list[str] = field(default_factory=list)
    raises: bool = False
    starts_with: Exception | None = None

    async def start(self) -> None:
        self.life.append("start")
        if self.starts_with is not None:
            raise self.starts_with

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
    """The operator as `kopf run` starts it, in a thread with an event loop of its own."""

    def __init__(self, shell: RecordingShell) -> None:
        registry = kopf.OperatorRegistry()
        handlers.register(registry, shell)
        self.runner = KopfRunner(
            ["run", "--all-namespaces", "--standalone"],
            registry=registry,
            settings=kopf.OperatorSettings(),
            reraise=False,
        )

    def start(self) -> None:
        self.runner.__enter__()

    def stop(self, seconds: float = 10) -> None:
        """Raise its stop flag; fails where it has not ended after so many seconds."""
        self.runner.timeout = seconds
        self.runner.__exit__(None, None, None)

    @property
    def is_running(self) -> bool:
        return not self.runner.future.done()


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
    assert running.runner.exit_code == 0
    assert running.runner.exception is None
    assert shell.life == ["start", "stop"]


def test_a_start_that_fails_ends_it_with_an_exit_code_and_no_stop(
    watcher: Path,
    shell: RecordingShell,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What a start that failed had begun is for the start to end: kopf calls no stop."""
    monkeypatch.setenv("KUBECONFIG", str(watcher))
    shell.starts_with = AccessDenied("the operator may not watch pods")
    operator = Running(shell)
    operator.start()
    wait_for(lambda: not operator.is_running, "the operator to end", 15)
    operator.stop()
    assert operator.runner.exit_code == 1
    assert "the operator may not watch pods" in caplog.text
    assert shell.life == ["start"]


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
