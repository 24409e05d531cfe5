"""Progress never goes back, whoever counts and however often the work begins anew."""

from __future__ import annotations

import pytest

from cyroid_images.model.telemetry.progress import Progress, furthest


@pytest.mark.parametrize(
    ("before", "now", "seen"),
    [
        pytest.param(None, Progress(3, 10), Progress(3, 10), id="first"),
        pytest.param(Progress(3, 10), Progress(4, 10), Progress(4, 10), id="further"),
        pytest.param(Progress(8, 10), Progress(0, 10), Progress(8, 10), id="begins-anew"),
        pytest.param(Progress(8, 10), Progress(1, 5), Progress(8, 8), id="by-a-shorter-way"),
        pytest.param(Progress(3, 10), Progress(12, 10), Progress(12, 12), id="total-too-small"),
        pytest.param(Progress(3, 10), Progress(4), Progress(4), id="total-unknown-again"),
        pytest.param(Progress(3), Progress(2, 9), Progress(3, 9), id="total-known-now"),
    ],
)
def test_what_is_told_is_the_furthest(
    before: Progress | None, now: Progress, seen: Progress
) -> None:
    assert furthest(before, now) == seen
