"""Nothing random, nothing secret comes out of a template."""

from __future__ import annotations

import re

import pytest

from tests.chart.rendering import CASES, CHART, LAB, manifests, text

IMPURE = re.compile(
    r"\b(rand[A-Z]\w+|gen[A-Z]\w+|derivePassword|htpasswd|bcrypt|uuidv4|now|lookup|getHostByName)\b"
    r"|\.Capabilities"
)
"""Template functions whose answer depends on more than the values."""


@pytest.mark.slow
def test_two_renders_are_the_same_byte_for_byte() -> None:
    assert text(LAB) == text(LAB)


def impure_calls(template: str) -> list[str]:
    """Such calls in the actions of a template; texts in quotes and comments are none."""
    actions = re.findall(r"{{(?!-? */\*).*?}}", template, re.DOTALL)
    return [
        found.group() for it in actions for found in IMPURE.finditer(re.sub(r'"[^"]*"', '""', it))
    ]


def test_no_template_calls_a_random_function_or_asks_the_cluster() -> None:
    files = [path for path in (CHART / "templates").rglob("*") if path.is_file()]
    assert {path.name: calls for path in files if (calls := impure_calls(path.read_text()))} == {}


def test_the_search_for_such_calls_would_find_them() -> None:
    assert impure_calls("{{- $x := randAlphaNum 3 }}{{ (lookup `v1` `Secret` `a` `b`).data }}") == [
        "randAlphaNum",
        "lookup",
    ]


@pytest.mark.slow
@pytest.mark.parametrize("values", CASES, ids=lambda path: path.stem)
def test_no_secret_is_rendered(values: object) -> None:
    assert [it for it in manifests(values) if it["kind"] == "Secret"] == []  # type: ignore[arg-type]


@pytest.mark.slow
def test_what_the_bootstrap_makes_is_what_the_registry_mounts() -> None:
    found = manifests()
    made = {
        name
        for it in found
        if it["kind"] == "Role" and it["metadata"]["name"] == "cyroid-bootstrap-secrets"
        for rule in it["rules"]
        for name in rule.get("resourceNames", ())
    }
    wanted = set(
        re.findall(r"(?:secretName|secretKeyRef: {name|pushSecretRef:\s+name): ([\w-]+)", text())
    )
    assert wanted == made
