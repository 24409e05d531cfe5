"""10,000 images and 1,000 pods come and go: B3, B19 and whatever else is kept of what is gone."""

from __future__ import annotations

import pytest

from tests.soak.crowd import Size
from tests.soak.soaking import soaked

ROUNDS, SIZE = 50, Size(ranges=20, images=10)
KIB_PER_IMAGE = 0.02
"""What is kept of an image, a content alone, takes 1 KiB; a dictionary that grows, 0.1 KiB."""


VALUES_PER_IMAGE = 0.1
MOST_THREADS = 64
"""More than all of the stage's purposes may have; they are begun when they are needed first."""


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_b3_ten_thousand_images_and_a_thousand_pods_leave_nothing_behind() -> None:
    growth = soaked(ROUNDS, SIZE)
    images = ROUNDS * SIZE.ranges * SIZE.images
    assert growth.tasks <= 0
    assert max(each.threads for each in growth.samples) <= MOST_THREADS
    assert growth.objects < images * VALUES_PER_IMAGE, [each.objects for each in growth.samples]
    assert growth.kib < KIB_PER_IMAGE * images, [round(each.kib) for each in growth.samples]
