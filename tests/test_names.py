"""One name, one meaning, and nothing too long to be read: what the package keeps to."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "operator" / "cyroid_images"
FILES = sorted(PACKAGE.rglob("*.py"))

LONGEST_FILE = 350
LONGEST_FUNCTION = 50
MOST_FILES = 25
"""In one folder; a value has a file of its own, so the values may be more."""
MOST_VALUES = 45


def _tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text())


def public_types(files: dict[str, ast.Module]) -> dict[str, list[str]]:
    """By name: the files in which a class, or an alias of a type, is defined at the top."""
    found = defaultdict(list)
    for file, tree in files.items():
        for name in _types(tree):
            if not name.startswith("_"):
                found[name].append(file)
    return found


def _types(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Assign):
            names = [each.id for each in node.targets if isinstance(each, ast.Name)]
            yield from (name for name in names if name[0].isupper() and not name.isupper())


def long_functions(tree: ast.Module) -> Iterator[str]:
    """Functions and methods that nobody reads in one go."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > LONGEST_FUNCTION:
                yield f"{node.name} has {lines} lines"


def renamed_imports(tree: ast.Module) -> Iterator[str]:
    """Classes of ours that are imported under another name: two words for one thing."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("cyroid_images"):
            for each in node.names:
                if each.asname and each.name[0].isupper() and not each.name.isupper():
                    yield f"{each.name} as {each.asname}"


def test_no_public_name_of_a_type_is_there_twice() -> None:
    trees = {str(file.relative_to(PACKAGE)): _tree(file) for file in FILES}
    twice = {name: where for name, where in public_types(trees).items() if len(where) > 1}
    assert not twice


def test_no_class_has_a_second_name_where_it_is_imported() -> None:
    renamed = {str(file): names for file in FILES if (names := list(renamed_imports(_tree(file))))}
    assert not renamed


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_a_file_and_its_functions_can_be_read(file: Path) -> None:
    assert len(file.read_text().splitlines()) <= LONGEST_FILE
    assert not list(long_functions(_tree(file)))


@pytest.mark.parametrize(
    "folder",
    sorted({file.parent for file in FILES}),
    ids=lambda folder: str(folder.relative_to(PACKAGE)),
)
def test_a_folder_can_be_overlooked(folder: Path) -> None:
    most = MOST_VALUES if folder.name == "model" else MOST_FILES
    assert len(list(folder.glob("*.py"))) <= most


@pytest.mark.parametrize(
    "folder",
    sorted({file.parent for file in FILES} - {PACKAGE}),
    ids=lambda folder: str(folder.relative_to(PACKAGE)),
)
def test_a_package_says_what_each_of_its_files_is_for(folder: Path) -> None:
    told = ast.get_docstring(_tree(folder / "__init__.py")) or ""
    names = {file.stem for file in folder.glob("*.py")} - {"__init__"}
    assert names <= set(re.findall(r"\w+", told))


def test_the_checks_see_what_they_look_for() -> None:
    place, alias = ast.parse("class Place: ..."), ast.parse("Place = str | None\nMOST = 3\nT = 4")
    assert public_types({"a": place, "b": alias}) == {"Place": ["a", "b"]}
    long = ast.parse("def f() -> None:\n" + "    x = 1\n" * LONGEST_FUNCTION)
    assert list(long_functions(long)) == ["f has 51 lines"]
    renamed = ast.parse("from cyroid_images.model.engine import ImageStore as ImageStore")
    assert list(renamed_imports(renamed)) == ["ImageStore as ImageStore"]
