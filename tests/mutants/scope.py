"""What is changed, and which tests are asked. The one list; what is absent is passed over."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

PACKAGE = "cyroid_images"
SOURCE_ROOT = "operator"
MODULES = (
    "plan/**/*.py",
    "observe/**/*.py",
    "model/kinds/conditions.py",
    "model/images/digest.py",
    "model/kinds/duration.py",
    "model/images/platform.py",
    "model/images/reference.py",
    "model/images/repository.py",
    "model/kinds/selector.py",
)
"""Everything that decides, below the package."""
TESTS = (
    "tests/unit/plan",
    "tests/unit/observe",
    "tests/unit/model",
    "tests/unit/test_errors.py",
    "tests/test_generated.py",
)
"""The tests that must notice. Each mutant meets only those of them that run its line."""
OF_CONSTANTS = "tests/test_generated.py"
"""Meets each change of a constant besides: the limits of the models are in the CRDs."""


def modules(project: Path, only: str = "*") -> Iterator[Path]:
    """The files to change whose path below the package fits the pattern."""
    package = project / SOURCE_ROOT / PACKAGE
    for path in sorted({path for pattern in MODULES for path in package.glob(pattern)}):
        if fnmatch(str(path.relative_to(package)), only):
            yield path


def tests(project: Path) -> list[str]:
    """The tests of TESTS that there are, as pytest takes them."""
    return [name for name in TESTS if (project / name).exists()]
