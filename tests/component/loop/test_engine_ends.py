"""Engines that die in mid-pull or refuse TLS: what a user sees of it, and how it heals."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cyroid_images.model.engine import ClientTLS
from tests.parts.apiserver import ApiServerPart
from tests.parts.engine_tls import EngineAuthority
from tests.parts.engines import NewEngine
from tests.parts.identity import OWN_NAMESPACE
from tests.parts.proxy import Line, NewProxy
from tests.parts.registry import RegistryPart
from tests.parts.site import Site, condition, holds

pytestmark = pytest.mark.slow
STORES = pytest.mark.parametrize("containerd_store", [False, True], ids=["classic", "containerd"])
CRAWL = Line(bytes_per_second=15_000)
"""A small image of a site takes seven seconds."""
CLIENT_SECRET = "cyroid-docker-client"
"""Who the operator is to the engines of ranges, by the default of its settings."""


@pytest.mark.row("D2", "P4")
@STORES
def test_an_engine_that_dies_in_mid_pull_is_told_and_filled_when_it_is_back(
    site: Site,
    registry: RegistryPart,
    new_engine: NewEngine,
    new_proxy: NewProxy,
    containerd_store: bool,
) -> None:
    way, engine = new_proxy(registry.pull_host), new_engine(containerd_store=containerd_store)
    image = site.image("died:1")
    site.cache_behind(way, registry, image)
    way.line = CRAWL
    site.serve("died", engine, [image])
    site.until_bytes_come(way, ".*/blobs/.*")
    engine.kill()
    body = site.until(
        "died",
        Ready="False/EngineUnreachable",
        TargetsAvailable="False/EngineUnreachable",
        Reconciling="True",
        at=lambda body: bool(body["status"].get("failures")),
    )
    (failure,) = body["status"]["failures"]
    assert (failure["image"], failure["pod"]) == (image, "dind-died")
    assert failure["reason"] == "TransferInterrupted"
    way.line = Line()
    engine.start()
    assert not holds(engine, image)
    site.until("died", Ready="True/AllImagesPresent", TargetsAvailable="True", seconds=60)
    assert holds(engine, image)


@pytest.fixture
def authorities(tmp_path: Path) -> tuple[EngineAuthority, EngineAuthority]:
    """The CA of the engine, and one that it does not know."""
    return EngineAuthority.make(tmp_path / "known"), EngineAuthority.make(tmp_path / "stranger")


PutClientCertificate = Callable[[ClientTLS], None]


@pytest.fixture
def put_client_certificate(apiserver: ApiServerPart) -> Iterator[PutClientCertificate]:
    """Makes or changes the Secret with the operator's certificate; it is gone afterwards."""
    path = f"/api/v1/namespaces/{OWN_NAMESPACE}/secrets/{CLIENT_SECRET}"

    def put(tls: ClientTLS) -> None:
        texts = {"ca.crt": tls.ca, "tls.crt": tls.certificate, "tls.key": tls.key}
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": CLIENT_SECRET}}
        data = {key: base64.b64encode(text.encode()).decode() for key, text in texts.items()}
        apiserver.call(
            "PATCH",
            f"{path}?fieldManager=tests",
            {**secret, "data": data},
            content_type="application/apply-patch+yaml",
        )

    yield put
    apiserver.call("DELETE", path)


@pytest.mark.row("D8", "P8")
def test_an_engine_that_refuses_our_certificate_is_told_until_the_secret_is_right(
    site: Site,
    registry: RegistryPart,
    new_engine: NewEngine,
    authorities: tuple[EngineAuthority, EngineAuthority],
    put_client_certificate: PutClientCertificate,
) -> None:
    """TLS is what a range gets that says nothing of it; another range goes on meanwhile."""
    known, stranger = authorities
    secured, plain = new_engine(tls=known.server()), new_engine(containerd_store=True)
    put_client_certificate(stranger.client(ca=known.ca))
    images = [site.image("secured:1")]
    site.cache(registry)
    selector = {"matchLabels": {"cyroid.io/range-id": "secured"}}
    site.pod("secured")
    site.ranges(
        "secured",
        secured.port,
        images,
        targets={"selector": selector, "docker": {"port": secured.port}},
    )
    site.serve("plain", plain, images)
    body = site.until(
        "secured",
        Ready="False/TLSRejected",
        TargetsAvailable="False/TLSRejected",
        Stalled="True/TLSRejected",
    )
    told = condition(body, "TargetsAvailable")["message"]
    assert "the engine rejects the operator's client certificate" in told
    site.until("plain", Ready="True/AllImagesPresent")
    put_client_certificate(known.client())
    site.until("secured", Ready="True/AllImagesPresent", TarFallback="False/NotNeeded", seconds=90)
    assert holds(secured, *images)
