"""The cgroups that belong to a lab, in version 1 and version 2."""

import contextlib
import time
from pathlib import Path

_ROOT = Path("/sys/fs/cgroup")


def make(name: str) -> None:
    """Makes the cgroup in every hierarchy."""
    for hierarchy in _hierarchies():
        # Version 2: the kubelet's limits need the controllers one level up.
        with contextlib.suppress(OSError):
            wanted = (hierarchy / "cgroup.controllers").read_text().split()
            (hierarchy / "cgroup.subtree_control").write_text(" ".join(f"+{c}" for c in wanted))
        (hierarchy / name).mkdir(exist_ok=True)


def remove(name: str) -> None:
    """Removes the cgroup with all below it; its processes must have ended."""
    for path in present(name):
        folders = [folder for folder in path.rglob("*") if folder.is_dir()]
        folders.sort(key=lambda folder: -len(folder.parts))
        for folder in (*folders, path):
            _remove_one(folder)


def present(name: str) -> list[Path]:
    """Where the cgroup exists."""
    paths = (hierarchy / name for hierarchy in _hierarchies())
    return [path for path in paths if path.is_dir()]


def _hierarchies() -> list[Path]:
    if (_ROOT / "cgroup.controllers").exists():
        return [_ROOT]
    # Version 1; cpu and cpuacct may be two names of one hierarchy.
    return [path for path in _ROOT.iterdir() if path.is_dir() and not path.is_symlink()]


def _remove_one(folder: Path) -> None:
    # The kernel still counts a killed process for some milliseconds.
    for _ in range(50):
        try:
            folder.rmdir()
        except FileNotFoundError:
            return
        except OSError:
            time.sleep(0.02)
        else:
            return
