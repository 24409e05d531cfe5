"""The process outside that owns a lab: it starts it, and cleans up after it.

It lives as long as the lab. Until `up` says that the lab stays, the keeper
watches a pipe to it: if `up` dies in any way, the pipe closes and the lab ends.
"""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.lab import cache, cgroups, link, processes
from tests.lab.addresses import Addresses

IDENTITY = "keeper.json"
"""The file with the keeper's id and start time."""
STAY = b"stay\n"
"""What `up` writes when the lab is to outlive it."""
IMAGES = "containerd"
"""The one directory of a lab that stays: imported images, for the next start."""

_LOOK = 0.5  # seconds between two looks at the lab's first process
_NAMESPACES = ("--net", "--mount", "--pid", "--uts", "--ipc")


def main(directory: Path, own: Addresses) -> None:
    """Starts the lab and returns when it has ended and been cleaned up."""
    if os.fork():
        os._exit(0)  # `up` waits for this one; the other belongs to nobody
    os.setsid()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal's Ctrl-C is for `up`
    processes.identified(os.getpid()).write(directory / IDENTITY)
    node = subprocess.Popen(_enter([sys.executable, "-m", "tests.lab.node", str(directory)]))
    try:
        _watch(node)
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        processes.end_namespace(node)
        clean(directory, own)


def clean(directory: Path, own: Addresses) -> None:
    """Removes what a lab that has ended left: cable, cgroups, and all but its images."""
    link.disconnect(own)
    cgroups.remove(own.cgroup)
    for path in directory.iterdir():
        if path.name != IMAGES:
            cache.remove(path)


def _enter(command: Sequence[str]) -> list[str]:
    # --pdeathsig: should the keeper be killed, the lab ends with it.
    start = ["setpriv", "--pdeathsig", "KILL", "unshare", *_NAMESPACES]
    return [*start, "--fork", "--kill-child", "--propagation", "private", *command]


def _watch(node: "subprocess.Popen[bytes]") -> None:
    """Returns when the lab is to end, or ended by itself after it was to stay."""
    stays = False
    while not (stays and node.poll() is not None):
        readable, _, _ = select.select([] if stays else [0], [], [], _LOOK)
        if readable:
            if os.read(0, len(STAY)) != STAY:
                return
            stays = True


if __name__ == "__main__":
    main(Path(sys.argv[1]), Addresses(int(sys.argv[2])))
