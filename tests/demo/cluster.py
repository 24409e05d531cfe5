"""The cluster that is shown: one way to its kubectl and helm, whoever made it.

Either the lab of this project or a cluster that a person has already. The differences
are values here (which image an engine runs, what helm needs to know), nothing else.
"""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.demo.errors import DemoError
from tests.lab.errors import LabError
from tests.lab.lab import Lab
from tests.lab.shell import run

LAB = "demo"
"""The lab's name: `python -m tests.lab --name demo ...` reaches it."""
OPERATOR = "cyroid"
"""Namespace of the operator, the registry and the builder."""
ENGINE_IMAGE = "docker.io/library/docker:29-dind"
"""What runs the engine of a range on a cluster that a person has."""
_PAUSE = 0.5  # seconds between two looks


@dataclass(frozen=True, slots=True)
class Cluster:
    """How to reach a cluster, and what to run there."""

    kubectl_path: Path
    helm_path: Path
    kubeconfig: Path
    environment: Mapping[str, str] = field(repr=False)
    chart_arguments: Sequence[str]
    engine_image: str
    engine_pull_policy: str

    @property
    def is_lab(self) -> bool:
        """Was it made by this project, so that its images are in the node already?"""
        return self.engine_pull_policy == "Never"

    def kubectl(self, *arguments: str, stdin: str | None = None, timeout: float = 60) -> str:
        """What kubectl answers; DemoError with its words if it fails or takes too long."""
        return self._run(self.kubectl_path, arguments, stdin=stdin, timeout=timeout)

    def helm(self, *arguments: str, timeout: float = 300) -> str:
        """What helm answers; DemoError with its words if it fails or takes too long."""
        return self._run(self.helm_path, arguments, stdin=None, timeout=timeout)

    def read(self, *arguments: str) -> Any:
        """The JSON that `kubectl get` answers."""
        return json.loads(self.kubectl("get", "--output=json", *arguments))

    def apply(self, *documents: Mapping[str, Any]) -> None:
        """Applies these objects."""
        many = {"apiVersion": "v1", "kind": "List", "items": list(documents)}
        self.kubectl("apply", "--filename=-", stdin=json.dumps(many))

    def start_kubectl(self, *arguments: str) -> subprocess.Popen[bytes]:
        """A kubectl that goes on, such as a watch; the caller ends it."""
        return subprocess.Popen(
            [self.kubectl_path, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **self.environment},
        )

    def _run(
        self, program: Path, arguments: Sequence[str], *, stdin: str | None, timeout: float
    ) -> str:
        env = {**os.environ, **self.environment}
        try:
            return run([program, *arguments], env=env, stdin=stdin, timeout=timeout)
        except LabError as exc:
            raise DemoError(str(exc)) from exc


def of_lab(running: Lab) -> Cluster:
    """The lab, with the images that were built for it."""
    return Cluster(
        kubectl_path=running.kubectl,
        helm_path=running.helm,
        kubeconfig=running.kubeconfig,
        environment=running.environment,
        chart_arguments=running.chart_arguments,
        engine_image=running.images["dind"],
        engine_pull_policy="Never",
    )


def of_kubeconfig(
    kubeconfig: Path, chart_arguments: Sequence[str], engine_image: str = ENGINE_IMAGE
) -> Cluster:
    """A cluster that a person has, reached by the kubectl and helm on PATH."""
    if not kubeconfig.is_file():
        raise DemoError(f"there is no kubeconfig at {kubeconfig}")
    return Cluster(
        kubectl_path=_on_path("kubectl"),
        helm_path=_on_path("helm"),
        kubeconfig=kubeconfig,
        environment={"KUBECONFIG": str(kubeconfig.absolute())},
        chart_arguments=chart_arguments,
        engine_image=engine_image,
        engine_pull_policy="IfNotPresent",
    )


def until(what: str, is_so: Callable[[], bool], *, seconds: float) -> None:
    """Waits until it is so; DemoError that says what was waited for when it is not in time."""
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            raise DemoError(f"waited {seconds:.0f} s in vain until {what}")
        time.sleep(_PAUSE)


def _on_path(program: str) -> Path:
    found = shutil.which(program)
    if found is None:
        raise DemoError(f"{program} is not on PATH; it is needed to use a cluster that you have")
    return Path(found)
