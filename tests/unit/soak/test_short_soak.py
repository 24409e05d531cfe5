"""Some rounds of the soak (`make soak`), and that it would notice what it is there for."""

from __future__ import annotations

import pytest

from tests.soak.crowd import Size
from tests.soak.soaking import Growth, Sample, soaked

FEW = 24
"""Half of the images that come between the halves: one value kept of each would be twice this."""
MOST_THREADS = 64
"""More than all of the stage's purposes may have; they are begun when they are needed first."""


@pytest.mark.slow
def test_b3_rounds_of_images_and_pods_leave_nothing_behind() -> None:
    """Counted, not weighed: a recorded digest of each image stays, until there are 2,000."""
    growth = soaked(10, Size(ranges=2, images=6), recorded=0)
    assert growth.tasks <= 0
    assert max(each.threads for each in growth.samples) <= MOST_THREADS
    assert growth.objects < FEW, [each.objects for each in growth.samples]


def test_what_grows_from_round_to_round_is_told() -> None:
    growth = Growth([Sample(100.0 + at, at, 3) for at in range(40)])
    assert growth.kib == 10
    assert growth.tasks == 10
    assert growth.threads == 0


def test_what_only_fills_at_the_beginning_is_no_growth() -> None:
    samples = [Sample(min(100.0 * at, 900.0), 5, 3) for at in range(40)]
    assert Growth(samples).kib == 0
