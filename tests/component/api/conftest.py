"""The real API process on a real API server and registry; statuses are written by the tests."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.component.api.world import ApiWorld
from tests.parts.apiserver import ApiServerPart, running_api_server
from tests.parts.people_api import People, PeopleApiPart, api_account, people, running_people_api
from tests.parts.registry import RegistryPart

_numbers = count(1)


@pytest.fixture(scope="session")
def apiserver() -> Iterator[ApiServerPart]:
    """An API server of our own, which tests stop and pause."""
    with running_api_server() as part:
        part.install_crds()
        yield part


@pytest.fixture(scope="session")
def accounts(apiserver: ApiServerPart) -> People:
    """A token per role."""
    return people(apiserver)


@pytest.fixture(scope="session")
def account(apiserver: ApiServerPart) -> Path:
    """The API's own."""
    return api_account(apiserver)


@pytest.fixture(scope="session")
def api(account: Path) -> Iterator[PeopleApiPart]:
    """One API for most tests."""
    with running_people_api(account) as part:
        yield part


@pytest.fixture
def own_api(account: Path) -> Iterator[PeopleApiPart]:
    """An API that a test may kill."""
    with running_people_api(account) as part:
        yield part


@pytest.fixture
def world(
    apiserver: ApiServerPart, api: PeopleApiPart, accounts: People, registry: RegistryPart
) -> Iterator[ApiWorld]:
    """A cache and a namespace of names of their own, on a registry that all share."""
    made = ApiWorld(f"api-{next(_numbers)}", apiserver, api, accounts, registry)
    apiserver.put_namespace(made.name)
    yield made
    made.remove_all()
