"""An upstream that keeps blobs at a storage host: one step, https, without credentials."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.digest import Digest
from cyroid_images.model.manifest import Descriptor
from cyroid_images.model.registry import Credentials, RegistryEndpoint
from cyroid_images.registry.client import Registry
from cyroid_images.registry.upstream import UpstreamRules
from tests.parts.credentials import Authority
from tests.parts.scripted import ScriptedServer, cut_after, reply

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


def upstream_of(scripted: ScriptedServer, authority: Authority, *, follows: bool) -> Registry:
    ca = authority.certificate.read_text()
    endpoint = RegistryEndpoint(scripted.url, Credentials("me", "s3cret"), ca)
    return Registry(endpoint, rules=UpstreamRules() if follows else None)


def sent_on(scripted: ScriptedServer, location: str) -> None:
    scripted.script("GET", "/v2/.*", reply(307, "", {"Location": location}))


def failure_of(registry: Registry) -> TransferError:
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


def test_our_own_registry_sends_nobody_elsewhere(
    scripted: ScriptedServer, storage: ScriptedServer, authority: Authority
) -> None:
    """It has no storage hosts, so a redirect is an attack."""
    sent_on(scripted, f"{storage.url}/bucket/x")
    failed = failure_of(upstream_of(scripted, authority, follows=False))
    assert failed.reason is Reason.UNTRUSTED_REDIRECT
    assert storage.requests == []


def test_a_storage_host_without_tls_is_not_asked(
    scripted: ScriptedServer, authority: Authority
) -> None:
    """Whoever listens there could serve anything, and learn who asks."""
    with ScriptedServer() as plain:
        sent_on(scripted, f"{plain.url}/bucket/x")
        failed = failure_of(upstream_of(scripted, authority, follows=True))
        assert failed.reason is Reason.UNTRUSTED_REDIRECT
        assert plain.requests == []


def test_a_storage_host_sends_nobody_on(
    scripted: ScriptedServer, storage: ScriptedServer, authority: Authority
) -> None:
    """One step, not a chain."""
    storage.script("GET", "/bucket/x", reply(307, "", {"Location": f"{storage.url}/bucket/y"}))
    sent_on(scripted, f"{storage.url}/bucket/x")
    failed = failure_of(upstream_of(scripted, authority, follows=True))
    assert failed.reason is Reason.UNTRUSTED_REDIRECT
    assert len(storage.requests) == 1


def test_only_blobs_are_elsewhere(
    scripted: ScriptedServer, storage: ScriptedServer, authority: Authority
) -> None:
    """A manifest is the registry's own word."""
    sent_on(scripted, f"{storage.url}/bucket/x")
    with pytest.raises(TransferError) as caught:
        upstream_of(scripted, authority, follows=True).manifest("a/b", "1")
    assert caught.value.reason is Reason.UNTRUSTED_REDIRECT
    assert storage.requests == []
