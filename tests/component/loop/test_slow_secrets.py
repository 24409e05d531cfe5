"""What is known of a Secret serves while the API server is slow to give it again.

The operator of these tests reaches the API server through a fault proxy; the tests do not.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from cyroid_images.kube import rights
from tests.parts.api_proxy import before_api_server
from tests.parts.apiserver import ApiServerPart
from tests.parts.engines import EnginePart
from tests.parts.identity import OWN_NAMESPACE, grant
from tests.parts.operator import OperatorPart
from tests.parts.proxy import Change, FaultProxy
from tests.parts.registry import RegistryPart
from tests.parts.site import PUSH_SECRET, Site, condition

pytestmark = pytest.mark.slow

SECRETS = ".*/secrets/.*"
WATCHED_SECONDS = 45
"""Longer than the operator goes by what it has read of a Secret."""


@pytest.fixture(scope="module")
def proxied(
    apiserver: ApiServerPart, operator_process: OperatorPart
) -> Iterator[tuple[FaultProxy, OperatorPart]]:
    """An operator behind a proxy, in place of the one of the session."""
    if operator_process.is_running():
        operator_process.stop()
    wanted = rights.needed(OWN_NAMESPACE, [PUSH_SECRET, "cyroid-docker-client"])
    kubeconfig = grant(apiserver, "slow-secrets-operator", wanted)
    with (
        before_api_server(kubeconfig) as (proxy, path),
        tempfile.TemporaryDirectory(prefix="cyroid-slow-secrets-") as folder,
    ):
        part = OperatorPart(Path(folder), path, OWN_NAMESPACE)
        try:
            yield proxy, part
        finally:
            part.kill()


@pytest.fixture
def operator(proxied: tuple[FaultProxy, OperatorPart]) -> Iterator[OperatorPart]:
    """The operator behind the proxy, whose way is well again afterwards."""
    way, part = proxied
    part.start()
    yield part
    way.heal()


@pytest.mark.row("K1", "P7")
def test_b11_a_secret_that_is_slow_to_come_again_is_no_outage_of_the_registry(
    site: Site,
    proxied: tuple[FaultProxy, OperatorPart],
    registry: RegistryPart,
    containerd_engine: EnginePart,
) -> None:
    way, _ = proxied
    site.cache(registry, images=[{"image": site.image("first:1")}])
    site.until_cache(Ready="True")
    way.on("GET", SECRETS, Change(silent_at=0))
    with closing(site.api.versions(site.cache_path, WATCHED_SECONDS)) as versions:
        told = [condition(each, "RegistryAvailable") for each in versions]
    assert {each["status"] for each in told} == {"True"}, told[-1]
    site.serve("later", containerd_engine, [site.image("later:1")])
    site.until("later", Ready="True", TarFallback="False", RegistryAvailable="True")
