"""Values: every key documented, none unknown, and each listed case renders and lints."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.chart.rendering import CASES, CHART, DEFAULT, helm, text

VALUES = yaml.safe_load((CHART / "values.yaml").read_text())
SCHEMA = json.loads((CHART / "values.schema.json").read_text())

FREE = {
    "affinity",
    "allowedNamespaces",
    "annotations",
    "archives",  # a volume, as Kubernetes knows it
    "commonLabels",
    "global",  # shared with other charts
    "labels",
    "limits",
    "nodeSelector",
    "podAnnotations",
    "rangeNamespaceLabels",
    "requests",
}
"""Maps whose keys are the user's own."""


def levels(values: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every map whose keys are ours."""
    yield path
    for key, value in values.items():
        if isinstance(value, dict) and key not in FREE:
            yield from levels(value, (*path, key))


def schema_keys(schema: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for key, below in schema.get("properties", {}).items():
        reference = below.get("$ref", "").rpartition("/")[2]
        yield (*path, key)
        yield from schema_keys(SCHEMA["$defs"].get(reference, below), (*path, key))


def value_keys(values: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for key, value in values.items():
        yield (*path, key)
        if isinstance(value, dict) and (key not in FREE or key == "global"):
            yield from value_keys(value, (*path, key))


@pytest.mark.slow
@pytest.mark.parametrize("path", list(levels(VALUES)), ids=lambda path: ".".join(path) or "top")
def test_a_wrong_key_is_refused_at_every_level(path: tuple[str, ...]) -> None:
    wrong = ".".join((*path, "wrongKey"))
    done = helm("template", "x", str(CHART), f"--set={wrong}=1")
    assert done.returncode != 0, f"{wrong} was accepted"
    assert "wrongKey" in done.stderr


def test_the_schema_knows_the_documented_values_and_no_others() -> None:
    optional = {"limits", "claims"}  # of resources: no default everywhere
    known = {path for path in schema_keys(SCHEMA) if path[-1] not in optional}
    given = {path for path in value_keys(VALUES) if path[-1] not in optional}
    assert known == given


def test_every_value_has_a_comment_that_says_what_it_does() -> None:
    lines = (CHART / "values.yaml").read_text().splitlines()
    undocumented = [
        line.strip()
        for above, line in zip(["", *lines], lines, strict=False)
        # A key with a value on its line is a leaf; the items of lists and nested maps of
        # resources are part of the leaf above them.
        if re.match(r"^ *\w+: .+$|^ *(resources|tolerations):$", line)
        and not re.match(r"^ *(requests|limits): ", line)
        and not above.strip().startswith("# -- ")
    ]
    assert undocumented == []


@pytest.mark.slow
@pytest.mark.parametrize("values", CASES, ids=lambda path: path.stem)
def test_each_case_renders_and_lints_without_a_warning(values: Path) -> None:
    assert list(yaml.safe_load_all(text(values)))
    lint = helm("lint", "--strict", str(CHART), f"--values={values}")
    assert lint.returncode == 0, lint.stdout


@pytest.mark.slow
def test_an_outside_registry_must_be_named() -> None:
    done = helm("template", "x", str(CHART), "--set=registry.enabled=false")
    assert done.returncode != 0
    assert "pushURL" in done.stderr


@pytest.mark.slow
def test_an_ingress_must_have_a_name() -> None:
    done = helm("template", "x", str(CHART), "--set=api.ingress.enabled=true")
    assert done.returncode != 0
    assert "host" in done.stderr


@pytest.mark.slow
def test_an_old_kubernetes_is_refused() -> None:
    done = helm("template", "x", str(CHART), f"--values={DEFAULT}", "--kube-version=1.28.0")
    assert done.returncode != 0
    assert "1.29" in done.stderr
