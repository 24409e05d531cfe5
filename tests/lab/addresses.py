"""The addresses of one lab: a block of each kind, chosen by its index.

All blocks are private and a /24, so labs with different indexes never meet.
"""

import ipaddress
import json
from dataclasses import dataclass

from tests.lab import tools
from tests.lab.errors import LabError
from tests.lab.shell import run

_LABS = 16  # side by side; memory ends before the addresses do


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where things are in the lab with this index."""

    index: int

    @property
    def node(self) -> str:
        """The node, and with it the API server, as seen from everywhere."""
        return f"10.245.{self.index}.1"

    @property
    def host(self) -> str:
        """This machine, as seen from the lab."""
        return f"10.245.{self.index}.254"

    @property
    def pods(self) -> str:
        """The block of the pods."""
        return f"10.244.{self.index}.0/24"

    @property
    def services(self) -> str:
        """The block of the services."""
        return f"10.96.{self.index}.0/24"

    @property
    def api(self) -> str:
        """The service `kubernetes`."""
        return f"10.96.{self.index}.1"

    @property
    def dns(self) -> str:
        """The service that answers names."""
        return f"10.96.{self.index}.10"

    @property
    def link(self) -> str:
        """This machine's end of the cable into the lab."""
        return f"cyroid-lab{self.index}"

    @property
    def cgroup(self) -> str:
        """The cgroup, below the root of each hierarchy, that holds all pods."""
        return f"cyroid-lab-{self.index}"


def free(taken: set[int]) -> Addresses:
    """The first addresses that neither a lab in `taken` nor this machine uses."""
    routed = _routed()
    for index in range(_LABS):
        addresses = Addresses(index)
        blocks = (f"{addresses.node}/24", addresses.pods, addresses.services)
        networks = [ipaddress.ip_network(block, strict=False) for block in blocks]
        used = any(route.overlaps(network) for route in routed for network in networks)
        if index not in taken and not used:
            return addresses
    raise LabError("no block of 10.244-245.x.0/24 and 10.96.x.0/24 is free on this machine")


def _routed() -> list[ipaddress.IPv4Network]:
    routes = json.loads(run([tools.ensure("ip"), "-4", "-json", "route"]))
    blocks = (route["dst"] for route in routes)
    return [ipaddress.IPv4Network(block) for block in blocks if block != "default"]
