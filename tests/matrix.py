"""The fault matrix: what may break, by id, and which tests show what the operator does then.

A test says which rows it proves with `@pytest.mark.row("R1", "P7")`. `tests.run` prints each
row with its result and time; `test_matrix.py` checks that no row is without a test, unless
it says here why it cannot be provoked on one machine.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROWS: dict[str, str] = {
    "R1": "the registry refuses connections",
    "R2": "the registry hangs",
    "R3": "the way to the registry is slow",
    "R4": "the registry answers 5xx or 429",
    "R5": "a push is refused: 401, 403",
    "R6": "the registry's disk is full",
    "R7": "a push is answered 201, and nothing is stored",
    "R8": "a byte of a layer is flipped",
    "R9": "a layer is truncated or missing",
    "R10": "a manifest is altered under its old digest",
    "R11": "a tag moves at the source",
    "R12": "a tag is moved in the registry",
    "R13": "the registry's volume is lost",
    "R14": "TLS is refused: unknown CA, expired, wrong name",
    "R15": "the registry answers without end",
    "R16": "a redirect or a token realm leads to another host",
    "S1": "the source engine is down or hangs",
    "S2": "an image is nowhere",
    "S3": "only another platform of an image is there",
    "S4": "an archive is missing, cut, or has no image",
    "S5": "an upstream answers 429 or 401",
    "S6": "a source's tag moves in mid-transfer",
    "S7": "an index lacks children",
    "D1": "the container or the engine is not ready yet",
    "D2": "an engine is killed in mid-pull",
    "D3": "an engine hangs",
    "D4": "a pod is re-created under the same name",
    "D5": "a pod's address is used by another pod",
    "D6": "an engine's disk is full",
    "D7": "an engine is old or new",
    "D8": "TLS to an engine is refused",
    "D9": "an engine does not trust the registry",
    "D10": "an engine cannot reach the registry, the operator can",
    "D11": "an image is removed or retagged inside an engine",
    "D12": "an engine answers 200 with an error in the stream",
    "D13": "no pod matches",
    "D14": "fifty pods at once",
    "O1": "the operator gets SIGTERM",
    "O2": "the operator gets SIGKILL",
    "O3": "two operators run",
    "O4": "a defect in the pass of one object",
    "O5": "upgrade and rollback",
    "O6": "the clock jumps",
    "O7": "the event loop is blocked",
    "K1": "the API server is down",
    "K2": "the API server answers 409",
    "K3": "the API server answers 410, a watch breaks",
    "K4": "the API server answers 429",
    "K5": "a watch is silently dead",
    "K6": "a right is missing",
    "K7": "a CRD is missing, removed, added again",
    "K8": "a status could grow too large",
    "K9": "a namespace is terminating",
    "U1": "a spec is edited in mid-transfer",
    "U2": "an object is deleted in mid-transfer",
    "U3": "an ImageCache is deleted while it is used",
    "U4": "two objects want one name with two contents in one pod",
    "U5": "objects come before operator, cache or pod",
    "H1": "huge lists",
    "H2": "names that are none",
    "H3": "a password in a name",
    "H4": "a cache of another namespace's",
    "H5": "foreign, unlabelled and host-network pods",
    "H6": "a host that no cache names",
    "H7": "a Secret aimed at another host",
    "H8": "a hostile engine",
    "H9": "one path on two hosts",
    "H10": "a digest without a tag",
}

PROMISES: dict[str, str] = {
    "P1": "Ready=True for generation N: every listed image was, by digest, in every matched engine",
    "P2": "Every step may be repeated; a repeat moves no bytes",
    "P3": "Nothing is lost: killed at any step, the same end without a human",
    "P4": "No half image: a name appears only when the image is complete",
    "P5": "The route does not change the content",
    "P6": "No image of a range is ever deleted; only our own transport reference is dropped",
    "P7": "A broken registry never blocks a range where tar is allowed, nor turns a Ready one",
    "P8": "One bad image, pod or object does not delay the others",
    "P9": "Deleting objects or uninstalling never hangs",
    "P10": "Credentials are never printed and never sent to another host",
    "P11": "A change is seen in 1 s, a lost watch heals in 90 s, drift is found within `interval`",
}

NOT_HERE: dict[str, str] = {}
"""Rows that one machine cannot provoke, and why."""

SHOWN = 2
"""Tests that the README names per promise."""


def rows_in(path: Path) -> Iterator[tuple[str, str]]:
    """(Row, name of the test) for each row that a test of this file is marked with."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            for mark in node.decorator_list:
                if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.row":
                    for each in mark.args:
                        yield str(ast.literal_eval(each)), node.name


def proofs(root: Path) -> dict[str, list[str]]:
    """Row to the tests below this folder that are marked with it, as `file::test`."""
    found: dict[str, list[str]] = {}
    for path in sorted(root.rglob("test_*.py")):
        for row, name in rows_in(path):
            found.setdefault(row, []).append(f"{path.relative_to(root.parent)}::{name}")
    return found


def promise_table(root: Path) -> str:
    """The promises as a Markdown table with their proofs; the README holds the same."""
    found = proofs(root)
    lines = ["| | promise | proven by |", "| --- | --- | --- |"]
    for row, text in PROMISES.items():
        named = [f"`{_short(each)}`" for each in found.get(row, [])]
        more = f" and {len(named) - SHOWN} more" if len(named) > SHOWN else ""
        lines.append(f"| {row} | {text} | {', '.join(named[:SHOWN])}{more} |")
    return "\n".join(lines)


def _short(node: str) -> str:
    file, _, name = node.partition("::")
    return f"{file}: {name.removeprefix('test_').replace('_', ' ')}"
