"""A meter counts for several threads, never back, and never lets an observer change anything."""

from __future__ import annotations

import threading

from cyroid_images.model.telemetry.progress import Progress
from cyroid_images.transfer.layers.meter import Meter


def test_bytes_are_counted_as_they_pass() -> None:
    told: list[Progress] = []
    meter = Meter(told.append, 5)
    assert list(meter.counted([b"ab", b"c"])) == [b"ab", b"c"]
    assert told == [Progress(2, 5), Progress(3, 5)]


def test_a_total_that_is_too_small_grows_and_the_end_is_whole() -> None:
    """Engines tell a size that is only about that of the bytes."""
    told: list[Progress] = []
    meter = Meter(told.append, 5)
    meter.add(7)
    meter.finish()
    assert told == [Progress(7, 7), Progress(7, 7)]


def test_an_unknown_total_is_known_at_the_end() -> None:
    told: list[Progress] = []
    meter = Meter(told.append, 0)
    meter.add(7)
    meter.finish()
    assert told == [Progress(7, None), Progress(7, 7)]


def test_threads_lose_no_byte_and_the_observer_sees_it_grow() -> None:
    told: list[Progress] = []
    meter = Meter(told.append, 0)
    together = threading.Barrier(4, timeout=10)

    def count() -> None:
        together.wait()
        for _ in range(500):
            meter.add(1)

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [progress.done for progress in told] == list(range(1, 2001))


def test_an_observer_that_fails_changes_nothing() -> None:
    def fail(_: Progress) -> None:
        raise KeyError

    assert list(Meter(fail, 3).counted([b"abc"])) == [b"abc"]
