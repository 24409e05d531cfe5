"""What the first process of a lab has to start: programs with their arguments.

Paths below /run/lab are the lab's directory as its own processes see it.
"""

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from string import Template

from tests.lab import tools
from tests.lab.addresses import Addresses

_CONFIG = Path(__file__).parent / "config"
_ETCD = "http://127.0.0.1:2379"
_VOLUMES = 16  # a released one is not used again: enough for many installs of the chart


@dataclass(frozen=True, slots=True)
class Program:
    """One program of the lab; its log has its name."""

    name: str
    command: tuple[str, ...]
    needs_api: bool = True  # started only once the API server is ready


@dataclass(frozen=True, slots=True)
class Plan:
    """All that the first process needs to know."""

    directory: str
    node: str
    host: str
    cgroup: str
    path: str
    programs: tuple[Program, ...]

    def dump(self) -> str:
        """The plan as JSON."""
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def load(cls, text: str) -> "Plan":
        """The plan that `dump` wrote."""
        fields = json.loads(text)
        fields["programs"] = tuple(
            Program(p["name"], tuple(p["command"]), p["needs_api"]) for p in fields["programs"]
        )
        return cls(**fields)


def write(directory: Path, addresses: Addresses, pause: str) -> Plan:
    """Writes the configuration of every program, and the plan, into the directory."""
    values = {
        "pause": pause,
        "cni": str(tools.ensure("cni")),
        "cgroup": addresses.cgroup,
        "dns": addresses.dns,
        "node": addresses.node,
        "pods": addresses.pods,
    }
    for name in ("containerd.toml", "kubelet.yaml", "Corefile", "cluster.yaml"):
        (directory / name).write_text(_filled(name, values))
    shutil.copy(_CONFIG / "containerd.sh", directory)
    with (directory / "cluster.yaml").open("a") as file:
        for number in range(_VOLUMES):
            file.write(_filled("volume.yaml", {"number": str(number)}))
            (directory / "pv" / str(number)).mkdir(parents=True)
    (directory / "cni").mkdir()
    (directory / "cni" / "10-pod.conflist").write_text(_filled("cni.conflist", values))
    (directory / "hosts").write_text(f"127.0.0.1 localhost\n{addresses.node} node1\n")
    (directory / "resolv.conf").write_text(f"nameserver {addresses.dns}\n")
    plan = Plan(
        directory=str(directory),
        node=addresses.node,
        host=addresses.host,
        cgroup=addresses.cgroup,
        path=_search_path(),
        programs=_programs(addresses),
    )
    (directory / "plan.json").write_text(plan.dump())
    return plan


def _filled(name: str, values: dict[str, str]) -> str:
    return Template((_CONFIG / name).read_text()).substitute(values)


def _search_path() -> str:
    """Where containerd, the kubelet and kube-proxy find their own helpers."""
    helpers = ("runc", "iptables", "conntrack", "ethtool", "socat", "ip")
    own = {str(tools.ensure(name).parent) for name in helpers}
    return ":".join([*sorted(own), "/usr/sbin", "/usr/bin", "/sbin", "/bin"])


def _programs(addresses: Addresses) -> tuple[Program, ...]:
    def program(name: str, *arguments: str, needs_api: bool = True) -> Program:
        return Program(name, (str(tools.ensure(name)), *arguments), needs_api)

    return (
        program("etcd", *_etcd(), needs_api=False),
        program("kube-apiserver", *_api_server(addresses), needs_api=False),
        Program("containerd", _containerd(), needs_api=False),
        program("kubelet", *_kubelet(addresses)),
        program("kube-controller-manager", *_controller_manager()),
        program("kube-scheduler", *_client("kube-scheduler"), "--leader-elect=false"),
        program("kube-proxy", *_proxy(addresses)),
        program("coredns", "-conf=/run/lab/Corefile"),
    )


def _client(name: str) -> tuple[str, ...]:
    return (f"--kubeconfig=/run/lab/{name}.kubeconfig",)


def _etcd() -> tuple[str, ...]:
    return (
        "--data-dir=/var/lib/etcd",  # a tmpfs: nothing of a lab outlives it
        f"--listen-client-urls={_ETCD}",
        f"--advertise-client-urls={_ETCD}",
        "--listen-peer-urls=http://127.0.0.1:2380",
    )


def _containerd() -> tuple[str, ...]:
    programs = (str(tools.ensure(name)) for name in ("containerd", "ctr"))
    return ("sh", "/run/lab/containerd.sh", *programs)


def _api_server(addresses: Addresses) -> tuple[str, ...]:
    pki = "/run/lab/pki"
    return (
        f"--etcd-servers={_ETCD}",
        "--secure-port=6443",
        "--bind-address=0.0.0.0",
        f"--advertise-address={addresses.node}",
        f"--service-cluster-ip-range={addresses.services}",
        f"--tls-cert-file={pki}/apiserver.crt",
        f"--tls-private-key-file={pki}/apiserver.key",
        f"--client-ca-file={pki}/ca.crt",
        f"--kubelet-certificate-authority={pki}/ca.crt",
        f"--kubelet-client-certificate={pki}/admin-client.crt",
        f"--kubelet-client-key={pki}/admin-client.key",
        "--kubelet-preferred-address-types=InternalIP",
        f"--service-account-key-file={pki}/sa.key",
        f"--service-account-signing-key-file={pki}/sa.key",
        "--service-account-issuer=https://kubernetes.default.svc",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--allow-privileged=true",
    )


def _controller_manager() -> tuple[str, ...]:
    return (
        *_client("kube-controller-manager"),
        "--service-account-private-key-file=/run/lab/pki/sa.key",
        "--root-ca-file=/run/lab/pki/ca.crt",
        "--use-service-account-credentials",
        "--leader-elect=false",
    )


def _kubelet(addresses: Addresses) -> tuple[str, ...]:
    return (
        *_client("kubelet"),
        "--config=/run/lab/kubelet.yaml",
        "--hostname-override=node1",
        "--root-dir=/run/lab/kubelet",
        f"--node-ip={addresses.node}",
    )


def _proxy(addresses: Addresses) -> tuple[str, ...]:
    return (
        *_client("kube-proxy"),
        "--hostname-override=node1",
        "--proxy-mode=iptables",
        f"--cluster-cidr={addresses.pods}",
        # 0 leaves the kernel's own settings alone: they belong to the whole machine.
        "--conntrack-max-per-core=0",
        "--conntrack-tcp-timeout-established=0",
        "--conntrack-tcp-timeout-close-wait=0",
    )
