"""Virtual environments with what the project and its tests need: `python -m tests.lab.venv FOLDER`.

Run by the Makefile with whatever Python there is, so nothing but the standard library is imported.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from tests.lab import apt
from tests.lab.errors import LabError
from tests.lab.progress import told
from tests.lab.shell import follow

_MINUTES = 1800.0  # seconds at most for a slow line


def make(folder: Path, python: Sequence[object], within: Sequence[object] = ()) -> None:
    """Makes the environment, or brings it up to date; `within` goes before each command."""
    with told(f"installing Python packages into {folder.name}") as work:
        venv = [*within, *python, "-m", "venv", folder]
        try:
            follow(venv, work.says)
        except LabError as exc:
            if within or "ensurepip" not in str(exc):
                raise
            apt.install("python3-venv")  # Debian keeps it apart
            follow(venv, work.says)
        pip = [*within, folder / "bin/python", "-m", "pip", "install"]
        follow([*pip, "--editable", ".[test]"], work.says, timeout=_MINUTES)


def main() -> int:
    """Makes the environment that is named, with the Python that runs this."""
    try:
        make(Path(sys.argv[1]), [sys.executable])
    except LabError as exc:
        print(exc, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
