"""Which addresses an upstream may lead us to, whatever they are spelled like."""

from __future__ import annotations

from typing import Any

import pytest

from cyroid_images.errors import Reason, TransferError
from cyroid_images.registry.dial_policy import DialPolicy, Reach, Trace, reach_of

REACHES = {
    "8.8.8.8": Reach.WORLD,
    "2001:4860:4860::8888": Reach.WORLD,
    "10.1.2.3": Reach.SITE,
    "172.16.0.1": Reach.SITE,
    "192.168.1.1": Reach.SITE,
    "100.64.0.1": Reach.SITE,
    "fd12:3456::1": Reach.SITE,
    "127.0.0.1": Reach.MACHINE,
    "127.8.9.10": Reach.MACHINE,
    "::1": Reach.MACHINE,
    "::ffff:127.0.0.1": Reach.MACHINE,
    "64:ff9b::7f00:1": Reach.MACHINE,
    "2002:7f00:1::": Reach.MACHINE,
    "::ffff:10.0.0.1": Reach.SITE,
    "169.254.169.254": Reach.NOWHERE,
    "::ffff:169.254.169.254": Reach.NOWHERE,
    "64:ff9b::a9fe:a9fe": Reach.NOWHERE,
    "fd00:ec2::254": Reach.NOWHERE,
    "100.100.100.200": Reach.NOWHERE,
    "fe80::1%eth0": Reach.NOWHERE,
    "0.0.0.0": Reach.NOWHERE,
    "::": Reach.NOWHERE,
    "224.0.0.1": Reach.NOWHERE,
    "ff02::1": Reach.NOWHERE,
    "255.255.255.255": Reach.NOWHERE,
    "no address": Reach.NOWHERE,
}

LOOPBACKS = ("127.1", "0x7f.1", "0x7f000001", "0177.0.0.1", "2130706433", "127.0.0.01")
"""Spellings that the system's resolver takes for 127.0.0.1."""


@pytest.mark.parametrize(("address", "reach"), REACHES.items(), ids=REACHES)
def test_an_address_has_its_reach(address: str, reach: Reach) -> None:
    assert reach_of(address) is reach


class Stream:
    """A connection to this address."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.is_closed = False

    def get_extra_info(self, _: str) -> tuple[str, int]:
        return self.address, 443

    def close(self) -> None:
        self.is_closed = True


def knock(trace: Trace, host: str) -> None:
    """What httpcore says before it connects."""
    trace("connection.connect_tcp.started", {"host": host, "port": 443})


def connected(trace: Trace, stream: Stream) -> None:
    """What it says when it has."""
    trace("connection.connect_tcp.complete", {"return_value": stream})


def heard() -> tuple[Trace, list[str]]:
    """A trace that is told of what passes the door."""
    events: list[str] = []

    def trace(event: str, _: dict[str, Any]) -> None:
        events.append(event)

    return trace, events


@pytest.mark.row("H6")
@pytest.mark.parametrize("host", LOOPBACKS)
def test_an_odd_spelling_of_this_machine_is_not_a_host_that_may_be_named(host: str) -> None:
    trace, events = heard()
    with pytest.raises(TransferError) as caught:
        knock(DialPolicy("read x").named(trace), host)
    assert caught.value.reason is Reason.HOST_NOT_ALLOWED
    assert "127.0.0.1" in caught.value.message
    assert events == []


@pytest.mark.parametrize("host", ["127.0.0.1", "10.9.8.7", "::1", "localhost"])
def test_an_address_that_is_named_as_it_is_may_be_dialled(host: str) -> None:
    trace, events = heard()
    knock(DialPolicy("read x").named(trace), host)
    assert len(events) == 1


@pytest.mark.row("H6", "R16")
@pytest.mark.parametrize("least", [Reach.WORLD, Reach.SITE])
@pytest.mark.parametrize("host", [*LOOPBACKS, "127.0.0.1", "::ffff:7f00:1", "169.254.169.254"])
def test_a_redirect_never_leads_to_what_is_less_public(host: str, least: Reach) -> None:
    trace, events = heard()
    with pytest.raises(TransferError) as caught:
        knock(DialPolicy("read x").led_to(trace, least), host)
    assert caught.value.reason is Reason.UNTRUSTED_REDIRECT
    assert events == []


def test_a_redirect_within_a_site_and_out_into_the_world_may_be_followed() -> None:
    trace, events = heard()
    door = DialPolicy("read x").led_to(trace, Reach.SITE)
    for host in ("10.1.1.1", "8.8.8.8"):
        knock(door, host)
    assert len(events) == 2


@pytest.mark.row("H6")
def test_a_name_that_leads_elsewhere_the_second_time_is_closed_before_a_byte() -> None:
    trace, events = heard()
    doors = DialPolicy("read x")
    door, stream = doors.led_to(trace, Reach.WORLD), Stream("10.0.0.1")
    knock(door, "8.8.8.8")
    with pytest.raises(TransferError) as caught:
        connected(door, stream)
    assert caught.value.reason is Reason.UNTRUSTED_REDIRECT
    assert stream.is_closed
    assert events == ["connection.connect_tcp.started"]


def test_what_was_dialled_says_how_public_the_next_must_be() -> None:
    trace, _ = heard()
    doors = DialPolicy("read x")
    door = doors.named(trace)
    knock(door, "10.0.0.1")
    connected(door, Stream("10.0.0.1"))
    assert doors.reached("10.0.0.1") is Reach.SITE
    assert doors.reached("another.example") is Reach.WORLD
