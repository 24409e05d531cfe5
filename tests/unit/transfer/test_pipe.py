"""A pipe between two threads: in order, bounded, and nobody waits for a dead one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyroid_images.errors import Cancelled, Reason, TransferError
from cyroid_images.transfer.layers.pipe import CHUNK, MOST_CHUNKS, Pipe, batched

BUDGET = 10.0
"""Seconds after which a thread that should have been woken counts as stuck."""
FULL = TransferError(Reason.REGISTRY_FULL, "no space left")


class Running:
    """Something that blocks, in a thread; what it raised is kept."""

    def __init__(self, work: Callable[[], None]) -> None:
        self.failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, args=(work,), daemon=True)
        self._thread.start()

    def ended(self) -> BaseException | None:
        """What it raised; it must end by itself."""
        self._thread.join(BUDGET)
        assert not self._thread.is_alive(), "it waits for nobody"
        return self.failure

    def _run(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as exc:
            self.failure = exc


class Counting(Pipe):
    """Tells when a thread begins to wait: until then a test cannot know that it blocks."""

    def __init__(self) -> None:
        super().__init__()
        self.waits = threading.Event()

    def _takes_more(self) -> bool:
        return self._told(super()._takes_more())

    def _has_something(self) -> bool:
        return self._told(super()._has_something())

    def _told(self, may_go_on: bool) -> bool:
        if not may_go_on:
            self.waits.set()
        return may_go_on


def fill(pipe: Pipe, count: int = 100) -> None:
    for number in range(count):
        pipe.put(b"%d" % number)


def drain(pipe: Pipe) -> None:
    for _ in pipe:
        pass


@contextmanager
def blocked(work: Callable[[Pipe], None]) -> Iterator[tuple[Counting, Running]]:
    """A writer at a full pipe or a reader at an empty one, seen to wait."""
    pipe = Counting()
    running = Running(lambda: work(pipe))
    assert pipe.waits.wait(BUDGET)
    yield pipe, running


def test_chunks_come_out_in_order_and_never_more_wait_than_may() -> None:
    pipe, written, most = Pipe(), [0], 0

    def write() -> None:
        for number in range(200):
            pipe.put(b"%d" % number)
            written[0] += 1
        pipe.finish()

    writer, read = Running(write), []
    for chunk in pipe:
        read.append(chunk)
        most = max(most, written[0] - len(read))
    assert writer.ended() is None
    assert read == [b"%d" % number for number in range(200)]
    assert most <= MOST_CHUNKS


def test_a_writer_waits_while_the_pipe_is_full_and_goes_on_where_it_was() -> None:
    with blocked(lambda pipe: fill(pipe, MOST_CHUNKS + 1)) as (pipe, writer):
        assert next(iter(pipe)) == b"0"
        assert writer.ended() is None
        pipe.finish()
        assert list(pipe) == [b"%d" % number for number in range(1, MOST_CHUNKS + 1)]


@pytest.mark.parametrize("work", [fill, drain])
@pytest.mark.parametrize("failure", [FULL, Cancelled("cut")], ids=["failed", "cut"])
def test_who_waits_is_woken_by_the_failure_of_the_other(
    work: Callable[[Pipe], None], failure: BaseException
) -> None:
    with blocked(work) as (pipe, running):
        pipe.fail(failure)
        assert running.ended() is failure


def test_what_still_waited_when_it_failed_is_not_given_out() -> None:
    """A half layer must not look like a whole one."""
    pipe = Pipe()
    fill(pipe, 2)
    pipe.fail(FULL)
    pipe.finish()
    with pytest.raises(TransferError, match="no space left"):
        drain(pipe)


def test_the_first_failure_counts() -> None:
    """The second is what the first has broken."""
    pipe = Pipe()
    pipe.fail(FULL)
    pipe.fail(Cancelled("cut"))
    for work in (fill, drain):
        with pytest.raises(TransferError, match="no space left"):
            work(pipe)


def test_a_reader_that_is_content_holds_up_no_writer() -> None:
    """It has what it needs: the rest of the member is read for its hash and dropped."""
    with blocked(fill) as (pipe, writer):
        pipe.leave()
        assert writer.ended() is None


def test_a_reader_of_nothing_ends() -> None:
    with blocked(drain) as (pipe, reader):
        pipe.finish()
        assert reader.ended() is None


@given(st.lists(st.binary(max_size=50)), st.integers(1, 3))
def test_batches_are_the_same_bytes(crumbs: list[bytes], times: int) -> None:
    assert b"".join(batched(iter(crumbs * times))) == b"".join(crumbs * times)


def test_batches_are_neither_crumbs_nor_the_whole() -> None:
    """The last one is what was left."""
    *full, last = (len(batch) for batch in batched(bytes(10_000) for _ in range(200)))
    assert len(full) == 2_000_000 // (CHUNK + 10_000)
    assert all(CHUNK <= size < CHUNK + 10_000 for size in full)
    assert sum(full) + last == 2_000_000


def test_a_chunk_that_is_large_enough_is_not_copied() -> None:
    chunk = bytes(CHUNK)
    assert next(batched([chunk])) is chunk


def test_a_source_that_fails_gives_out_no_last_batch() -> None:
    def broken() -> Iterator[bytes]:
        yield b"half"
        raise FULL

    with pytest.raises(TransferError, match="no space left"):
        next(batched(broken()))
