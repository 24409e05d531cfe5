"""Which addresses an upstream may lead us to: looked at before a connect, and again after it.

A host that the cache names is dialled wherever it is, with two exceptions: a name or an odd
spelling (`0x7f.1`) never leads to this machine or to a cloud's metadata. A host that an
answer names (a redirect) must be reachable at least as publicly as the host that answered,
so that an upstream of the Internet cannot aim us at the cluster. Names are resolved here
first, so that nobody is even knocked at; what was really dialled is checked before the
first byte, because a name may be resolved otherwise the second time.
"""

from __future__ import annotations

import contextlib
import ipaddress
from collections.abc import Callable
from enum import IntEnum
from typing import Any

from cyroid_images import sockets
from cyroid_images.errors import Reason, TransferError
from cyroid_images.registry.errors import clean

Trace = Callable[[str, dict[str, Any]], None]
"""An httpx `trace` extension."""

_BEFORE = "connection.connect_tcp.started"
_AFTER = "connection.connect_tcp.complete"
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_METADATA = frozenset(
    ipaddress.ip_address(text) for text in ("fd00:ec2::254", "100.100.100.200", "192.0.0.192")
)
"""Of AWS, Alibaba and Oracle; the others' is link-local, like 169.254.169.254."""


class Reach(IntEnum):
    """From how far away an address can be reached; more is more public."""

    NOWHERE = 0
    """Link-local, metadata, multicast, reserved, or no address at all."""
    MACHINE = 1
    """Loopback."""
    SITE = 2
    """Private networks, shared address space."""
    WORLD = 3


def reach_of(text: str) -> Reach:
    """The reach of an IP address as the system writes it; of anything else NOWHERE."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return Reach.NOWHERE
    address = _embedded(address) or address
    if address.is_loopback:
        return Reach.MACHINE
    is_none = address.is_unspecified or address.is_multicast or address in _METADATA
    if is_none or address.is_link_local or address == ipaddress.ip_address("255.255.255.255"):
        return Reach.NOWHERE
    return Reach.WORLD if address.is_global else Reach.SITE


class DialPolicy:
    """The connections of one call: each is made only to where it may lead."""

    def __init__(self, act: str) -> None:
        self._act = act
        self._reached: dict[str, Reach] = {}

    def reached(self, host: str) -> Reach:
        """How far away this host was when it was dialled; WORLD where it was not."""
        return self._reached.get(host, Reach.WORLD)

    def named(self, inner: Trace) -> Trace:
        """For a host that the cache names; raises HostNotAllowed instead of connecting."""

        def check(host: str, address: str) -> None:
            if not _may_be_named(host, address):
                raise TransferError(Reason.HOST_NOT_ALLOWED, self._told(host, address))

        return self._watched(inner, check)

    def led_to(self, inner: Trace, least: Reach) -> Trace:
        """For a host that an answer names; raises UntrustedRedirect instead of connecting."""

        def check(host: str, address: str) -> None:
            if reach_of(address) < max(least, Reach.MACHINE):
                raise TransferError(Reason.UNTRUSTED_REDIRECT, self._told(host, address))

        return self._watched(inner, check)

    def _watched(self, inner: Trace, check: Callable[[str, str], None]) -> Trace:
        dialled = ""

        def trace(event: str, info: dict[str, Any]) -> None:
            nonlocal dialled
            if event == _BEFORE:
                dialled = str(info["host"])
                for address in sockets.addresses_of(dialled, int(info["port"])):
                    check(dialled, address)
            elif event == _AFTER:
                stream = info["return_value"]
                address = str(stream.get_extra_info("server_addr")[0])
                self._reached[dialled] = reach_of(address)
                try:
                    check(dialled, address)
                except TransferError:
                    stream.close()
                    raise
            inner(event, info)

        return trace

    def _told(self, host: str, address: str) -> str:
        kinds = {Reach.MACHINE: "this machine", Reach.SITE: "a private network"}
        where = kinds.get(reach_of(address), "an address that no registry can have")
        return f"{self._act}: {clean(host)} resolves to {where} ({address}); not connecting"


def _may_be_named(host: str, address: str) -> bool:
    if host == "localhost":
        return reach_of(address) is Reach.MACHINE
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host) == ipaddress.ip_address(address)
    return reach_of(address) >= Reach.SITE


def _embedded(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> ipaddress.IPv4Address | None:
    """The IPv4 address that an IPv6 address stands for: mapped, 6to4, NAT64."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour
