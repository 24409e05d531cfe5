"""From an empty directory to a cluster whose node is Ready, step by step."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.lab import containers, dns, keeper, link, node, pki, plan, tools
from tests.lab.addresses import Addresses
from tests.lab.errors import LabError
from tests.lab.processes import Process
from tests.lab.progress import Progress, step
from tests.lab.shell import TAIL, run

_PROJECT = Path(__file__).parents[2]
_DEADLINE = 120.0  # seconds for each wait: a start takes 10 in all on an idle machine
_LOOK = 0.2  # seconds between two looks: each is a process of its own


def start(
    directory: Path, own: Addresses, references: Mapping[str, str], progress: Progress
) -> None:
    """Starts the lab; it stays if this returns and ends if this raises."""
    with step(progress, "certificates, settings"):
        pki.write(directory, own)
        plan.write(directory, own, references["pause"])
        (directory / "log").mkdir()
    with _kept(directory, own) as stay:
        with step(progress, "node, network"):
            first = _first_process(directory)
            link.connect(first.id, own)
        with step(progress, "images in the node"):
            containers.remove_others(first.id, references.values())
            containers.import_missing(first.id, references.values(), progress)
        with step(progress, "API server"):
            _until(directory, "kube-apiserver", lambda: _says(directory, "get", "--raw", "/readyz"))
        with step(progress, "cluster"):
            _prepare(directory, own)
        stay()


def refresh(directory: Path, references: Mapping[str, str], progress: Progress) -> None:
    """Brings images that are new into a lab that runs."""
    with step(progress, "images in the node"):
        containers.import_missing(_first_process(directory).id, references.values(), progress)


@contextmanager
def _kept(directory: Path, own: Addresses) -> Iterator[Callable[[], None]]:
    """A keeper with a lab: the lab ends with the block unless `stay` was called."""
    lifeline_end, lifeline = os.pipe()
    try:
        with (directory / "log" / "node").open("wb") as log:
            command = [sys.executable, "-m", "tests.lab.keeper", str(directory), str(own.index)]
            subprocess.run(
                command, cwd=_PROJECT, stdin=lifeline_end, stdout=log, stderr=log, check=True
            )

        def stay() -> None:
            os.write(lifeline, keeper.STAY)

        yield stay
    finally:
        os.close(lifeline_end)
        os.close(lifeline)


def _first_process(directory: Path) -> Process:
    _until(directory, "node", (directory / node.IDENTITY).exists)
    first = Process.read(directory / node.IDENTITY)
    if first is None or not first.is_alive():
        raise LabError(f"the lab's first process ended\n{_tail(directory, 'node')}")
    return first


def _prepare(directory: Path, own: Addresses) -> None:
    """What is in every cluster, and the wait until all parts do their work."""
    manifest = str(directory / "cluster.yaml")
    # RBAC's own roles and the namespaces appear a moment after the server is ready.
    apply = ("apply", "--server-side", "--validate=false", "-f", manifest)
    _until(directory, "kube-apiserver", lambda: _says(directory, *apply))
    ready = ("wait", "--for=condition=Ready", "node/node1", "--timeout=5s")
    _until(directory, "kubelet", lambda: _says(directory, *ready))
    account = ("get", "serviceaccount", "default")
    _until(directory, "kube-controller-manager", lambda: _says(directory, *account))
    # By way of the service: this proves kube-proxy as well.
    name = "kubernetes.default.svc.cluster.local"
    _until(directory, "coredns", lambda: dns.answers(own.dns, name))


def _says(directory: Path, *arguments: str) -> bool:
    env = {
        **os.environ,
        "KUBECONFIG": str(directory / "kubeconfig"),
        "KUBECACHEDIR": str(directory / "kubectl-cache"),
    }
    try:
        run([tools.ensure("kubectl"), *arguments], env=env, timeout=20)
    except LabError:
        return False
    return True


def _until(directory: Path, program: str, is_done: Callable[[], bool]) -> None:
    """Waits for a program's work; at the deadline its log is in the error."""
    deadline = time.monotonic() + _DEADLINE
    while not is_done():
        first = Process.read(directory / node.IDENTITY)
        if first and not first.is_alive():
            raise LabError(f"the lab's first process ended\n{_tail(directory, 'node')}")
        if time.monotonic() > deadline:
            tails = "".join(_tail(directory, name) for name in ("node", program))
            raise LabError(f"{program} did not do its work within {_DEADLINE:.0f} s\n{tails}")
        time.sleep(_LOOK)


def _tail(directory: Path, program: str) -> str:
    try:
        lines = (directory / "log" / program).read_text(errors="replace").splitlines()
    except FileNotFoundError:
        lines = ["(no log)"]
    return "\n".join([f"--- the last lines of {program}:", *lines[-TAIL:], ""])
