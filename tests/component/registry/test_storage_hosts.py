"""An upstream that sends readers to other hosts: https, a few steps, without credentials."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.manifest import OCI_MANIFEST, Descriptor
from cyroid_images.model.registry import Credentials, RegistryEndpoint
from cyroid_images.registry.client import RegistryClient
from cyroid_images.registry.transport import MOST_HOPS
from cyroid_images.registry.upstream import UpstreamRules
from tests.parts.credentials import Authority
from tests.parts.images import tiny_image
from tests.parts.namespace import OUTER_ADDRESS
from tests.parts.scripted import ScriptedServer, cut_after, reply, reply_json

BLOB = b"0123456789" * 1000
LAYER = Descriptor("x", Digest.of(BLOB), len(BLOB))


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """The CA of upstream and storage."""
    return Authority.make(tmp_path / "ca")


@pytest.fixture
def storage(authority: Authority) -> Iterator[ScriptedServer]:
    """A storage host that holds the blob."""
    pair = authority.server()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(pair.certificate, pair.key)
    with ScriptedServer(tls=tls) as server:
        server.script("GET", "/bucket/x", reply(200, BLOB))
        yield server


def upstream_of(scripted: ScriptedServer, authority: Authority, *, follows: bool) -> RegistryClient:
    ca = authority.certificate.read_text()
    endpoint = RegistryEndpoint(scripted.url, Credentials("me", "s3cret"), ca)
    return RegistryClient(endpoint, rules=UpstreamRules() if follows else None)


def sent_on(scripted: ScriptedServer, location: str) -> None:
    scripted.script("GET", "/v2/.*", reply(307, "", {"Location": location}))


def failure_of(registry: RegistryClient) -> TransferError:
    with pytest.raises(TransferError) as caught:
        registry.config("a/b", LAYER)
    return caught.value


def test_a_blob_is_read_from_the_storage_host_without_our_credentials(
    scripted: ScriptedServer, storage: ScriptedServer, authority: Authority
) -> None:
    """The upstream saw them, the storage host did not; the bytes are proven all the same."""
    sent_on(scripted, f"{storage.url}/bucket/x?Signature=abc")
    assert upstream_of(scripted, authority, follows=True).config("a/b", LAYER) == BLOB
    assert "authorization" in scripted.requests[0].headers
    assert "authorization" not in storage.requests[0].headers
    assert storage.requests[0].target == "/bucket/x?Signature=abc"


def test_a_download_that_broke_at_the_storage_host_goes_on_there(
    scripted: ScriptedServer, storage: ScriptedServer, authority: Authority
) -> None:
    """The upstream is asked for the way again: what it signed may have ended."""
    rest = {"Content-Range": f"bytes 4000-{len(BLOB) - 1}/{len(BLOB)}"}
    storage.script("GET", "/bucket/x", cut_after(4000, BLOB), reply(206, BLOB[4000:], rest))
    sent_on(scripted, f"{storage.url}/bucket/x")
    assert upstream_of(scripted, authority, follows=True).config("a/b", LAYER) == BLOB
    assert [seen.headers.get("range") for seen in storage.requests] == [None, "bytes=4000-"]
    assert len(scripted.requests) == 2


def test_another_range_than_the_missing_one_is_refused(
    scripted: ScriptedServer, storage: ScriptedServer, authority: Authority
) -> None:
    """Its bytes would be counted as others."""
    other = {"Content-Range": f"bytes 0-{len(BLOB) - 1}/{len(BLOB)}"}
    storage.script("GET", "/bucket/x", cut_after(4000, BLOB), reply(206, BLOB, other))
    sent_on(scripted, f"{storage.url}/bucket/x")
    failed = failure_of(upstream_of(scripted, authority, follows=True))
    assert failed.reason is Reason.PROTOCOL_ERROR


@pytest.mark.row("R16")
def test_our_own_registry_sends_nobody_elsewhere(
    scripted: ScriptedServer, storage: ScriptedServer, authority: Authority
) -> None:
    """It has no storage hosts, so a redirect is an attack."""
    sent_on(scripted, f"{storage.url}/bucket/x")
    failed = failure_of(upstream_of(scripted, authority, follows=False))
    assert failed.reason is Reason.UNTRUSTED_REDIRECT
    assert storage.requests == []


def test_a_storage_host_without_tls_is_not_asked(
    storage: ScriptedServer, authority: Authority
) -> None:
    """Whoever listens there could serve anything, and learn who asks."""
    with ScriptedServer() as plain:
        sent_on(storage, f"{plain.url}/bucket/x")
        failed = failure_of(upstream_of(storage, authority, follows=True))
        assert failed.reason is Reason.UNTRUSTED_REDIRECT
        assert plain.requests == []


def test_an_upstream_that_is_plain_as_the_cache_says_may_send_on_to_plain_hosts(
    scripted: ScriptedServer, authority: Authority
) -> None:
    """There was no secrecy before either; the bytes are proven by digest."""
    with ScriptedServer() as plain:
        plain.script("GET", "/bucket/x", reply(200, BLOB))
        sent_on(scripted, f"{plain.url}/bucket/x")
        assert upstream_of(scripted, authority, follows=True).config("a/b", LAYER) == BLOB
        assert "authorization" not in plain.requests[0].headers


@pytest.mark.row("R16")
def test_who_is_sent_on_for_ever_stops(
    scripted: ScriptedServer, storage: ScriptedServer, authority: Authority
) -> None:
    storage.script("GET", "/bucket/.*", reply(307, "", {"Location": f"{storage.url}/bucket/y"}))
    sent_on(scripted, f"{storage.url}/bucket/x")
    failed = failure_of(upstream_of(scripted, authority, follows=True))
    assert failed.reason is Reason.UNTRUSTED_REDIRECT
    assert len(storage.requests) == MOST_HOPS


IMAGE = tiny_image()
KIND = {"Content-Type": OCI_MANIFEST}


@pytest.mark.parametrize("reference", ["1", IMAGE.digest], ids=["tag", "digest"])
def test_a_manifest_is_read_from_where_the_upstream_sends_us(
    scripted: ScriptedServer,
    storage: ScriptedServer,
    authority: Authority,
    reference: str | Digest,
) -> None:
    """As `lscr.io` does; the other registry is told what we accept, and not who we are."""
    for method in ("GET", "HEAD"):
        there = {"Location": f"{storage.url}/v2/real/b/manifests/{reference}"}
        scripted.script(method, "/v2/a/b/manifests/.*", reply(307, "", there))
        storage.script(method, "/v2/real/b/manifests/.*", reply(200, IMAGE.manifest, KIND))
    upstream = upstream_of(scripted, authority, follows=True)
    found = upstream.manifest("a/b", reference)
    assert found is not None
    assert found.digest == IMAGE.digest
    assert upstream.tag_digest("a/b", reference) == IMAGE.digest
    assert all("authorization" not in seen.headers for seen in storage.requests)
    assert OCI_MANIFEST in storage.requests[0].headers["accept"]


def test_a_manifest_from_elsewhere_is_proven_by_its_digest(
    scripted: ScriptedServer, storage: ScriptedServer, authority: Authority
) -> None:
    sent_on(scripted, f"{storage.url}/m")
    storage.script("GET", "/m", reply(200, IMAGE.manifest + b" ", KIND))
    with pytest.raises(TransferError) as caught:
        upstream_of(scripted, authority, follows=True).manifest("a/b", IMAGE.digest)
    assert caught.value.reason is Reason.MANIFEST_DIGEST_MISMATCH


def test_a_registry_that_we_are_sent_to_gives_its_token_to_nobody_in_particular(
    scripted: ScriptedServer, storage: ScriptedServer, authority: Authority
) -> None:
    """Public registries want a token even of those who have no password."""
    realm = {"WWW-Authenticate": f'Bearer realm="{storage.url}/token",service="s"'}
    sent_on(scripted, f"{storage.url}/m")
    storage.script("GET", "/m", reply(401, "", realm), reply(200, IMAGE.manifest, KIND))
    storage.script("GET", "/token", reply_json(200, {"token": "t0ken"}))
    found = upstream_of(scripted, authority, follows=True).manifest("a/b", "1")
    assert found is not None
    told = [seen.headers.get("authorization") for seen in storage.requests]
    assert told == [None, None, "Bearer t0ken"]


@pytest.mark.row("R16", "P10")
def test_a_registry_that_we_are_sent_to_names_no_other_token_host(
    scripted: ScriptedServer, storage: ScriptedServer, authority: Authority
) -> None:
    with ScriptedServer() as capture:
        realm = {"WWW-Authenticate": f'Bearer realm="{capture.url}/token",service="s"'}
        sent_on(scripted, f"{storage.url}/m")
        storage.script("GET", "/m", reply(401, "", realm))
        with pytest.raises(TransferError) as caught:
            upstream_of(scripted, authority, follows=True).manifest("a/b", "1")
        assert caught.value.reason is Reason.UNTRUSTED_TOKEN_REALM
        assert capture.requests == []


@pytest.mark.row("H6", "R16")
@pytest.mark.parametrize(
    "host", ["127.0.0.1", "0x7f.1", "127.1", "2130706433", "localhost", "[::ffff:127.0.0.1]"]
)
def test_an_upstream_of_the_site_cannot_aim_us_at_this_machine(
    storage: ScriptedServer, authority: Authority, host: str
) -> None:
    """Not even a connection is made, whatever the address is spelled like."""
    with ScriptedServer(OUTER_ADDRESS, tls=storage.tls) as upstream, listener() as (port, knocks):
        sent_on(upstream, f"https://{host}:{port}/x")
        failed = failure_of(upstream_of(upstream, authority, follows=True))
        assert failed.reason is Reason.UNTRUSTED_REDIRECT
        assert "this machine" in failed.message
        assert knocks() == 0


@pytest.mark.row("H6")
@pytest.mark.parametrize("host", ["0x7f.1", "127.1", "2130706433"])
def test_an_odd_spelling_of_this_machine_is_not_dialled_even_where_it_is_named(host: str) -> None:
    with listener() as (port, knocks):
        endpoint = RegistryEndpoint(f"https://{host}:{port}", Credentials("me", "s3cret"))
        with pytest.raises(TransferError) as caught:
            RegistryClient(endpoint, rules=UpstreamRules()).manifest("a/b", "1")
        assert caught.value.reason is Reason.HOST_NOT_ALLOWED
        assert knocks() == 0


@contextmanager
def listener() -> Iterator[tuple[int, Callable[[], int]]]:
    """A port on loopback, and how many have knocked there."""
    with socket.create_server(("127.0.0.1", 0)) as taking:
        taking.setblocking(False)

        def knocks() -> int:
            try:
                taking.accept()[0].close()
            except BlockingIOError:
                return 0
            return 1

        yield taking.getsockname()[1], knocks
