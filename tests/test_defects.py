"""Each defect of the predecessor is guarded by a test that carries its id, and says where."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.defects import DEFECTS

ROOT = Path(__file__).parents[1]
OWED = {
    *(f"P-R{number}" for number in range(1, 9)),
    *(f"P-S{number}" for number in range(1, 10)),
    *(f"P-E{number}" for number in range(1, 11)),
    *(f"P-C{number}" for number in range(1, 9)),
    "P-X4",
}
_ID = re.compile(r"(?:^|_)p_([rsecx][0-9]+)(?=_)")


def functions_in(path: Path) -> Iterator[str]:
    """The names of the test functions of a file, those in classes included."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node.name


def carried() -> dict[str, set[str]]:
    """Id to the tests that carry it."""
    found: dict[str, set[str]] = {}
    for path in (ROOT / "tests").rglob("test_*.py"):
        for name in functions_in(path):
            for each in _ID.findall(name):
                node = f"{path.relative_to(ROOT)}::{name}"
                found.setdefault(f"P-{each.upper()}", set()).add(node)
    return found


def test_the_table_names_every_defect_that_we_owe_a_test_for() -> None:
    assert set(DEFECTS) == OWED


def test_the_test_that_the_table_names_exists_and_carries_the_id() -> None:
    found = carried()
    lost = [id_ for id_, (_, node) in DEFECTS.items() if node not in found.get(id_, set())]
    assert not lost, "\n".join(f"{id_}: {DEFECTS[id_][1]}" for id_ in lost)


def test_no_test_carries_an_id_that_the_table_does_not_know() -> None:
    assert carried().keys() <= DEFECTS.keys()
