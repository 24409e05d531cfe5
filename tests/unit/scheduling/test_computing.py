"""Few threads compute at once; one that waits for the network lets another; none is a gate."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from cyroid_images import sockets
from cyroid_images.scheduling.cancel_scope import NEVER
from cyroid_images.scheduling.computing import Computing, step_aside, step_back

PATIENCE = 10.0
"""Of the test; a place is waited for longer, so that nobody goes on without one."""


@pytest.fixture
def computing() -> Computing:
    """One place, and nobody goes on without it."""
    return Computing(places=1, patience=10 * PATIENCE)


def started(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def ended(*threads: threading.Thread) -> bool:
    for thread in threads:
        thread.join(PATIENCE)
    return not any(thread.is_alive() for thread in threads)


def test_who_steps_aside_lets_another_compute_and_goes_on_after_it(computing: Computing) -> None:
    order: list[str] = []
    is_aside, may_end = threading.Event(), threading.Event()

    def first() -> None:
        with computing.place():
            order.append("first")
            step_aside()
            is_aside.set()
            assert may_end.wait(PATIENCE)  # the second one has the place now
            step_back()
            order.append("first again")

    def second() -> None:
        assert is_aside.wait(PATIENCE)
        with computing.place():
            may_end.set()
            order.append("second")

    assert ended(started(first), started(second))
    assert order == ["first", "second", "first again"]


def test_no_more_compute_at_once_than_there_are_places() -> None:
    computing, all_there = (
        Computing(places=2, patience=10 * PATIENCE),
        threading.Barrier(2),
    )
    inside, most, lock = 0, 0, threading.Lock()

    def work() -> None:
        nonlocal inside, most
        with computing.place():
            with lock:
                inside += 1
                most = max(most, inside)
            all_there.wait(PATIENCE)  # two at a time, for every two of the eight
            with lock:
                inside -= 1

    assert ended(*(started(work) for _ in range(8)))
    assert most == 2


def test_who_never_steps_aside_stops_nobody() -> None:
    computing, over = Computing(places=1, patience=0.01), threading.Event()

    def greedy() -> None:
        with computing.place():
            assert over.wait(PATIENCE)

    def patient() -> None:
        with computing.place():
            over.set()

    assert ended(started(greedy), started(patient))


def test_a_block_that_fails_gives_its_place_back(computing: Computing) -> None:
    @computing.place()
    def divides_by_zero() -> None:
        step_aside()
        step_aside()
        raise ZeroDivisionError

    def fails() -> None:
        with pytest.raises(ZeroDivisionError):
            divides_by_zero()

    def works() -> None:
        with computing.place():
            step_back()  # it has its place: this takes no second one

    assert ended(started(fails))
    assert ended(started(works))
    assert ended(started(works))


def test_who_has_no_place_steps_nowhere() -> None:
    step_aside()
    step_back()


@pytest.fixture
def server() -> Iterator[tuple[str, threading.Event, threading.Event]]:
    """Takes one request, says that it has it, and answers when it is let."""
    asked, may_answer = threading.Event(), threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(65536)
                asked.set()
                assert may_answer.wait(PATIENCE)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

        thread = started(serve)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", asked, may_answer
        may_answer.set()
        assert ended(thread)


def test_a_request_that_waits_for_its_answer_lets_another_compute(
    computing: Computing, server: tuple[str, threading.Event, threading.Event]
) -> None:
    url, asked, may_answer = server
    order: list[str] = []

    def look() -> None:
        with computing.place(), sockets.client(url) as client:
            response = client.get("/", extensions=sockets.under(NEVER))
            order.append(response.text)

    def other() -> None:
        assert asked.wait(PATIENCE)
        with computing.place():
            order.append("computed")
            may_answer.set()

    assert ended(started(look), started(other))
    assert order == ["computed", "ok"]
