"""Puts images into the containerd of a lab; what it has already is left alone."""

import time
from collections.abc import Callable, Iterable

from tests.lab import images, tools
from tests.lab.errors import LabError
from tests.lab.shell import run

_START = 60.0  # seconds for containerd to answer; 0.5 were measured


def import_missing(
    node_id: int, references: Iterable[str], progress: Callable[[str], None]
) -> None:
    """Imports the images that the containerd of this node has not got yet."""
    present = _wait_and_list(node_id)
    for reference in references:
        if reference not in present:
            started = time.monotonic()
            _ctr(node_id, "images", "import", str(images.archive_of(reference)))
            progress(f"  imported {reference} {time.monotonic() - started:.1f} s")


def remove_others(node_id: int, references: Iterable[str]) -> None:
    """Removes older images of ours; only while no pod runs, since one may need them."""
    wanted = set(references)
    old = [name for name in _wait_and_list(node_id) if "/lab/" in name and name not in wanted]
    if old:
        _ctr(node_id, "images", "remove", *old)


def _wait_and_list(node_id: int) -> set[str]:
    deadline = time.monotonic() + _START
    while True:
        try:
            return set(_ctr(node_id, "images", "list", "--quiet").split())
        except LabError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def _ctr(node_id: int, *arguments: str) -> str:
    enter = ["nsenter", "--target", node_id, "--mount"]
    ctr = [tools.ensure("ctr"), "--address=/run/containerd.sock", "--namespace=k8s.io"]
    return run([*enter, *ctr, *arguments])
