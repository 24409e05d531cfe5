"""Many rounds, and whether memory, tasks and threads stay where they were."""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
import tracemalloc
from collections.abc import Sequence
from dataclasses import dataclass

from cyroid_images.execute.transfer import Job, Transfer
from cyroid_images.model.images.image import EngineImage, ImageContent
from cyroid_images.model.kinds.range_images import RangeImages
from cyroid_images.model.kinds.status import MOST_DIGESTS
from cyroid_images.model.knowledge import ImageRecord
from cyroid_images.model.pod import Pod
from cyroid_images.observe.observation import Observation
from cyroid_images.reconcile.ranges.range_state import RangeState
from tests.soak.crowd import Crowd, Size, run

COMING_AND_GOING = (
    EngineImage,
    ImageContent,
    Job,
    ImageRecord,
    Observation,
    Pod,
    RangeImages,
    RangeState,
    Transfer,
)
WARM = 2
"""One round in so many at the beginning is not judged: what is bounded, such as the recorded
digests and their texts, is full after some 4,000 images."""
KIB = 1 << 10


@dataclass(frozen=True, slots=True)
class Sample:
    """After a round, when all of it is gone."""

    kib: float
    tasks: int
    threads: int
    objects: int = 0
    """Values of the kinds that come and go with images, pods and ranges."""


@dataclass(frozen=True, slots=True)
class Growth:
    """From the first half of the judged rounds to the second, at the least of each: what stays.

    The least, since a round may end with a collection or a status still under way.
    """

    samples: Sequence[Sample]

    @property
    def kib(self) -> float:
        """Of memory."""
        first, second = self._halves()
        return min(each.kib for each in second) - min(each.kib for each in first)

    @property
    def tasks(self) -> int:
        """Of asyncio tasks."""
        first, second = self._halves()
        return min(each.tasks for each in second) - min(each.tasks for each in first)

    @property
    def threads(self) -> int:
        """Of threads."""
        first, second = self._halves()
        return min(each.threads for each in second) - min(each.threads for each in first)

    @property
    def objects(self) -> int:
        """Of what comes and goes with images, pods and ranges."""
        first, second = self._halves()
        return min(each.objects for each in second) - min(each.objects for each in first)

    def _halves(self) -> tuple[Sequence[Sample], Sequence[Sample]]:
        judged = self.samples[len(self.samples) // WARM :]
        return judged[: len(judged) // 2], judged[len(judged) // 2 :]


def soaked(rounds: int, size: Size, recorded: int = MOST_DIGESTS) -> Growth:
    """What that many rounds leave behind."""
    samples: list[Sample] = []

    async def all_rounds(crowd: Crowd) -> None:
        for number in range(rounds):
            await crowd.come_and_go(number, size)
            samples.append(_sample())

    # Whoever captures the log of a test keeps each line of it.
    logging.disable(logging.CRITICAL)
    tracemalloc.start()
    try:
        run(all_rounds, recorded)
    finally:
        tracemalloc.stop()
        logging.disable(logging.NOTSET)
    return Growth(samples)


def _sample() -> Sample:
    gc.unfreeze()  # what was set aside is in no list of objects
    gc.collect()
    kib = tracemalloc.get_traced_memory()[0] / KIB
    objects = sum(isinstance(each, COMING_AND_GOING) for each in gc.get_objects())
    return Sample(kib, len(asyncio.all_tasks()), threading.active_count(), objects)
