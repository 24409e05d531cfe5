"""The gate opens whatever happens, and nothing is removed once it may be open."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

import pytest

from cyroid_images.collect.gate import LATE_SECONDS, PAUSED, STOP_SECONDS, STOPPED, Gate, GateError
from tests.parts.apiserver import free_ports


def nothing() -> None:
    """A step that lets everything go on."""


class HandSetClock:
    """Goes as far as it is told."""

    def __init__(self, each: float = 0.0) -> None:
        self.now = 0.0
        self.each = each

    def __call__(self) -> float:
        self.now += self.each
        return self.now


def gate_in(folder: Path, clock: HandSetClock | None = None, port: int | None = None) -> Gate:
    return Gate(folder, port or free_ports(1)[0], clock=clock or HandSetClock())


def test_it_is_closed_inside_and_open_afterwards(tmp_path: Path) -> None:
    (tmp_path / STOPPED).touch()
    gate = gate_in(tmp_path)
    with gate.closed(nothing) as check:
        assert (tmp_path / PAUSED).exists()
        check()
    assert not gate.is_closed


def test_it_is_open_after_an_error(tmp_path: Path) -> None:
    (tmp_path / STOPPED).touch()
    gate = gate_in(tmp_path)
    with pytest.raises(OSError, match="full"), gate.closed(nothing):
        raise OSError("full")
    assert not gate.is_closed


def test_a_listener_that_goes_on_listening_is_waited_for_and_given_up(tmp_path: Path) -> None:
    (tmp_path / STOPPED).touch()
    with socket.create_server(("127.0.0.1", 0)) as server:
        clock = HandSetClock(each=STOP_SECONDS / 3)
        gate = gate_in(tmp_path, clock, server.getsockname()[1])
        with pytest.raises(GateError, match="has not stopped"), gate.closed(nothing):
            pytest.fail("nothing may be removed")
    assert not gate.is_closed


def test_a_port_that_nobody_listens_at_is_not_enough(tmp_path: Path) -> None:
    """Requests under way go on when the listener is closed already."""
    gate = gate_in(tmp_path, HandSetClock(each=STOP_SECONDS / 3))
    with pytest.raises(GateError, match="has not stopped"), gate.closed(nothing):
        pytest.fail("nothing may be removed")


def test_who_stood_still_for_long_removes_nothing_more(tmp_path: Path) -> None:
    (tmp_path / STOPPED).touch()
    clock = HandSetClock()
    with gate_in(tmp_path, clock).closed(nothing) as check:
        clock.now += LATE_SECONDS + 1
        with pytest.raises(GateError, match="stood still"):
            check()


def test_a_gate_that_somebody_opened_is_noticed(tmp_path: Path) -> None:
    (tmp_path / STOPPED).touch()
    with gate_in(tmp_path).closed(nothing) as check:
        (tmp_path / PAUSED).unlink()
        with pytest.raises(GateError, match="opened"):
            check()


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="absent"), gate_in(tmp_path / "absent").closed(nothing):
        pytest.fail("nothing may be removed")


def test_a_clock_that_was_moved_ends_it_since_the_script_may_have_let_pushes_go_on(
    tmp_path: Path,
) -> None:
    (tmp_path / STOPPED).touch()
    gate = gate_in(tmp_path)
    with gate.closed(nothing) as check:
        check()
        old = time.time() - 2 * LATE_SECONDS
        os.utime(tmp_path / PAUSED, (old, old))  # as the script sees it after a jump
        with pytest.raises(GateError, match="clock was moved"):
            check()
        os.utime(tmp_path / PAUSED)  # a beat that comes too late makes nothing good
        with pytest.raises(GateError, match="clock was moved"):
            check()
