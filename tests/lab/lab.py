"""Starting, finding and ending labs: what demo, tests and people call."""

import json
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.lab import addresses, cache, images, keeper, node, startup, tools
from tests.lab.addresses import Addresses
from tests.lab.errors import LabError
from tests.lab.processes import Process
from tests.lab.progress import Progress, step
from tests.lab.shell import run

_VALUES = Path(__file__).parent / "values.yaml"
_DEFAULT = "default"
_INDEX = "index"
_IMAGES = "images.json"
_ORDERLY = 30.0  # seconds for a keeper to end its lab and clean up; 2 were measured
_HIDDEN = ("/run", "/var/lib", "/var/log", "/proc", "/sys")  # a lab has its own there


@dataclass(frozen=True, slots=True)
class Lab:
    """A running lab and the ways to it."""

    name: str
    directory: Path
    cache: Path
    kubeconfig: Path
    kubectl: Path
    helm: Path
    images: Mapping[str, str]
    node_address: str
    host_address: str

    @property
    def environment(self) -> dict[str, str]:
        """What kubectl and helm need to reach this lab and leave nothing at home."""
        reached = ",".join(filter(None, (os.environ.get("NO_PROXY"), self.node_address)))
        return {
            "KUBECONFIG": str(self.kubeconfig),
            "KUBECACHEDIR": str(self.directory / "kubectl-cache"),
            "HELM_CACHE_HOME": str(self.directory / "helm-cache"),
            "HELM_CONFIG_HOME": str(self.directory / "helm-config"),
            "HELM_DATA_HOME": str(self.directory / "helm-data"),
            "NO_PROXY": reached,
        }

    @property
    def chart_arguments(self) -> list[str]:
        """What `helm install` needs to install our chart with the lab's images."""
        tags = {"operator": "operator", "registry": "registry", "builder": "dind"}
        chosen = (
            f"--set-string={part}.image.tag={self.images[image].rpartition(':')[2]}"
            for part, image in tags.items()
        )
        return ["--values", str(_VALUES), *chosen]

    def run_helm(self, *arguments: str, timeout: float = 300) -> str:
        """What helm with these arguments says; LabError if it fails."""
        env = {**os.environ, **self.environment}
        return run([self.helm, *arguments], env=env, timeout=timeout)

    def run_kubectl(self, *arguments: str, stdin: str | None = None, timeout: float = 60) -> str:
        """What kubectl with these arguments says; LabError if it fails."""
        env = {**os.environ, **self.environment}
        return run([self.kubectl, *arguments], env=env, stdin=stdin, timeout=timeout)


def up(name: str = _DEFAULT, progress: Progress = print) -> Lab:
    """The lab of this name: running, with all images in it and its node Ready.

    May be called again at any time; images that changed since are imported. If
    it fails or is interrupted, nothing of the lab is left.
    """
    _check_machine()
    with step(progress, "tools"):
        for tool in (*tools.GO, *tools.PACKAGES):
            tools.ensure(tool)  # tells by itself of what takes long
    with step(progress, "images"):
        references: dict[str, str] = {}
        for image in images.available():
            references |= images.ensure([image])
    directory = _directory(name)
    with cache.locked(f"lab-{name}"):
        if not _is_running(directory):
            _end(directory)
            try:
                startup.start(directory, _reserve(directory), references, progress)
            except BaseException:  # Ctrl-C too
                _end(directory)
                raise
        else:
            startup.refresh(directory, references, progress)
        (directory / _IMAGES).write_text(json.dumps(references))
    lab = find(name)
    assert lab is not None
    return lab


def find(name: str = _DEFAULT) -> Lab | None:
    """The lab of this name, if it runs."""
    directory = _directory(name)
    if not _is_running(directory) or not (directory / _IMAGES).exists():
        return None
    own = Addresses(int((directory / _INDEX).read_text()))
    return Lab(
        name=name,
        directory=directory,
        cache=cache.root(),
        kubeconfig=directory / "kubeconfig",
        kubectl=tools.ensure("kubectl"),
        helm=tools.ensure("helm"),
        images=json.loads((directory / _IMAGES).read_text()),
        node_address=own.node,
        host_address=own.host,
    )


def down(name: str = _DEFAULT, *, forget: bool = False) -> bool:
    """Ends the lab; whether there was anything to end.

    `forget` also removes the images that were imported into it; otherwise they
    stay in the cache and the next start is faster.
    """
    directory = _directory(name)
    with cache.locked(f"lab-{name}"):
        ended = _end(directory)
        if forget:
            cache.remove(directory)
    return ended


def names() -> list[str]:
    """The names of the labs that run."""
    folder = cache.root() / "labs"
    return sorted(path.name for path in folder.glob("*") if _is_running(path))


def _directory(name: str) -> Path:
    if not name.replace("-", "").isalnum():
        raise LabError(f"{name!r} is no name for a lab: letters, digits and - only")
    return cache.root() / "labs" / name


def _check_machine() -> None:
    if sys.platform != "linux" or os.geteuid() != 0:
        raise LabError(
            "the lab needs Linux, root and Go; without them, run on a cluster that you have: "
            "make demo KUBECONFIG=..."
        )
    if any(cache.root().is_relative_to(hidden) for hidden in _HIDDEN):
        raise LabError(f"the cache must not lie below {', '.join(_HIDDEN)}: set CYROID_LAB_CACHE")


def _reserve(directory: Path) -> Addresses:
    """Addresses that no other lab has, noted in this lab's directory."""
    with cache.locked("labs"):
        others = directory.parent.glob("*/index")
        own = addresses.free({int(path.read_text()) for path in others})
        directory.mkdir(parents=True, exist_ok=True)
        (directory / _INDEX).write_text(str(own.index))
    return own


def _is_running(directory: Path) -> bool:
    process = Process.read(directory / keeper.IDENTITY)
    return process is not None and process.is_alive()


def _end(directory: Path) -> bool:
    """Ends what runs and removes what is left of it, also of one that crashed."""
    if not (directory / _INDEX).exists():
        return False
    own = Addresses(int((directory / _INDEX).read_text()))
    keeping = Process.read(directory / keeper.IDENTITY)
    first = Process.read(directory / node.IDENTITY)
    if keeping:
        keeping.send(signal.SIGTERM)
        if not keeping.wait(_ORDERLY):
            keeping.send(signal.SIGKILL)
    if first:  # ended by its keeper, unless that one was killed
        first.send(signal.SIGKILL)
        first.wait()
    if (directory / _INDEX).exists():
        keeper.clean(directory, own)
    return True
