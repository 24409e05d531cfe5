"""The changes: for the text of a module, each small thing that could have been written wrong."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass

_OPERATORS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
_NAMES = {"min": "max", "max": "min", "any": "all", "all": "any"}
_DECIDE_NOTHING = frozenset({"annotation", "returns", "decorator_list", "bases", "type_params"})
"""Fields of the syntax tree that are not looked into: types, and how a class is made."""


@dataclass(frozen=True, slots=True)
class Change:
    """One place of a module and what is written there instead."""

    line: int
    old: str
    new: str
    start: int
    end: int
    lines: range
    """Of the statement: a test that runs one of them may notice."""
    is_in_function: bool
    """False: it runs when the module is imported."""

    def applied(self, source: bytes) -> bytes:
        """The module with this change."""
        return source[: self.start] + self.new.encode() + source[self.end :]


@dataclass(frozen=True, slots=True)
class _Place:
    lines: range
    is_in_function: bool


def changes(source: bytes) -> list[Change]:
    """Every change of this module, in the order of its text."""
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    found = _walk(ast.parse(source), _Place(range(0), is_in_function=False))
    made = [_change(source, starts, *each) for each in found]
    return sorted(made, key=lambda change: (change.start, change.end))


def _change(
    source: bytes, starts: list[int], node: ast.expr | ast.stmt, new: str, place: _Place
) -> Change:
    start = starts[node.lineno - 1] + node.col_offset
    end = starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)
    old = " ".join(source[start:end].decode().split())
    return Change(node.lineno, old, new, start, end, place.lines, place.is_in_function)


def _walk(node: ast.AST, place: _Place) -> Iterator[tuple[ast.expr | ast.stmt, str, _Place]]:
    """The changes in this node and below it."""
    if isinstance(node, ast.stmt):
        place = _Place(_own_lines(node), place.is_in_function)
    if isinstance(node, ast.FormattedValue) and isinstance(node.value, ast.Subscript):
        return  # where a text is cut for a message
    for target, new in _of(node, place):
        yield target, new, place
    makes_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
    for name, value in ast.iter_fields(node):
        if name in _DECIDE_NOTHING:
            continue
        inside = place.is_in_function or (makes_function and name == "body")
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _walk(child, _Place(place.lines, inside))


def _own_lines(statement: ast.stmt) -> range:
    """The lines of a statement, without those of the statements in it."""
    inner = [each.lineno for each in ast.walk(statement) if isinstance(each, ast.stmt)]
    end = min((line for line in inner if line > statement.lineno), default=None)
    return range(statement.lineno, end or (statement.end_lineno or statement.lineno) + 1)


def _of(  # noqa: C901 - a table
    node: ast.AST, place: _Place
) -> Iterator[tuple[ast.expr | ast.stmt, str]]:
    """What may be written wrong in just this node."""
    match node:
        case ast.Compare() | ast.BoolOp() | ast.BinOp() | ast.AugAssign():
            yield from _other_operators(node, place)
        case ast.UnaryOp(op=ast.Not()):
            yield node, f"({ast.unparse(node.operand)})"
        case ast.Constant(value=bool(value)):
            yield node, str(not value)
        case ast.Constant(value=int() | float() as number):
            yield node, repr(number + 1)
        case ast.If() | ast.While() if ast.unparse(node.test) != "TYPE_CHECKING":
            yield node.test, "False"
        case ast.IfExp():
            yield node.test, f"(not {_in_brackets(node.test)})"
        case ast.comprehension():
            yield from ((condition, "True") for condition in node.ifs)
        case ast.match_case(guard=ast.expr() as guard):
            yield guard, "True"
        case ast.Continue():
            yield node, "break"
        case ast.Break():
            yield node, "continue"
        case ast.Raise() | ast.Expr(value=ast.Call()):
            yield node, "pass"
        case ast.Call(func=ast.Name(id=name) as function) if name in _NAMES:
            yield function, _NAMES[name]


def _other_operators(
    node: ast.Compare | ast.BoolOp | ast.BinOp | ast.AugAssign, place: _Place
) -> Iterator[tuple[ast.expr | ast.stmt, str]]:
    operators = node.ops if isinstance(node, ast.Compare) else [node.op]
    for index, operator in enumerate(operators):
        other = _OPERATORS.get(type(operator))
        is_union_type = isinstance(operator, ast.BitOr) and not place.is_in_function
        if other is None or is_union_type:
            continue
        changed = copy.deepcopy(node)
        if isinstance(changed, ast.Compare):
            changed.ops[index] = other()  # type: ignore[call-overload] # one of its own kind
        else:
            changed.op = other()  # type: ignore[assignment]
        yield node, ast.unparse(changed) if isinstance(node, ast.stmt) else _in_brackets(changed)


def _in_brackets(node: ast.AST) -> str:
    return f"({ast.unparse(node)})"
