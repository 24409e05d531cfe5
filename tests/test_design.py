"""DESIGN.md and the map of the layers tell the truth: what they name exists."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import cyroid_images

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "operator" / "cyroid_images"
DESIGN = (ROOT / "operator" / "DESIGN.md").read_text()
WHERE = re.findall(r"^\| (.+\?) \| (`.+`) \|$", DESIGN, re.MULTILINE)
"""The questions of the table, and the files that answer them."""
LONGEST_RECORD = 15
SHELL = frozenset({"__init__", "__main__"})


def named(text: str) -> list[str]:
    """The files that a text names in backticks."""
    return re.findall(r"`([\w/-]+\.py)`", text)


def layers(docstring: str) -> list[str]:
    """The layers of the map, from the ground up."""
    return re.findall(r"^ {4}(\w+) {2,}\S", docstring, re.MULTILINE)


def _records() -> Iterator[tuple[str, int]]:
    for record in re.split(r"^## ", DESIGN, flags=re.MULTILINE)[1:]:
        yield record.splitlines()[0], len(record.strip().splitlines())


def _imported(layer: str) -> set[str]:
    """The layers that this one imports."""
    folder = PACKAGE / layer
    files = folder.rglob("*.py") if folder.is_dir() else [folder.with_suffix(".py")]
    nodes = [node for file in files for node in ast.walk(ast.parse(file.read_text()))]
    modules = [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    tops = {name.split(".")[1] for name in modules if name.startswith("cyroid_images.")}
    return tops - {layer}


def test_the_table_answers_at_least_twenty_questions() -> None:
    assert len(WHERE) >= 20
    assert all(named(files) for _, files in WHERE)


@pytest.mark.parametrize("path", sorted(set(named(DESIGN))))
def test_every_file_that_the_design_names_exists(path: str) -> None:
    assert (PACKAGE / path).is_file() or (ROOT / path).is_file()


@pytest.mark.parametrize(("title", "lines"), list(_records()))
def test_a_record_is_short(title: str, lines: int) -> None:
    assert lines <= LONGEST_RECORD, title


def test_every_package_and_module_has_its_place_in_the_map() -> None:
    there = {each.stem for each in PACKAGE.glob("*.py")} - SHELL
    there |= {each.parent.name for each in PACKAGE.glob("*/__init__.py")}
    assert set(layers(cyroid_images.__doc__ or "")) == there


def test_the_map_stands_in_the_order_of_the_imports() -> None:
    order = layers(cyroid_images.__doc__ or "")
    for number, layer in enumerate(order):
        assert _imported(layer) <= set(order[:number]), f"{layer} imports what stands below it"


def test_the_checks_see_what_they_look_for() -> None:
    assert named("in `plan/world.py`, and `Store`") == ["plan/world.py"]
    assert layers("text\n    plan        decisions\n    cli         words\n") == ["plan", "cli"]
    assert "model" in _imported("plan")
