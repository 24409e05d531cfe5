"""The Python that the operator's image ships: `python -m tests.lab.shipped ARGUMENT...` runs it.

It is found on this machine (PATH, pyenv, uv), installed as a Debian package where there is one,
or run in a Debian file system of the lab. Its virtual environment lies beside `.venv`.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.lab import apt, cache, rootfs, venv
from tests.lab.errors import LabError
from tests.lab.shell import run

_PROJECT = Path(__file__).parents[2]
_DOCKERFILE = _PROJECT / "operator" / "Dockerfile"
_BASE = re.compile(r"^ARG BASE=python:(\d+\.\d+)", re.MULTILINE)
_OF_TRIXIE = "3.13"
_READY = ".ready"
_ENTER = Path(__file__).parent / "within.sh"


@dataclass(frozen=True, slots=True)
class Python:
    """An interpreter, and what goes before a command that it is to run in."""

    program: str
    within: tuple[str, ...] = ()


def version(dockerfile: str) -> str:
    """The Python of the image's base, as 3.13."""
    found = _BASE.search(dockerfile)
    if found is None:
        raise LabError("operator/Dockerfile does not say which Python it ships (ARG BASE=python:)")
    return found[1]


def command(arguments: Sequence[str]) -> list[str]:
    """How to run the shipped Python, in an environment that is made if it is absent.

    Raises LabError if this machine cannot have it.
    """
    wanted = version(_DOCKERFILE.read_text())
    folder = _PROJECT / f".venv-{wanted}"
    with cache.locked(folder.name):
        python = found(wanted)
        made_of = cache.key(repr(python), (_PROJECT / "pyproject.toml").read_bytes())
        marker = folder / _READY
        if not marker.exists() or marker.read_text() != made_of:
            cache.remove(folder)
            venv.make(folder, [python.program], python.within)
            marker.write_text(made_of)
    return [*python.within, str(folder / "bin" / "python"), *arguments]


def found(wanted: str) -> Python:
    """A Python of this version: of this machine, or of a package, or in a file system."""
    for program in _here(wanted):
        if _is(program, wanted):
            return Python(program)
    if os.geteuid() == 0 and _has_package(f"python{wanted}"):
        apt.install(f"python{wanted}-venv")
        return Python(f"/usr/bin/python{wanted}")
    if os.geteuid() == 0 and wanted == _OF_TRIXIE:
        file_system = rootfs.trixie("ca-certificates", "python3", "python3-venv")
        bundle = str(rootfs.host_bundle() or "")
        within = ("sh", str(_ENTER), str(file_system), str(_PROJECT), bundle)
        return Python("/usr/bin/python3", ("unshare", "--mount", "--propagation=private", *within))
    raise LabError(
        f"no Python {wanted} here, which the operator's image ships: none on PATH, of pyenv or of "
        "uv, and only root on Debian or Ubuntu can get one by itself"
    )


def _here(wanted: str) -> Iterator[str]:
    """Where one may be; of pyenv and uv also those that are not switched on."""
    if on_path := shutil.which(f"python{wanted}"):
        yield on_path
    home = Path.home()
    pyenv = Path(os.environ.get("PYENV_ROOT") or home / ".pyenv") / "versions"
    uv = Path(os.environ.get("UV_PYTHON_INSTALL_DIR") or home / ".local/share/uv/python")
    for folder, pattern in ((pyenv, f"{wanted}.*"), (uv, f"cpython-{wanted}.*")):
        yield from (str(path / f"bin/python{wanted}") for path in sorted(folder.glob(pattern)))


def _is(program: str, wanted: str) -> bool:
    """Does it run? A shim of pyenv may stand for a version that is not switched on."""
    try:
        said = run([program, "-c", "import sys, venv; print(sys.version_info[:2])"], timeout=60)
    except LabError:
        return False
    return said.strip() == str(tuple(map(int, wanted.split("."))))


def _has_package(name: str) -> bool:
    try:
        said = run(["apt-cache", "policy", name], timeout=60)
    except LabError:
        return False
    return "Candidate:" in said and "Candidate: (none)" not in said


def main() -> int:
    """Runs it with the arguments; where there cannot be one, says so and counts as skipped."""
    try:
        words = command(sys.argv[1:])
    except LabError as exc:
        print(f"{exc}\n1 skipped")
        return 0
    return subprocess.run(words, cwd=_PROJECT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
