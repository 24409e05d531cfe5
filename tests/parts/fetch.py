"""Everything that the parts are made of, fetched while the machine's network can be reached.

Component tests run in a network of their own (`namespace.py`), where nothing can be
downloaded. What is here already costs no time; on a fresh machine the Kubernetes programs
are built, which takes minutes, and a line tells of each step that takes longer than a second.
"""

from __future__ import annotations

import shutil

from tests.lab import apt, docker, tools
from tests.lab.progress import Progress, long_step

PROGRAMS = (
    "etcd",
    "kube-apiserver",
    "kubectl",
    "helm",
    "dockerd",
    "docker",
    "docker-registry",
    "openssl",
    "ip",
)


def everything(progress: Progress) -> None:
    """Fetch or build what is absent; raises LabError where this machine cannot have it."""
    for name in PROGRAMS:
        with long_step(progress, f"fetching {name}"):
            tools.ensure(name)
    docker.fetch(progress)
    if shutil.which("busybox") is None:
        with long_step(progress, "fetching busybox"):
            apt.install("busybox-static")
