"""One cluster for all end-to-end tests: the lab, installed by the words of the README."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.demo import busybox, lab_images, ranges
from tests.demo.archive import Image
from tests.demo.builder import fill_builder
from tests.demo.cluster import Cluster, of_lab
from tests.lab import lab
from tests.parts import namespace

LAB = "e2e"
ROOT = Path(__file__).parents[2]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of these take long, and need a machine on which a lab can be made."""
    reason = namespace.why_not()
    for item in items:
        if "e2e" in item.path.parts:
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.lab)
            if reason:
                item.add_marker(pytest.mark.skip(reason=f"the lab {reason}"))


def readme_commands() -> list[list[str]]:
    """The commands of the README's installation, word by word."""
    text = (ROOT / "README.md").read_text()
    block = re.search(r"<!-- run by tests/e2e -->\n```sh\n(.*?)```", text, re.DOTALL)
    assert block is not None, "the README has lost its installation"
    return [shlex.split(line) for line in block[1].splitlines() if line]


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """The lab with the chart installed as the README says, plus the names of its own images."""
    running = of_lab(lab.up(LAB, lambda line: print(line, flush=True)))
    try:
        install = readme_commands()[0]
        assert install[0] == "helm"
        words = [str(ROOT / word) if word.startswith("charts/") else word for word in install[1:]]
        running.helm(*words, *running.chart_arguments)
        yield running
    finally:
        lab.down(LAB)


@pytest.fixture(scope="session")
def images(cluster: Cluster) -> list[str]:
    """The five images of red-team-training-lab-v2, in the builder; one has 220 MB."""

    def make(architecture: str) -> list[Image]:
        return lab_images.images(busybox.find(architecture, may_install=True))

    fill_builder(cluster, make)
    return lab_images.all_references()


@pytest.fixture
def fresh_namespace(cluster: Cluster) -> str:
    """An empty namespace for ranges; what an earlier test left in it is removed."""
    ranges.make_namespace(cluster)
    return ranges.NAMESPACE
