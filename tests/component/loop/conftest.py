"""The whole operator: a real process, API server, registry and engines; no kubelet."""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from cyroid_images.kube import rights
from tests.parts.apiserver import ApiServerPart, running_api_server
from tests.parts.engines import KEPT, EnginePart
from tests.parts.identity import OWN_NAMESPACE, grant
from tests.parts.operator import OperatorPart
from tests.parts.people_api import (
    People,
    PeopleApiPart,
    api_account,
    people,
    running_people_api,
)
from tests.parts.registry import CREDENTIALS
from tests.parts.save_tars import noise
from tests.parts.site import PUSH_SECRET, Site

UPSTREAM_SECRET = "cyroid-upstream"
WRONG_SECRET = "cyroid-wrong"
CA_SECRET = "cyroid-ca"
"""For a test that makes it: whom the operator is to trust."""
WRONG_PASSWORD = "not the password"

_numbers = count(1)


@pytest.fixture(scope="session")
def apiserver() -> Iterator[ApiServerPart]:
    """An API server of our own: the operator writes to every object that it sees."""
    with running_api_server() as part:
        yield part


@pytest.fixture(scope="session")
def containerd_engine(docker29_engine: EnginePart) -> EnginePart:
    """What people run; how 26 and 28 differ is told in tests/component/engine and transfer."""
    return docker29_engine


@pytest.fixture(scope="session")
def operator_process(apiserver: ApiServerPart) -> Iterator[OperatorPart]:
    """The operator of the session, with exactly the rights that it says it needs."""
    apiserver.install_crds()
    names = [PUSH_SECRET, "cyroid-docker-client", UPSTREAM_SECRET, WRONG_SECRET, CA_SECRET]
    kubeconfig = grant(apiserver, "loop-operator", rights.needed(OWN_NAMESPACE, names))
    for name in (PUSH_SECRET, UPSTREAM_SECRET):
        _put_secret(apiserver, name, CREDENTIALS.password)
    _put_secret(apiserver, WRONG_SECRET, WRONG_PASSWORD)
    with tempfile.TemporaryDirectory(prefix="cyroid-operator-") as folder:
        part = OperatorPart(Path(folder), kubeconfig, OWN_NAMESPACE)
        try:
            yield part
        finally:
            part.kill()


def _put_secret(apiserver: ApiServerPart, name: str, password: str) -> None:
    """A Secret of type basic-auth in the operator's namespace."""
    texts = {"username": CREDENTIALS.username, "password": password}
    encoded = {key: base64.b64encode(text.encode()).decode() for key, text in texts.items()}
    secret = {"metadata": {"name": name}, "data": encoded}
    apiserver.call("POST", f"/api/v1/namespaces/{OWN_NAMESPACE}/secrets", secret)


@pytest.fixture(scope="session")
def api(apiserver: ApiServerPart) -> Iterator[PeopleApiPart]:
    """The REST API beside the operator."""
    apiserver.install_crds()
    with running_people_api(api_account(apiserver)) as part:
        yield part


@pytest.fixture(scope="session")
def accounts(apiserver: ApiServerPart) -> People:
    """A token per role of people."""
    return people(apiserver)


@pytest.fixture
def operator(operator_process: OperatorPart) -> Iterator[OperatorPart]:
    """The operator, running; a defect in its log or its password there fails the test."""
    began = operator_process.log_size()
    operator_process.start()
    yield operator_process
    said = operator_process.log(began)
    assert "Traceback" not in said, said
    assert CREDENTIALS.password not in said


@pytest.fixture
def site(
    apiserver: ApiServerPart, operator: OperatorPart, classic_engine: EnginePart
) -> Iterator[Site]:
    """A namespace, and names that no other test uses; the source is Docker 26, classic."""
    site = Site(f"loop-{next(_numbers)}", apiserver, operator, classic_engine)
    apiserver.put_namespace(site.name, {"cyroid.io/ranges": "true"})
    yield site
    site.remove_all()


@pytest.fixture(scope="session")
def big_image(classic_engine: EnginePart) -> str:
    """150 MB that no compression makes smaller, in the source: for what happens in mid-transfer."""
    name = f"{KEPT}/windows:1"
    classic_engine.load_image(name, ({"disk": noise(150_000_000, 5)},))
    return name
