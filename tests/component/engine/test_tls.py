"""TLS with a real `dockerd --tlsverify`: five ways to fail, five messages, never a way around."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cyroid_images.engine import Engine
from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.engine import ClientTLS, EngineEndpoint
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.reference import Reference
from cyroid_images.model.telemetry.progress import ignore
from cyroid_images.scheduling.cancel_scope import NEVER
from tests.parts.apiserver import free_ports
from tests.parts.dockerd import Setup
from tests.parts.engine_tls import EngineAuthority
from tests.parts.engines import EnginePart, NewEngine
from tests.parts.range_engine import LIMITS

pytestmark = pytest.mark.slow

NOBODY = Reference.parse(f"127.0.0.1:9/x@{Digest('sha256', '0' * 64)}")


@dataclass(frozen=True, slots=True)
class Secured:
    """An engine that wants TLS, the CA that both sides share, and another CA."""

    part: EnginePart
    authority: EngineAuthority
    stranger: EngineAuthority

    def engine(self, tls: ClientTLS | None) -> Engine:
        return Engine(EngineEndpoint(self.part.endpoint.url, tls), answer_seconds=5)


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    folder = tmp_path_factory.mktemp("pki")
    ours = EngineAuthority.make(folder / "ours")
    part = EnginePart(Setup(port=free_ports(1)[0], version="20", tls=ours.server()))
    try:
        part.start()
        yield Secured(part, ours, EngineAuthority.make(folder / "stranger"))
    finally:
        part.close()


def refusal(engine: Engine) -> str:
    """The message with which a short call and a stream both fail."""
    with pytest.raises(TransferError) as of_info:
        engine.info()
    with pytest.raises(TransferError) as of_pull:
        engine.pull(NOBODY, ignore, limits=LIMITS, cancellation=NEVER)
    assert of_info.value.reason is Reason.TLS_REJECTED
    assert of_pull.value.reason is Reason.TLS_REJECTED
    return of_info.value.message


def test_an_engine_is_dialled_by_address_and_checked_by_name(secured: Secured) -> None:
    engine = secured.engine(secured.authority.client())
    assert engine.info().version.startswith("20.10")
    assert engine.view(engine.info(), {}).images == {}
    with pytest.raises(TransferError) as caught:
        engine.preflight(NOBODY, None, NEVER)
    assert caught.value.reason is Reason.REGISTRY_UNREACHABLE


def test_streams_run_over_tls(secured: Secured) -> None:
    engine = secured.engine(secured.authority.client())
    secured.part.load_image("tls/saved:1")
    with engine.save(Reference.parse("tls/saved:1"), limits=LIMITS, cancellation=NEVER) as tar:
        assert engine.load(tar, ignore, limits=LIMITS, cancellation=NEVER) == ("tls/saved:1",)


@pytest.mark.row("D8")
def test_an_engine_of_another_ca_is_refused(secured: Secured) -> None:
    tls = secured.authority.client(ca=secured.stranger.ca)
    message = refusal(secured.engine(tls))
    assert "engine certificate is not signed by the given CA" in message


@pytest.mark.row("D8")
def test_an_engine_of_another_name_is_refused(secured: Secured) -> None:
    message = refusal(secured.engine(secured.authority.client(server_name="other")))
    assert "engine certificate is not for 'other'" in message


@pytest.mark.row("D8")
def test_an_expired_engine_is_refused(new_engine: NewEngine, tmp_path: Path) -> None:
    authority = EngineAuthority.make(tmp_path / "pki")
    part = new_engine(version="20", tls=authority.server(days=-1))
    engine = Engine(EngineEndpoint(part.endpoint.url, authority.client()), answer_seconds=5)
    assert "engine certificate is expired or not yet valid (certificate has expired)" in refusal(
        engine
    )


@pytest.mark.row("D8")
def test_an_engine_that_refuses_us_is_named(secured: Secured) -> None:
    """A certificate of a CA that the engine does not know; under TLS 1.3 a read error."""
    tls = secured.stranger.client(ca=secured.authority.ca)
    message = refusal(secured.engine(tls))
    assert "the engine rejects the operator's client certificate" in message


@pytest.mark.row("D8")
def test_plain_http_to_the_tls_port_is_no_outage(secured: Secured) -> None:
    message = refusal(secured.engine(None))
    assert "the engine expects TLS on this port" in message


def test_tls_to_the_plain_port_never_falls_back(secured: Secured, old_engine: EnginePart) -> None:
    endpoint = EngineEndpoint(old_engine.endpoint.url, secured.authority.client())
    message = refusal(Engine(endpoint, answer_seconds=5))
    assert "the engine does not speak TLS on this port" in message


@pytest.mark.parametrize(
    "broken",
    [
        ClientTLS("no pem", "no pem", "no pem", "dind"),
        ClientTLS("", "", "", "dind"),
    ],
    ids=["no-pem", "empty"],
)
def test_unusable_files_of_our_own_are_named(secured: Secured, broken: ClientTLS) -> None:
    assert "cannot load the client TLS files" in refusal(secured.engine(broken))


def test_a_key_of_another_certificate_is_named(secured: Secured) -> None:
    right, other = secured.authority.client(), secured.stranger.client()
    mixed = ClientTLS(right.ca, right.certificate, other.key, right.server_name)
    message = refusal(secured.engine(mixed))
    assert "cannot load the client TLS files" in message
    assert "PRIVATE KEY" not in message
