"""The programs that a lab is made of: found, installed or built on first use.

Kubernetes, Helm and CoreDNS are built from the Go module beside this file, so
the version is ours wherever the lab runs. The rest comes as Debian packages.
"""

import os
import platform
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from tests.lab import apt, cache
from tests.lab.errors import LabError
from tests.lab.progress import told
from tests.lab.shell import follow, run

MODULE = Path(__file__).parent / "go"
KUBERNETES = "v1.34.4"  # of go.mod; a chart's kubeVersion is compared with it
HELM = "v3.19.5"

GO = {
    "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
    "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
    "kube-scheduler": "k8s.io/kubernetes/cmd/kube-scheduler",
    "kubelet": "k8s.io/kubernetes/cmd/kubelet",
    "kube-proxy": "k8s.io/kubernetes/cmd/kube-proxy",
    "kubectl": "k8s.io/kubernetes/cmd/kubectl",
    "helm": "helm.sh/helm/v3/cmd/helm",
    "coredns": "./dns",
    "pause": "./pause",
}
OWN_MODULES: Mapping[str, tuple[Path, str]] = {
    "registry3": (
        Path(__file__).parent / "registry3",
        "github.com/distribution/distribution/v3/cmd/registry",
    ),
}
"""Programs of the tests alone, each in a Go module of its own: its versions bind no other."""
PACKAGES: Mapping[str, tuple[str, ...]] = {
    "etcd": ("etcd-server",),
    "containerd": ("containerd",),
    "ctr": ("containerd",),
    "runc": ("runc",),
    "dockerd": ("docker.io",),
    "docker": ("docker.io", "docker-cli"),  # trixie has the client in its own package
    "docker-registry": ("docker-registry",),
    "debootstrap": ("debootstrap",),
    "iptables": ("iptables",),
    "conntrack": ("conntrack",),
    "ethtool": ("ethtool",),
    "socat": ("socat",),
    "ip": ("iproute2",),
    "unshare": ("util-linux",),
    "openssl": ("openssl",),
    "cni": ("containernetworking-plugins",),
    "chromium": ("fonts-dejavu-core", "chromium"),  # without a font it draws no letter
}
_LINKER_FLAGS = " ".join(  # a plain `go build` calls itself v0.0.0-master
    (
        "-s -w",
        *(
            f"-X {package}.gitVersion={KUBERNETES} -X {package}.gitMajor=1 "
            f"-X {package}.gitMinor={KUBERNETES.split('.')[1]} -X {package}.gitTreeState=clean"
            for package in ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
        ),
        f"-X helm.sh/helm/v3/internal/version.version={HELM}",
        "-X helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor=1",
        f"-X helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor={KUBERNETES.split('.')[1]}",
        "-X helm.sh/helm/v3/pkg/lint/rules.k8sVersionMajor=1",
        f"-X helm.sh/helm/v3/pkg/lint/rules.k8sVersionMinor={KUBERNETES.split('.')[1]}",
    )
)
_SYSTEM_PATH = "/usr/sbin:/sbin"  # an ordinary shell may leave them out
_CNI_DIRECTORIES = (Path("/usr/lib/cni"), Path("/opt/cni/bin"))


def ensure(name: str) -> Path:
    """The path of the tool, which is installed or built if it is absent.

    Building takes minutes the first time (the API server most of them). Raises
    LabError if the name is unknown or the tool cannot be had on this machine.
    """
    if name in GO or name in OWN_MODULES:
        return _built(name)
    if name not in PACKAGES:
        raise LabError(f"the lab knows no tool {name!r}")
    found = _found(name)
    for package in PACKAGES[name] if not found else ():
        apt.install(package)
        found = _found(name)
        if found:
            break
    if not found:
        raise LabError(f"{name} is still absent after installing {', '.join(PACKAGES[name])}")
    return found


def _found(name: str) -> Path | None:
    if name == "cni":  # a directory of plugins, never on PATH
        return next((path for path in _CNI_DIRECTORIES if (path / "host-local").exists()), None)
    path = shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:{_SYSTEM_PATH}")
    return Path(path) if path else None


def _built(name: str) -> Path:
    module, package = OWN_MODULES.get(name) or (MODULE, GO[name])
    sources = sorted(path for path in module.rglob("*") if path.is_file())
    built_from = cache.key(platform.machine(), _LINKER_FLAGS, *(p.read_bytes() for p in sources))
    path = cache.root() / "bin" / built_from / name
    if path.exists():
        return path
    on_path = _found(name)
    if on_path and _fits(name, on_path):
        return on_path
    with cache.locked("go-build"):  # two at once only share the processor and the memory
        return cache.made(
            path, lambda unfinished: go_build(module, package, unfinished, _LINKER_FLAGS)
        )


def _fits(name: str, path: Path) -> bool:
    """Whether the program says it has our minor version of Kubernetes, or of Helm."""
    own = dict.fromkeys(("coredns", "pause", *OWN_MODULES), None)
    wanted = {"helm": HELM, **own}.get(name, KUBERNETES)
    if wanted is None:
        return False
    question = {"kubectl": ["version", "--client"], "helm": ["version", "--short"]}
    command = [str(path), *question.get(name, ["--version"])]
    try:
        said = run(command, timeout=10)
    except LabError:
        return False
    version = re.search(r"v\d+\.\d+\.", said)
    return version is not None and wanted.startswith(version.group())


def go_build(module: Path, package: str, output: Path, linker_flags: str) -> None:
    """Builds one program of a Go module; a newer Go than the machine's is fetched by Go itself."""
    go = shutil.which("go", path=f"{os.environ.get('PATH', os.defpath)}:/usr/local/go/bin")
    if go is None:
        raise LabError(
            "the lab needs Linux, root and Go; without them, run on a cluster that you have: "
            "make demo KUBECONFIG=..."
        )
    # -v: each package when it is compiled
    options = ["-C", str(module), "-v", "-trimpath", "-ldflags", linker_flags, "-o", str(output)]
    env = {**os.environ, "CGO_ENABLED": "0", "GOWORK": "off", "GOFLAGS": "-buildvcs=false"}
    with told(f"building {package.rpartition('/')[2]}") as work:
        follow([go, "build", *options, package], work.says, timeout=1800, env=env)
