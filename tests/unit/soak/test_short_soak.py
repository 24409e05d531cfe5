"""Some rounds of the soak (`make soak`), and that it would notice what it is there for."""

from __future__ import annotations

import pytest

from tests.soak.crowd import Size
from tests.soak.soaking import Growth, Sample, soaked

KIB = 60.0
"""120 images between the halves; a content of each would be 180 KiB, and 40 come and go."""


@pytest.mark.slow
def test_b3_rounds_of_images_and_pods_leave_nothing_behind() -> None:
    growth = soaked(12, Size(ranges=3, images=8))
    assert growth.tasks <= 0
    assert growth.threads <= 0
    assert growth.kib < KIB, [round(each.kib) for each in growth.samples]


def test_what_grows_from_round_to_round_is_told() -> None:
    growth = Growth([Sample(100.0 + at, at, 3) for at in range(40)])
    assert growth.kib == 15
    assert growth.tasks == 15
    assert growth.threads == 0


def test_what_only_fills_at_the_beginning_is_no_growth() -> None:
    samples = [Sample(min(100.0 * at, 900.0), 5, 3) for at in range(40)]
    assert Growth(samples).kib == 0
