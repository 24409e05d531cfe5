"""A private network for the component tests: no port clashes, nothing reaches the outside.

The test process itself moves into new network and mount namespaces before it starts
any thread, so its own sockets and the real components it starts share one loopback that
ends with it. 127.0.0.1 is trusted by every Docker engine without TLS; OUTER_ADDRESS, on
the same loopback, is not, which is how trust is tested.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys

OUTER_ADDRESS = "10.99.0.1"
_CLONE_NEWNS, _CLONE_NEWNET = 0x00020000, 0x40000000


def why_not() -> str | None:
    """The reason why this process cannot have namespaces of its own, or None."""
    if not sys.platform.startswith("linux"):
        return "needs Linux"
    return None if os.geteuid() == 0 else "needs root"


def enter() -> None:
    """Move this process into its own network and mount namespaces; once is enough."""
    if os.environ.get("CYROID_TEST_NAMESPACE") == str(os.getpid()):
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNET | _CLONE_NEWNS) != 0:
        raise OSError(ctypes.get_errno(), "unshare: no private namespaces to be had")
    for command in (
        ["mount", "--make-rprivate", "/"],
        ["ip", "link", "set", "lo", "up"],
        ["ip", "address", "add", f"{OUTER_ADDRESS}/32", "dev", "lo"],
    ):
        subprocess.run(command, check=True, timeout=10)
    os.environ["CYROID_TEST_NAMESPACE"] = str(os.getpid())
