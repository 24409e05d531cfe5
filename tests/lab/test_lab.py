"""A lab starts beside others, runs engines, and is gone without a trace.

The other tests of the project rest on this one; so does the promise that the
lab touches nothing of the machine but its cache.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.lab import addresses, cache, cgroups, keeper, lab, tools
from tests.lab.lab import Lab
from tests.lab.processes import Process
from tests.lab.shell import run

NAME = "test-lab"
PROJECT = Path(__file__).parents[2]
DEADLINE = 120.0

pytestmark = [
    pytest.mark.lab,
    pytest.mark.slow,
    pytest.mark.timeout(1800),  # a machine without a cache builds Kubernetes first
    pytest.mark.skipif(
        sys.platform != "linux" or os.geteuid() != 0, reason="the lab needs Linux and root"
    ),
]

ENGINE = """
apiVersion: v1
kind: Pod
metadata: {{name: engine}}
spec:
  containers:
  - name: dind
    image: {image}
    imagePullPolicy: Never
    args: ["--tls=false", "-H", "unix:///var/run/docker.sock", "-H", "tcp://0.0.0.0:2375"]
    securityContext: {{privileged: true}}
    readinessProbe: {{exec: {{command: [docker, version]}}, periodSeconds: 1}}
    volumeMounts: [{{name: data, mountPath: /var/lib/docker}}]
  volumes: [{{name: data, emptyDir: {{}}}}]
"""


@dataclass(frozen=True)
class Machine:
    """What a lab must leave as it was."""

    links: list[str]
    routes: str
    rules: str
    mounts: list[str]
    cgroups: list[str]
    files: list[str]
    settings: list[str]


def seen() -> Machine:
    """The machine as it is now."""
    links = [link["ifname"] for link in json.loads(run(["ip", "-json", "link"]))]
    mounts = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    folders = ("/var/log/pods", "/var/log/containers", "/var/lib/cni", "/var/lib/kubelet")
    sysctls = ("vm/overcommit_memory", "kernel/panic", "kernel/panic_on_oops")
    return Machine(
        links=sorted(links),
        routes=run(["ip", "route"]),
        rules=run(["iptables-save", "-t", "nat"]).partition("*nat")[2].partition("COMMIT")[0],
        mounts=sorted(mounts),
        cgroups=sorted(str(p) for n in range(16) for p in cgroups.present(f"cyroid-lab-{n}")),
        files=[str(p) for folder in folders for p in Path(folder).glob("*")],
        settings=[Path("/proc/sys", name).read_text() for name in sysctls],
    )


def processes_of(directory: Path) -> list[str]:
    """The command lines of processes that name the directory or live in a lab's mounts."""
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) == os.getpid():
            continue
        try:
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            mounts = (folder / "mountinfo").read_text()
        except OSError:  # it ended meanwhile
            continue
        if str(directory) in command or f"{directory.name} /run/lab " in mounts:
            found.append(command)
    return found


def wait_until(is_so: Callable[[], bool], what: str) -> None:
    """Fails if it is not so at the deadline."""
    deadline = time.monotonic() + DEADLINE
    while not is_so():
        assert time.monotonic() < deadline, f"not within {DEADLINE:.0f} s: {what}"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def before() -> Machine:
    """The machine before the first lab of this module."""
    lab.down(NAME)
    tools.ensure("iptables")
    return seen()


@pytest.fixture(scope="module")
def running(before: Machine) -> Iterator[Lab]:
    """A lab with an engine in a pod."""
    assert before
    started = lab.up(NAME)
    started.run_kubectl("apply", "-f", "-", stdin=ENGINE.format(image=started.images["dind"]))
    started.run_kubectl("wait", "--for=condition=Ready", "pod/engine", "--timeout=60s")
    yield started
    lab.down(NAME)


def test_an_engine_runs_in_a_privileged_pod(running: Lab) -> None:
    driver = running.run_kubectl("exec", "engine", "--", "docker", "info", "-f", "{{.Driver}}")
    assert driver.strip() == "overlay2"


def test_pods_resolve_services(running: Lab) -> None:
    answer = running.run_kubectl(
        "exec", "engine", "--", "getent", "hosts", "kubernetes.default.svc"
    )
    assert answer.split()[0] == addresses.Addresses(int(running.node_address.split(".")[2])).api


def test_an_unknown_host_is_refused_at_once(running: Lab) -> None:
    look = "getent hosts unknown.example; echo $?"
    started = time.monotonic()
    answer = running.run_kubectl("exec", "engine", "--", "sh", "-c", look)
    assert answer.strip() == "2"
    assert time.monotonic() - started < 3


def test_logs_of_pods_are_readable(running: Lab) -> None:
    assert "API listen on" in running.run_kubectl("logs", "engine")


def test_up_again_keeps_the_lab_that_runs(running: Lab) -> None:
    identity = (running.directory / keeper.IDENTITY).read_text()
    assert lab.up(NAME).kubeconfig == running.kubeconfig
    assert (running.directory / keeper.IDENTITY).read_text() == identity


def test_down_leaves_no_trace(running: Lab, before: Machine) -> None:
    assert lab.down(NAME)
    assert processes_of(running.directory) == []
    assert seen() == before
    assert [path.name for path in running.directory.iterdir()] == [keeper.IMAGES]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT], ids=["killed", "interrupted"])
@pytest.mark.parametrize("marker", ["plan.json", "node.json", "kubelet"])
def test_an_up_that_dies_leaves_no_trace(
    marker: str, number: signal.Signals, before: Machine
) -> None:
    """At three moments: before the keeper, before the cluster, while it becomes ready."""
    directory = cache.root() / "labs" / NAME
    # A run in the background of a shell inherits that SIGINT is ignored.
    command = ["env", "--default-signal=INT", sys.executable, "-m", "tests.lab", "--name", NAME]
    command.append("up")
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.DEVNULL) as starting:
        wait_until((directory / marker).exists, f"{marker} of a lab that starts")
        starting.send_signal(number)
    wait_until(lambda: processes_of(directory) == [], "the end of all processes")
    lab.down(NAME)  # before there is a keeper nobody can clean up; that is one file
    assert seen() == before


def test_a_killed_keeper_takes_the_lab_with_it(before: Machine) -> None:
    started = lab.up(NAME)
    keeping = Process.read(started.directory / keeper.IDENTITY)
    assert keeping is not None
    keeping.send(signal.SIGKILL)
    wait_until(lambda: processes_of(started.directory) == [], "the end of all processes")
    lab.down(NAME)
    assert seen() == before
