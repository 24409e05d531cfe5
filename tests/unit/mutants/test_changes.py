"""What the mutation run writes instead, and where."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.mutants import scope
from tests.mutants.changes import changes
from tests.mutants.trial import Notes

PROJECT = Path(__file__).parents[3]

CASES = {
    "a-limit": ("def f(x): return x < 3", {"x < 3 -> (x <= 3)", "3 -> 4"}),
    "equality": ("def f(x): return x == y", {"x == y -> (x != y)"}),
    "membership": ("def f(x): return x in y", {"x in y -> (x not in y)"}),
    "identity": ("def f(x): return x is None", {"x is None -> (x is not None)"}),
    "a-chain": (
        "def f(x): return 'a' < x <= 'b'",
        {"'a' < x <= 'b' -> ('a' <= x <= 'b')", "'a' < x <= 'b' -> ('a' < x < 'b')"},
    ),
    "both": ("def f(x): return x and y", {"x and y -> (x or y)"}),
    "negation": ("def f(x): return not x", {"not x -> (x)"}),
    "arithmetic": ("def f(x): return x - y", {"x - y -> (x + y)"}),
    "counting": ("def f(x): x += y", {"x += y -> x -= y"}),
    "a-rung": ("def f(x):\n if x: return y", {"x -> False"}),
    "a-choice": ("def f(x): return y if x else z", {"x -> (not (x))"}),
    "a-filter": ("def f(x): return [y for y in x if y]", {"y -> True"}),
    "a-guard": ("def f(x):\n match x:\n  case 'a' if y: return z", {"y -> True"}),
    "a-loop": ("def f(x):\n for y in x:\n  break", {"break -> continue"}),
    "an-error": ("def f(x): raise x", {"raise x -> pass"}),
    "a-call-for-its-effect": ("def f(x): x()", {"x() -> pass"}),
    "the-smallest": ("def f(x): return min(x)", {"min -> max"}),
    "a-flag": ("def f(x=True): return x", {"True -> False"}),
    "a-constant": ("LIMIT = 128", {"128 -> 129"}),
    "a-property": ("class A:\n @property\n def f(self): return 1", {"1 -> 2"}),
}


@pytest.mark.parametrize(("text", "expected"), CASES.values(), ids=CASES)
def test_what_could_have_been_written_wrong_is_tried(text: str, expected: set[str]) -> None:
    assert {f"{change.old} -> {change.new}" for change in changes(text.encode())} == expected


@pytest.mark.parametrize(
    "text",
    [
        "def f(x: int | None = None) -> str | None: ...",
        "@dataclass(frozen=True)\nclass A: ...",
        "type_ = int | None",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING: x = y",
        '"""A docstring of 3 words."""',
        "def f(): return 'a text'",
        "def f(x): return f'{x[:80]!r} is wrong'",
    ],
    ids=["types", "decorators", "unions", "type-checking", "docstrings", "texts", "cut-texts"],
)
def test_what_decides_nothing_is_left_alone(text: str) -> None:
    assert changes(text.encode()) == []


def test_each_change_of_the_whole_scope_is_python_and_differs_at_its_place_only() -> None:
    paths = list(scope.modules(PROJECT))
    assert len(paths) > 10
    for path in paths:
        source = path.read_bytes()
        made = changes(source)
        for number, change in enumerate(made):
            mutant = change.applied(source)
            if number % 10 == 0:  # to parse all takes seconds
                ast.parse(mutant)
            assert mutant != source
            assert mutant.startswith(source[: change.start])
            assert mutant.endswith(source[change.end :])
            assert source[: change.start].count(b"\n") == change.line - 1


def test_characters_of_several_bytes_before_a_change_do_not_shift_it() -> None:
    (change,) = changes("def f(x): return 'äöü', x == y".encode())
    assert change.applied("def f(x): return 'äöü', x == y".encode()).decode() == (
        "def f(x): return 'äöü', (x != y)"
    )


def test_a_mutant_meets_the_tests_that_run_its_line_the_quick_ones_first() -> None:
    notes = Notes({"slow": 2.0, "quick": 0.1, "other": 1.0}, {"a.py": {"slow": [3], "quick": [3]}})
    assert notes.tests_of(Path("a.py"), range(3, 4), is_in_function=True) == ["quick", "slow"]
    assert notes.tests_of(Path("a.py"), range(5, 6), is_in_function=True) == []


def test_a_constant_meets_all_tests_that_run_its_module_or_else_all_there_are() -> None:
    notes = Notes({"slow": 2.0, "quick": 0.1}, {"a.py": {"slow": [3], "": [1]}, "b.py": {"": [1]}})
    assert notes.tests_of(Path("a.py"), range(1, 2), is_in_function=False) == ["slow"]
    assert notes.tests_of(Path("b.py"), range(1, 2), is_in_function=False) == ["quick", "slow"]
