"""The first process inside a lab: it makes the node and starts its programs.

It runs in fresh network, mount, process, host name and IPC namespaces. When it
ends, the kernel ends everything inside, so nothing here cleans up.
"""

import http.client
import os
import ssl
import subprocess
import sys
import time
from pathlib import Path

from tests.lab import cgroups, processes
from tests.lab.plan import Plan, Program

IDENTITY = "node.json"
"""The file with the first process's id and start time, as this machine sees them."""

_LAB = Path("/run/lab")
_RESTARTS = 20  # of one program; more is no accident
_PAUSE = 0.1  # seconds between two looks while starting
# The kubelet insists on these, and they belong to the whole machine: show it
# files that say so instead of letting it set them.
_SYSCTLS = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}


def main(directory: Path) -> None:
    """Makes the node and keeps its programs running; never returns."""
    # The old /proc is still mounted: it knows this process by its outer id.
    outer_id = int(Path("/proc/self").readlink().name)
    processes.identified(outer_id).write(directory / IDENTITY)
    plan = Plan.load((directory / "plan.json").read_text())
    os.environ["PATH"] = plan.path
    _mount(directory)
    cgroups.make(plan.cgroup)
    _network(plan)
    _Programs(plan).run()


def _mount(directory: Path) -> None:
    _do("mount --make-rshared /")  # the kubelet and containerd need shared propagation
    _do("mount -t proc proc /proc")
    _do("mount -t tmpfs tmpfs /run")
    for name in ("lab", "lock", "cgroups", "sysctl"):
        Path("/run", name).mkdir()
    subprocess.run(["mount", "--bind", str(directory), str(_LAB)], check=True)
    # A fresh /sys shows this network namespace but no cgroups: bring them back.
    _do("mount --rbind /sys/fs/cgroup /run/cgroups")
    _do("mount -t sysfs sysfs /sys")
    _do("mount --rbind /run/cgroups /sys/fs/cgroup")
    # Pod logs, CNI leases and etcd would stay behind.
    _do("mount -t tmpfs tmpfs /var/log")
    _do("mount -t tmpfs tmpfs /var/lib")
    _do(f"mount --bind {_LAB}/hosts /etc/hosts")
    for name, value in _SYSCTLS.items():
        shown = Path("/run/sysctl", name.replace("/", "."))
        shown.write_text(f"{value}\n")
        if Path("/proc/sys", name).exists():
            _do(f"mount --bind {shown} /proc/sys/{name}")


def _network(plan: Plan) -> None:
    _do("hostname node1")
    _do("ip link set lo up")
    _do("sysctl -qw net.ipv4.ip_forward=1")
    _do("ip link add node0 type bridge")  # not a dummy: many kernels have none
    _do(f"ip address add {plan.node}/24 dev node0")
    _do("ip link set node0 up")
    # No default route: there is no way out, and trying must fail at once.


def _do(command: str) -> None:
    subprocess.run(command.split(), check=True)


class _Programs:
    """The programs of the plan, started in order and again when they end."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._running: dict[int, Program] = {}
        self._starts: dict[str, int] = {}

    def run(self) -> None:
        for program in self._plan.programs:
            if not program.needs_api:
                self._start(program)
        while not _is_api_ready():
            self._collect(os.WNOHANG)
            time.sleep(_PAUSE)
        for program in self._plan.programs:
            if program.needs_api:
                self._start(program)
        while True:
            self._collect(0)

    def _start(self, program: Program) -> None:
        self._starts[program.name] = self._starts.get(program.name, 0) + 1
        with (_LAB / "log" / program.name).open("ab") as log:
            process = subprocess.Popen(
                program.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/"
            )
        # This class waits for all children: the object must not do it too.
        process.returncode = 0
        self._running[process.pid] = program

    def _collect(self, options: int) -> None:
        """Waits for a child; orphans of any program are children as well."""
        ended, status = os.waitpid(-1, options)
        program = self._running.pop(ended, None)
        if program is None:
            return
        code = os.waitstatus_to_exitcode(status)
        print(f"{program.name} ended with {code}", file=sys.stderr, flush=True)
        if self._starts[program.name] > _RESTARTS:
            raise SystemExit(f"{program.name} ended {_RESTARTS} times: giving up")
        time.sleep(_PAUSE * self._starts[program.name])
        self._start(program)


def _is_api_ready() -> bool:
    trust = ssl.create_default_context(cafile=str(_LAB / "pki/ca.crt"))
    trust.load_cert_chain(_LAB / "pki/admin-client.crt", _LAB / "pki/admin-client.key")
    connection = http.client.HTTPSConnection("127.0.0.1", 6443, timeout=5, context=trust)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
