"""`make demo`, the first thing a stranger types: it ends well and leaves nothing."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.demo.cluster import LAB
from tests.e2e.conftest import ROOT
from tests.lab import lab

WITHIN = 400  # seconds; about 65 with everything cached


@pytest.mark.timeout(WITHIN + 60)
def test_the_demo_tells_its_story_to_the_end() -> None:
    if lab.find(LAB) is not None:
        pytest.skip("a demo of yours is running; `make demo-down` ends it")
    demo = [sys.executable, "-m", "tests.demo"]
    told = subprocess.run(
        demo, cwd=ROOT, timeout=WITHIN, check=False, capture_output=True, text=True
    )
    ended = subprocess.run(
        [*demo, "--down"], cwd=ROOT, timeout=60, check=False, capture_output=True, text=True
    )
    assert told.returncode == 0, told.stdout[-6000:] + told.stderr[-2000:]
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "FALLBACK" in told.stdout
    assert "export KUBECONFIG=" in told.stdout
    _, _, ending = told.stdout.partition("$ kubectl cyroid status")
    assert "range-three" in ending, "the command line shows every range"
    assert "port-forward" in ending
    assert "http://127.0.0.1:" in ending
    assert re.search(r"^ *eyJ[\w-]+\.[\w-]+\.[\w-]+$", ending, re.MULTILINE), "a whole token"
    assert "\x1b[" not in told.stdout, "colour is for terminals"
