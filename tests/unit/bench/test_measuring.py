"""A run of the benchmark gives the figures that it has, also where a measure failed."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from tests.bench.__main__ import measured
from tests.bench.hand import HandFailed
from tests.bench.stage import Stage
from tests.bench.stock import Stock
from tests.bench.table import Row


def _one_row_each(_stage: Stage, _stock: Stock, names: Collection[str]) -> list[Row]:
    return [Row(name, 1.0) for name in names]


def _failing(_stage: Stage, _stock: Stock, _names: Collection[str]) -> list[Row]:
    raise HandFailed("docker push: no space left on device")


MEASURES = (
    (("first", "second"), _one_row_each),
    (("third",), _failing),
    (("last",), _one_row_each),
)


@pytest.mark.parametrize(
    ("only", "rows", "failed"),
    [
        (None, ["first", "second", "last"], ["third"]),
        ("second", ["second"], []),
        ("third", [], ["third"]),
    ],
)
def test_a_measure_that_fails_costs_its_own_rows(
    only: str | None, rows: list[str], failed: list[str]
) -> None:
    told: list[str] = []
    found = measured(MEASURES, only, Stage(told.append), Stock(told.append))
    assert ([row.measure for row in found[0]], found[1]) == (rows, failed)
    assert any("no space left" in line for line in told) == bool(failed)
