"""What is derived from crds/ and from the chart is up to date, and equal where it must be."""

from __future__ import annotations

import subprocess
import sys

import pytest
import yaml

from tests.chart.rendering import DEFAULT, ROOT, manifests
from tests.lab import tools

DEFINITIONS = sorted((ROOT / "crds").glob("*.yaml"))


def test_there_are_two_definitions() -> None:
    assert [path.name for path in DEFINITIONS] == ["imagecaches.yaml", "rangeimages.yaml"]


@pytest.mark.slow
def test_nothing_derived_is_stale() -> None:
    script = str(ROOT / "manifests" / "generate.py")
    command = [sys.executable, script, f"--helm={tools.ensure('helm')}", "--check"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_the_chart_renders_the_definitions_as_they_are_but_for_labels_and_keep() -> None:
    rendered = {}
    for it in manifests():
        if it["kind"] == "CustomResourceDefinition":
            annotations = it["metadata"].pop("annotations")
            assert annotations.pop("helm.sh/resource-policy") == "keep"
            del it["metadata"]["labels"]
            if annotations:
                it["metadata"]["annotations"] = annotations
            rendered[it["metadata"]["name"]] = it
    originals = [yaml.safe_load(path.read_text()) for path in DEFINITIONS]
    assert rendered == {it["metadata"]["name"]: it for it in originals}


@pytest.mark.slow
def test_without_keep_and_without_crds_the_chart_obeys() -> None:
    def annotations(*arguments: str) -> list[object]:
        return [
            it["metadata"].get("annotations", {}).get("helm.sh/resource-policy")
            for it in manifests(DEFAULT, *arguments)
            if it["kind"] == "CustomResourceDefinition"
        ]

    assert annotations("--set=crds.keep=false") == [None, None]
    assert annotations("--set=crds.enabled=false") == []
