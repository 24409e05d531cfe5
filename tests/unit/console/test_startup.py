"""`--help` and completion import nothing that takes time: as a whole process, by what it loads."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("pydantic", "kubernetes", "kopf", "urllib3", "yaml", "rich", "httpx", "aiohttp", "ssl")
PROGRAM = """
import sys
from cyroid_images.console.program import main
try:
    main({arguments!r})
except SystemExit as exc:
    assert not exc.code, exc.code
print(sorted(name for name in {heavy!r} if name in sys.modules), file=sys.stderr)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments", [["--help"], ["status", "--help"], ["completion", "bash"], ["version", "--client"]]
)
def test_what_asks_no_cluster_loads_nothing_heavy(arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(arguments=arguments, heavy=HEAVY)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stderr.strip() == "[]"
