"""Docker engines as file systems to start dockerd in: one per line of versions that people run.

A file system is a tuple of read-only directories, the topmost first, as overlayfs takes them.
26 and 28 are Debian's packages (trixie's 26.1, forky's). Of the 29 line Debian has none, so
dockerd and its containerd are built from the Go module beside this file; they run over forky,
whose runc they need (1.1 of trixie cannot start containers for them).
"""

import platform
import re
from pathlib import Path

from tests.lab import cache, rootfs, tools
from tests.lab.errors import LabError

VERSIONS = ("26", "28", "29")
_PACKAGES = ("ca-certificates", "docker-cli", "docker.io", "iptables")
_MODULE = Path(__file__).parent / "docker29"
_BUILT = "29.0.0-beta.24"  # moby v2.0.0-beta.24 of go.mod: what 29 became is made from it
_LINKER_FLAGS = f"-s -w -X github.com/moby/moby/v2/dockerversion.Version={_BUILT}"
_PROGRAMS = {
    "dockerd": "github.com/moby/moby/v2/cmd/dockerd",
    "containerd": "github.com/containerd/containerd/v2/cmd/containerd",
    "containerd-shim-runc-v2": "github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2",
}


def layers(version: str) -> tuple[Path, ...]:
    """The file system of this version, made if it is absent; nobody may write into it."""
    if version == "26":
        return (rootfs.trixie(*_PACKAGES),)
    if version == "28":
        return (_forky(),)
    if version == "29":
        return (_programs(), _forky())
    raise LabError(f"the lab knows no Docker {version!r}; it has {', '.join(VERSIONS)}")


def fetch() -> None:
    """Makes all of them; a step that takes its time is told when it begins."""
    for version in VERSIONS:
        layers(version)


def _forky() -> Path:
    path = rootfs.forky(*_PACKAGES)
    status = (path / "var/lib/dpkg/status").read_text()
    version = re.search(r"^Package: docker\.io\n(?:.+\n)*?Version: (\d+)", status, re.MULTILINE)
    if version is None or int(version[1]) < 28:
        raise LabError(f"forky should have Docker 28 or newer, and has {version and version[1]}")
    return path


def _programs() -> Path:
    """A directory with the built programs where dockerd looks for them first."""
    path = _built_path()
    if path.exists():
        return path
    with cache.locked("go-build"):  # two at once only share the processor and the memory
        return cache.made(path, _build)


def _built_path() -> Path:
    sources = sorted(path for path in _MODULE.iterdir() if path.is_file())
    content = (path.read_bytes() for path in sources)
    key = cache.key(platform.machine(), _LINKER_FLAGS, *content)
    return cache.root() / "rootfs" / f"docker29-{key}"


def _build(directory: Path) -> None:
    folder = directory / "usr/local/bin"
    folder.mkdir(parents=True)
    for name, package in _PROGRAMS.items():
        tools.go_build(_MODULE, package, folder / name, _LINKER_FLAGS)
