"""Whom the operator trusts, asks and tells: certificates, redirects, realms, hosts, Secrets."""

from __future__ import annotations

import base64
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from cyroid_images.model.images.manifest import LARGEST, OCI_MANIFEST
from tests.component.loop.conftest import CA_SECRET, UPSTREAM_SECRET
from tests.parts.apiserver import ApiServerPart
from tests.parts.credentials import Authority, Pair
from tests.parts.engines import EnginePart
from tests.parts.identity import OWN_NAMESPACE
from tests.parts.proxy import Answer, NewProxy
from tests.parts.registry import NewRegistry, RegistryPart
from tests.parts.scripted import ScriptedServer
from tests.parts.site import Site, condition, holds

pytestmark = pytest.mark.slow


@dataclass(frozen=True, slots=True)
class Well:
    """A registry and an engine that nothing is wrong with."""

    registry: RegistryPart
    engine: EnginePart


@pytest.fixture
def well(registry: RegistryPart, containerd_engine: EnginePart) -> Well:
    return Well(registry, containerd_engine)


@pytest.fixture(scope="module")
def authority(apiserver: ApiServerPart, tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A CA that a Secret of the operator names and no engine knows."""
    ca = Authority.make(tmp_path_factory.mktemp("trust") / "ca")
    data = {"ca.crt": base64.b64encode(ca.certificate.read_bytes()).decode()}
    secret = {"metadata": {"name": CA_SECRET}, "data": data}
    apiserver.call("POST", f"/api/v1/namespaces/{OWN_NAMESPACE}/secrets", secret)
    return ca


TRUSTED = {"caSecretRef": {"name": CA_SECRET}}


@dataclass(frozen=True, slots=True)
class Bad:
    """A certificate, how the operator is told to trust it, and why it does not."""

    words: str
    names: str = "IP:127.0.0.1"
    days: str = "2"
    trust: Mapping[str, object] = field(default_factory=lambda: TRUSTED)


BAD = {
    "unknown-ca": Bad("unable to get local issuer certificate", trust={}),
    "expired": Bad("certificate has expired", days="-1"),
    "wrong-name": Bad("not valid for '127.0.0.1'", names="IP:127.0.0.9"),
}


@pytest.mark.row("R14", "P7")
@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_a_certificate_that_the_operator_refuses_is_told_and_ranges_are_filled_by_tar(
    site: Site,
    well: Well,
    authority: Authority,
    new_proxy: NewProxy,
    bad: Bad,
) -> None:
    """Never a fall back to plain http."""
    proxy = new_proxy(well.registry.push_host, tls=tls_of(authority.server(bad.names, bad.days)))
    site.cache(well.registry, registry={"pushURL": f"https://{proxy.host}", **bad.trust})
    site.serve("dind", well.engine, [site.image("tls:1")])
    site.until("dind", Ready="True/AllImagesPresent", TarFallback="True/TLSRejected")
    body = site.until_cache(
        Ready="False/TLSRejected",
        Stalled="True/TLSRejected",
        RegistryAvailable="False/TLSRejected",
    )
    message = str(condition(body, "RegistryAvailable")["message"])
    assert "registry certificate is not trusted" in message
    assert bad.words in message
    assert proxy.exchanges == []


def tls_of(pair: Pair) -> ssl.SSLContext:
    """A server that shows this certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    return context


@pytest.mark.row("R14", "P7")
def test_a_certificate_that_only_the_engine_refuses_names_the_engine(
    site: Site, new_registry: NewRegistry, authority: Authority, containerd_engine: EnginePart
) -> None:
    registry = new_registry(authority=authority)
    where = {"pushURL": f"https://{registry.push_host}", "pullHost": registry.outer_pull_host}
    site.cache(registry, registry={**where, **TRUSTED})
    site.serve("dind", containerd_engine, [site.image("engine:1")])
    body = site.until("dind", Ready="True/AllImagesPresent", TarFallback="True/TLSRejected")
    words = f"the engine rejects the certificate of {registry.outer_pull_host}"
    assert words in condition(body, "TarFallback")["message"]
    site.until_cache(Ready="True/AllImagesCached", RegistryAvailable="True")


@pytest.mark.row("R14")
def test_a_certificate_of_a_source_that_is_refused_names_the_source(
    site: Site, registry: RegistryPart, new_registry: NewRegistry, authority: Authority
) -> None:
    upstream = new_registry(authority=authority)
    image = f"{upstream.push_host}/{site.name}:1"
    source = {"name": "elsewhere", "upstream": {"hosts": [upstream.push_host]}}
    site.cache(registry, sources=[source], images=[{"image": image}])
    body = site.until_cache(Ready="False/TLSRejected", Stalled="True/TLSRejected")
    message = str(condition(body, "Ready")["message"])
    assert f"{site.name}:1 at {upstream.push_host}: registry certificate is not" in message
    assert condition(body, "RegistryAvailable")["status"] == "True"


@pytest.mark.row("R15", "P7")
def test_a_registry_that_answers_without_end_gives_way_to_tar(
    site: Site, registry: RegistryPart, new_proxy: NewProxy, containerd_engine: EnginePart
) -> None:
    proxy = new_proxy(registry.push_host)
    endless = Answer(200, {"Content-Type": OCI_MANIFEST}, b"{" * (LARGEST + 1))
    proxy.on("GET", "/v2/.*/manifests/.*", endless)
    image = site.image("endless:1")
    where = {"pushURL": f"http://{proxy.host}"}
    site.cache(registry, registry=where, images=[{"image": image}])
    site.serve("dind", containerd_engine, [image])
    site.until("dind", Ready="True/AllImagesPresent", TarFallback="True/ProtocolError")
    body = site.until_cache(Ready="False/ProtocolError", Reconciling="True/ProgressingWithRetry")
    assert f"larger than {LARGEST} bytes" in condition(body, "Ready")["message"]


def away(capture: ScriptedServer) -> dict[str, Answer]:
    """How a registry may try to have us say who we are at another host."""
    realm = f'Bearer realm="{capture.url}/token",service="registry"'
    return {
        "UntrustedRedirect": Answer(307, {"Location": f"{capture.url}/v2/"}),
        "UntrustedTokenRealm": Answer(401, {"WWW-Authenticate": realm}),
    }


@pytest.mark.row("R16", "P10")
@pytest.mark.parametrize("reason", ["UntrustedRedirect", "UntrustedTokenRealm"])
def test_a_registry_that_sends_us_to_another_host_is_not_followed(
    site: Site, registry: RegistryPart, new_proxy: NewProxy, reason: str
) -> None:
    proxy = new_proxy(registry.push_host)
    with ScriptedServer() as capture:
        proxy.on(".*", "/v2/.*", away(capture)[reason])
        where, images = {"pushURL": f"http://{proxy.host}"}, [{"image": site.image("away:1")}]
        site.cache(registry, registry=where, images=images)
        site.until_cache(
            Ready=f"False/{reason}",
            Stalled=f"True/{reason}",
            RegistryAvailable=f"False/{reason}",
        )
        assert capture.requests == []


@pytest.mark.row("R16", "P7")
def test_what_cannot_be_pushed_for_a_redirect_comes_by_tar(
    site: Site, registry: RegistryPart, new_proxy: NewProxy, containerd_engine: EnginePart
) -> None:
    proxy = new_proxy(registry.push_host)
    with ScriptedServer() as capture:
        proxy.on("POST", "/v2/.*", Answer(202, {"Location": f"{capture.url}/upload"}))
        site.cache(registry, registry={"pushURL": f"http://{proxy.host}"})
        site.serve("dind", containerd_engine, [site.image("upload:1")])
        site.until("dind", Ready="True/AllImagesPresent", TarFallback="True/UntrustedRedirect")
        assert capture.requests == []


METADATA = "169.254.169.254"


@pytest.mark.row("H6")
def test_hosts_that_no_cache_names_are_neither_dialled_nor_given_to_an_engine(
    site: Site, registry: RegistryPart, containerd_engine: EnginePart
) -> None:
    """The cluster's own addresses, a cloud's metadata, and other spellings of either."""
    with listening() as (port, knocks):
        hosts = [
            *(f"{host}:{port}" for host in ("127.0.0.1", "localhost", "127.1", "0x7f.1")),
            *(f"{host}:{port}" for host in ("2130706433", "0177.0.0.1", METADATA)),
            *(METADATA, "kubernetes.default.svc", f"10.99.0.1:{port}"),
        ]
        images = [f"{host}/{site.name}/x:1" for host in hosts]
        upstream = {"hosts": [registry.pull_host], "insecure": True}
        engine = {"endpoint": site.source.endpoint.url, "insecure": True}
        sources = [{"name": "builder", "engine": engine}, {"name": "else", "upstream": upstream}]
        pulls = containerd_engine.happened("pull")
        site.cache(registry, sources=sources)
        site.serve("dind", containerd_engine, images, delivery="RegistryOnly")
        body = site.until("dind", Ready="False/HostNotAllowed", Stalled="True/HostNotAllowed")
        assert "names" in condition(body, "Ready")["message"]
        assert body["status"]["summary"]["images"] == f"0/{len(hosts)}"
        assert knocks() == 0
    assert containerd_engine.happened("pull") == pulls


@pytest.mark.row("H6")
@pytest.mark.parametrize("spelling", ["0x7f.1", "127.1"])
def test_a_host_that_is_named_by_an_odd_spelling_of_this_machine_is_not_dialled(
    site: Site, registry: RegistryPart, spelling: str
) -> None:
    with listening() as (port, knocks):
        host = f"{spelling}:{port}"
        upstream = {"hosts": [host], "insecure": True, "secretRef": {"name": UPSTREAM_SECRET}}
        image = f"{host}/{site.name}:1"
        sources = [{"name": "elsewhere", "upstream": upstream}]
        site.cache(registry, sources=sources, images=[{"image": image}])
        body = site.until_cache(Ready="False/HostNotAllowed", Stalled="True/HostNotAllowed")
        assert "resolves to this machine" in condition(body, "Ready")["message"]
        assert knocks() == 0


@contextmanager
def listening() -> Iterator[tuple[int, Callable[[], int]]]:
    """A port on every address of the tests' network, also that of metadata; who knocked there."""
    subprocess.run(["ip", "address", "add", f"{METADATA}/32", "dev", "lo"], check=True, timeout=5)
    try:
        with socket.create_server(("0.0.0.0", 0)) as taking:
            taking.setblocking(False)

            def knocks() -> int:
                try:
                    taking.accept()[0].close()
                except BlockingIOError:
                    return 0
                return 1

            yield taking.getsockname()[1], knocks
    finally:
        subprocess.run(
            ["ip", "address", "del", f"{METADATA}/32", "dev", "lo"], check=True, timeout=5
        )


@pytest.mark.row("H7", "P10")
def test_a_password_is_not_told_to_a_second_host_that_is_written_beside_the_first(
    site: Site,
    registry: RegistryPart,
    new_registry: NewRegistry,
    scripted: ScriptedServer,
    containerd_engine: EnginePart,
) -> None:
    upstream = new_registry()
    images = [f"{host}/{site.name}:1" for host in (upstream.push_host, scripted.host)]
    upstream.push_image(site.name, "1")
    first = source_at(upstream.push_host)
    site.cache(registry, sources=[first], images=[{"image": images[0]}])
    site.until_cache(Ready="True/AllImagesCached")
    site.edit_cache(sources=[source_at(upstream.push_host, scripted.host)])
    site.serve("dind", containerd_engine, images)
    site.until_cache(SourceAvailable="False/SecretHostMismatch")
    body = site.until("dind", Ready="False/SecretHostMismatch", Stalled="True/SecretHostMismatch")
    assert "give each host a source of its own" in condition(body, "Ready")["message"]
    assert holds(containerd_engine, images[0])  # it was in the registry already
    assert scripted.requests == []


def source_at(*hosts: str) -> dict[str, object]:
    """Upstreams, and the Secret with a password."""
    secret = {"name": UPSTREAM_SECRET}
    upstream = {"hosts": list(hosts), "insecure": True, "secretRef": secret}
    return {"name": "elsewhere", "upstream": upstream}
