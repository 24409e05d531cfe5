"""How long people wait for `kubectl cyroid`: whole processes, in turn with kubectl's.

500 ranges with 13 images each, whose statuses are as an operator leaves them; on an API server
of their own, so that no operator changes them meanwhile.
"""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.bench.contest import Samples, contest
from tests.bench.stage import SCRATCH, Stage
from tests.bench.table import Allowance, Row, compared
from tests.lab.progress import step
from tests.parts import objects
from tests.parts.apiserver import ApiServerPart, running_api_server
from tests.parts.console import Console

RANGES, IMAGES = 500, 13
RUNS = 7
HELP_SECONDS, STATUS_SECONDS = 0.3, 1.5
NAMESPACE = "people"
MERGE = {"content_type": "application/merge-patch+json"}


def people(stage: Stage) -> list[Row]:
    """Seconds of `--help` and of a status, ours and kubectl's."""
    with (
        running_api_server() as api,
        tempfile.TemporaryDirectory(prefix="cyroid-bench-people-", dir=SCRATCH) as home,
    ):
        with step(stage.tell, f"{RANGES} ranges"):
            _fill(api)
        console = Console(api.kubeconfig, Path(home))
        help_ = contest(
            {
                "kubectl cyroid --help": _ours(console, "--help"),
                "kubectl --help": _theirs(api, "--help"),
            },
            stage.tell,
            runs=RUNS,
        )
        status = contest(
            {
                "kubectl cyroid status": _ours(console, "status", "-n", NAMESPACE),
                "kubectl get rimg": _theirs(api, "get", "rimg", "-n", NAMESPACE),
            },
            stage.tell,
            runs=RUNS,
        )
    return [
        _row("kubectl cyroid --help, s", help_, HELP_SECONDS, "beside kubectl --help"),
        _row(
            f"kubectl cyroid status of {RANGES} ranges, s",
            status,
            STATUS_SECONDS,
            "beside kubectl get rimg, whose table the API server makes",
        ),
    ]


def _row(measure: str, found: dict[str, Samples], seconds: float, what: str) -> Row:
    """The bar is one of ours alone: so many seconds, whatever kubectl takes."""
    ours, theirs = found.values()
    return compared(measure, ours, theirs, Allowance(0.0, seconds), f"whole processes, {what}")


def _ours(console: Console, *arguments: str) -> Callable[[], float]:
    def run() -> float:
        began = time.monotonic()
        console.says(*arguments)
        return time.monotonic() - began

    return run


def _theirs(api: ApiServerPart, *arguments: str) -> Callable[[], float]:
    def run() -> float:
        began = time.monotonic()
        done: subprocess.CompletedProcess[str] = api.kubectl(*arguments)
        assert done.returncode == 0, done.stderr
        return time.monotonic() - began

    return run


def _fill(api: ApiServerPart) -> None:
    api.install_crds()
    api.put_namespace(NAMESPACE)
    images = [{"image": f"127.0.0.1:5000/cyroid/tool-{at}:latest"} for at in range(IMAGES)]
    for number in range(RANGES):
        body = objects.range_images(f"range-{number:03}", NAMESPACE, images=images)
        body["metadata"]["labels"] = {"cyroid.io/event": f"event-{number // 20}"}
        objects.create(api, body)
        path = f"{objects.path_of(body)}/status"
        api.call("PATCH", path, {"status": _status(images, is_ready=number % 10 != 0)}, **MERGE)


def _status(images: list[dict[str, str]], *, is_ready: bool) -> dict[str, Any]:
    """As an operator leaves it; of each tenth range three images are missing."""
    missing = [] if is_ready else [each["image"] for each in images[:3]]
    why = {"reason": "ImageNotFound", "message": "no source has it (looked in builder, hub)"}
    ready = ("True", "AllImagesPresent") if is_ready else ("False", "ImageNotFound")
    verdicts = {
        "Ready": ready,
        "TargetsAvailable": ("True", "Available"),
        "RegistryAvailable": ("True", "Available"),
        "TarFallback": ("False", "NotNeeded"),
    }
    conditions = [
        {
            "type": kind,
            "status": status,
            "reason": reason,
            "message": f"{IMAGES - len(missing)} of {IMAGES} images, in each of 1 targets",
            "observedGeneration": 1,
            "lastTransitionTime": "2026-01-02T03:04:05Z",
        }
        for kind, (status, reason) in verdicts.items()
    ]
    target = {"pod": "dind", "uid": "u", "engine": "29.0.4 containerd linux/amd64"}
    present = IMAGES - len(missing)
    return {
        "observedGeneration": 1,
        "summary": {"images": f"{present}/{IMAGES}", "targets": "1/1"},
        "images": {"desired": IMAGES, "present": present, "failed": len(missing)},
        "targets": {"matched": 1, "ready": int(is_ready)},
        "targetStatuses": [{**target, "present": present}],
        "missing": [{"image": name, **why, "pods": 1, "firstPod": "dind"} for name in missing],
        "conditions": conditions,
    }
