"""Every package that the operator imports is declared, and every declared one is imported."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OWN = "cyroid_images"


def distributions_of(text: str) -> set[str]:
    """The distributions that a module's imports come from; an unknown name stands for itself."""
    owners = metadata.packages_distributions()
    names: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module.partition(".")[0])
    foreign = names - {OWN} - sys.stdlib_module_names
    return {normal(owners.get(name, [name])[0]) for name in foreign}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


EXTRAS = {"cli": "console"}
"""By extra: the package that needs it, which nothing else imports."""


def declared(extra: str = "") -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    chosen = project["optional-dependencies"][extra] if extra else project["dependencies"]
    names = (re.split(r"[<>=!~\[; ]", each, maxsplit=1)[0] for each in chosen)
    return {normal(name) for name in names}


def imported(part: str = "") -> set[str]:
    """By one package of ours, or by all that need no extra."""
    package = ROOT / "operator" / OWN
    files = [
        file
        for file in (package / part).rglob("*.py")
        if part or file.relative_to(package).parts[0] not in EXTRAS.values()
    ]
    return set().union(*(distributions_of(file.read_text()) for file in files))


def test_what_is_imported_is_what_is_declared() -> None:
    assert imported() == declared()


@pytest.mark.parametrize(("extra", "part"), EXTRAS.items())
def test_what_only_a_part_imports_is_its_extra(extra: str, part: str) -> None:
    assert imported(part) - declared() == declared(extra)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("import json, os.path", set()),
        ("from pythonjsonlogger.json import JsonFormatter", {"python-json-logger"}),
        ("def late():\n    import aiohttp.web", {"aiohttp"}),
        ("from cyroid_images.errors import Reason", set()),
        ("import not_installed", {"not-installed"}),
    ],
)
def test_the_check_sees_each_form_of_an_import(text: str, found: set[str]) -> None:
    assert distributions_of(text) == found
