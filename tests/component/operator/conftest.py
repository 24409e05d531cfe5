"""Operators as processes on an API server of their own: who leads, and what a start needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cyroid_images.kube import rights
from cyroid_images.kube.rights import Right
from tests.parts.apiserver import ApiServerPart, running_api_server
from tests.parts.identity import OWN_NAMESPACE, grant
from tests.parts.operator import OperatorPart

MakeOperator = Callable[..., OperatorPart]


@pytest.fixture(scope="session")
def apiserver() -> Iterator[ApiServerPart]:
    """An API server without our kinds, at first."""
    with running_api_server() as part:
        yield part


@pytest.fixture(scope="session")
def kubeconfig(apiserver: ApiServerPart) -> Path:
    return grant(apiserver, "leading-operator", rights.needed(OWN_NAMESPACE))


@pytest.fixture
def make_operator(tmp_path: Path, kubeconfig: Path) -> Iterator[MakeOperator]:
    """Operators with a Lease of a few seconds; all end with the test."""
    made: list[OperatorPart] = []

    def make(name: str, identity: Path = kubeconfig) -> OperatorPart:
        folder = tmp_path / name
        folder.mkdir()
        part = OperatorPart(folder, identity, OWN_NAMESPACE)
        part.settings |= {"CYROID_LEASE_SECONDS": "3", "CYROID_IDENTITY": name}
        made.append(part)
        return part

    yield make
    for part in made:
        part.kill()


@pytest.fixture(scope="session")
def all_but_pods(apiserver: ApiServerPart) -> Path:
    """An identity that lacks one right."""
    needed = rights.needed(OWN_NAMESPACE)
    lacking = [right for right in needed if right != Right("watch", "", "pods")]
    return grant(apiserver, "lacking-operator", lacking)
