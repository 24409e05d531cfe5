"""Few threads compute at once; one that waits for the network lets another; none is a gate."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from cyroid_images import sockets
from cyroid_images.errors import Cancelled
from cyroid_images.scheduling.cancel_scope import NEVER, CancelScope
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


HEAD, BODY = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", b"ok"


@dataclass(slots=True)
class Server:
    """Takes one request, sends so much, and the rest when it is let."""

    at_once: bytes
    asked: threading.Event = field(default_factory=threading.Event)
    may_answer: threading.Event = field(default_factory=threading.Event)

    def serve(self, listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(self.at_once)
            self.asked.set()
            assert self.may_answer.wait(PATIENCE)
            connection.sendall((HEAD + BODY)[len(self.at_once) :])


@pytest.mark.parametrize("at_once", [b"", HEAD[:9], HEAD, HEAD + BODY[:1]])
def test_a_request_that_waits_for_its_answer_lets_another_compute(
    computing: Computing, at_once: bytes
) -> None:
    order: list[str] = []
    server = Server(at_once)

    def look() -> None:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        with computing.place(), sockets.client(url) as client:
            order.append(client.get("/", extensions=sockets.under(NEVER)).text)

    def other() -> None:
        assert server.asked.wait(PATIENCE)
        with computing.place():
            order.append("computed")
            server.may_answer.set()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        serving = started(lambda: server.serve(listening))
        assert ended(started(look), started(other), serving)
    assert order == ["computed", "ok"]


def test_a_pause_between_two_tries_lets_another_compute(computing: Computing) -> None:
    scope, is_in, ends = CancelScope(), threading.Event(), list[str]()

    @computing.place()
    def pauses() -> None:
        is_in.set()
        scope.wait(10 * PATIENCE)

    def tries_again() -> None:
        with pytest.raises(Cancelled):
            pauses()
        ends.append("cancelled")

    def other() -> None:
        assert is_in.wait(PATIENCE)
        with computing.place():
            scope.cancel()

    assert ended(started(tries_again), started(other))
    assert ends == ["cancelled"]
