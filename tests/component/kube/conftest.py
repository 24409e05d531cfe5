"""An operator's identity on the real API server, with exactly the rights that it asks for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cyroid_images.kube import rights
from tests.parts.apiserver import ApiServerPart
from tests.parts.identity import OWN_NAMESPACE, grant


@pytest.fixture(scope="session")
def crds(apiserver: ApiServerPart) -> ApiServerPart:
    """The API server with both of our kinds."""
    apiserver.install_crds()
    return apiserver


@pytest.fixture(scope="session")
def operator(crds: ApiServerPart) -> Path:
    """The kubeconfig of a service account that may do what `rights.needed` lists, no more."""
    return grant(crds, "operator", rights.needed(OWN_NAMESPACE, ["known", "absent"]))


@pytest.fixture
def stranger(crds: ApiServerPart) -> Path:
    """The kubeconfig of a service account without any right."""
    return grant(crds, "stranger", ())


@pytest.fixture
def resumed(crds: ApiServerPart) -> Iterator[ApiServerPart]:
    """For tests that stop or pause the API server: it runs again afterwards, whatever happens."""
    yield crds
    crds.resume() if crds.is_running else crds.start()
