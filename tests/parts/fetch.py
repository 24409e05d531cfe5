"""Everything that the parts are made of, fetched while the machine's network can be reached.

Component tests run in a network of their own (`namespace.py`), where nothing can be
downloaded. What is here already costs no time; on a fresh machine the Kubernetes programs
are built, which takes minutes and is told of (tests/lab/progress.py).

`python -m tests.parts.fetch [lab | PROGRAM ...]` does it before tests hide what is said.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence

from tests.lab import apt, docker, images, tools
from tests.lab.errors import LabError
from tests.parts import namespace

PROGRAMS = (
    "etcd",
    "kube-apiserver",
    "kubectl",
    "helm",
    "dockerd",
    "docker",
    "docker-registry",
    "registry3",
    "openssl",
    "ip",
    "chromium",
)


def everything() -> None:
    """Fetch or build what is absent; raises LabError where this machine cannot have it."""
    for name in PROGRAMS:
        tools.ensure(name)
    docker.fetch()
    if shutil.which("busybox") is None:
        apt.install("busybox-static")


def main(words: Sequence[str]) -> int:
    """Everything, or what is named; what this machine cannot have is told by the tests."""
    if reason := namespace.why_not():
        print(f"nothing is fetched: {reason}")
        return 0
    try:
        if not words:
            everything()
        for name in tools.GO if words == ["lab"] else words:
            tools.ensure(name)
        if words == ["lab"]:
            images.ensure(images.available())
    except LabError as exc:
        print(exc, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
