"""The chart as Helm renders it, for tests that read the result."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.lab import tools

ROOT = Path(__file__).parents[2]
CHART = ROOT / "charts" / "cyroid-images"
CASES = sorted((CHART / "ci").glob("*-values.yaml"))
DEFAULT = CHART / "ci" / "default-values.yaml"
LAB = CHART / "ci" / "lab-values.yaml"

Manifest = dict[str, Any]


def helm(*arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run Helm; the caller looks at the code."""
    return subprocess.run(
        [str(tools.ensure("helm")), *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def text(values: Path = DEFAULT, *arguments: str) -> str:
    """What `helm template` prints; an AssertionError shows Helm's words."""
    common = ("template", "cyroid-images", str(CHART), "--namespace=cyroid", f"--values={values}")
    done = helm(*common, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def manifests(values: Path = DEFAULT, *arguments: str) -> list[Manifest]:
    """Every rendered object."""
    return [document for document in yaml.safe_load_all(text(values, *arguments)) if document]


def one(found: list[Manifest], kind: str, name: str) -> Manifest:
    """The object of this kind and name; an AssertionError if there is not exactly one."""
    matching = [it for it in found if it["kind"] == kind and it["metadata"]["name"] == name]
    assert len(matching) == 1, f"{len(matching)} objects are {kind}/{name}"
    return matching[0]


def pod_specs(found: list[Manifest]) -> Iterator[tuple[str, Manifest]]:
    """Name and pod spec of every workload."""
    for it in found:
        if it["kind"] in {"Deployment", "Job"}:
            yield it["metadata"]["name"], it["spec"]["template"]["spec"]
