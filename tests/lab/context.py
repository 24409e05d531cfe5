"""The build context of a Dockerfile: only the files that it copies.

With the whole project as context every edit of a document would be a new
image. Files that git ignores never get in.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.lab.errors import LabError
from tests.lab.shell import run


def files(project: Path, dockerfile: Path) -> list[Path]:
    """The paths, relative to the project, of the Dockerfile and all it copies."""
    wanted = [str(dockerfile.relative_to(project)), *_copied(dockerfile.read_text())]
    pathspecs = [word.rstrip("/") or "." for word in wanted]
    command = ["git", "-C", project, "ls-files", "-z", "--cached", "--others"]
    try:
        listed = run([*command, "--exclude-standard", "--", *pathspecs]).split("\0")
        paths = {Path(name) for name in listed if name}
    except LabError:  # an unpacked source archive has no git
        paths = set(_walked(project, pathspecs))
    return sorted(path for path in paths if (project / path).is_file())


@contextmanager
def copied(project: Path, paths: list[Path]) -> Iterator[Path]:
    """A temporary directory with copies of these files."""
    with tempfile.TemporaryDirectory(prefix="cyroid-lab-") as folder:
        for path in paths:
            target = Path(folder, path)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(project / path, target)
        yield Path(folder)


def _copied(dockerfile: str) -> Iterator[str]:
    """What COPY and ADD take from the context, stages not counted."""
    for line in dockerfile.replace("\\\n", " ").splitlines():
        words = line.split()
        if words and words[0].upper() in {"COPY", "ADD"} and "--from=" not in line:
            sources = [word for word in words[1:-1] if not word.startswith("--")]
            yield from (word.removeprefix("./") or "." for word in sources)


def _walked(project: Path, patterns: list[str]) -> Iterator[Path]:
    for pattern in patterns:
        for top in project.glob(pattern) if pattern != "." else [project]:
            for path in top.rglob("*") if top.is_dir() else [top]:
                if path.is_file() and "__pycache__" not in path.parts:
                    yield path.relative_to(project)
