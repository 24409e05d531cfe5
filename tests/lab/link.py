"""The cable between this machine and a lab.

With it the API server, pods and services of the lab have addresses that this
machine reaches. It is gone, with its routes, when the lab's namespace is gone.
"""

import time
from contextlib import suppress
from pathlib import Path

from tests.lab import tools
from tests.lab.addresses import Addresses
from tests.lab.errors import LabError
from tests.lab.shell import run

_BRIDGE = 10.0  # seconds for the first process to make its bridge; 0.1 were measured


def connect(node_id: int, addresses: Addresses) -> None:
    """Connects this machine to the node whose first process has this id."""
    ip = tools.ensure("ip")
    _wait_for_bridge(node_id)
    run([ip, "link", "add", addresses.link, "type", "veth", "peer", "lab-in", "netns", node_id])
    inside = ["nsenter", "--target", node_id, "--net", ip]
    run([*inside, "link", "set", "lab-in", "master", "node0", "up"])
    run([ip, "address", "add", f"{addresses.host}/24", "dev", addresses.link])
    run([ip, "link", "set", addresses.link, "up"])
    for block in (addresses.pods, addresses.services):
        run([ip, "route", "add", block, "via", addresses.node])


def disconnect(addresses: Addresses) -> None:
    """Removes the cable; the kernel does it too, but some time after the namespace's end."""
    if Path("/sys/class/net", addresses.link).exists():
        with suppress(LabError):  # the kernel may be first
            run([tools.ensure("ip"), "link", "delete", addresses.link])


def _wait_for_bridge(node_id: int) -> None:
    deadline = time.monotonic() + _BRIDGE
    command = ["nsenter", "--target", node_id, "--net", tools.ensure("ip"), "link", "show", "node0"]
    while True:
        try:
            run(command)
        except LabError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return
