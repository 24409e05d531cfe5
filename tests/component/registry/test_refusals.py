"""A real registry that says no, is not there, hangs or is full: each has its own reason."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.manifest import OCI_MANIFEST
from cyroid_images.model.registry import Credentials, RegistryEndpoint
from cyroid_images.registry.client import RegistryClient
from tests.parts.apiserver import free_ports
from tests.parts.credentials import Authority
from tests.parts.images import tiny_image
from tests.parts.registry import NewRegistry, RegistryPart
from tests.parts.waiting import A_WHILE

IMAGE = tiny_image()
CALLS: dict[str, Callable[[RegistryClient], object]] = {
    "ping": lambda to: to.ping(),
    "manifest": lambda to: to.manifest("a/b", "1"),
    "has_manifest": lambda to: to.has_manifest("a/b", IMAGE.digest),
    "blob_size": lambda to: to.blob_size("a/b", IMAGE.digest),
    "config": lambda to: to.config("a/b", IMAGE.parsed.config),
    "put_manifest": lambda to: to.put_manifest("a/b", "1", IMAGE.manifest, OCI_MANIFEST),
    "delete_manifest": lambda to: to.delete_manifest("a/b", IMAGE.digest),
    "delete_tag": lambda to: to.delete_manifest("a/b", "1"),
    "tags": lambda to: to.tags("a/b"),
    "upload_blob": lambda to: to.upload_blob("a/b", IMAGE.parsed.config, [IMAGE.config]),
    "upload_stream": lambda to: to.upload_stream("a/b", [b"x"], "x/y"),
}
WRITES = ("put_manifest", "delete_manifest", "delete_tag", "upload_blob", "upload_stream")


def reason_of(call: Callable[[], object]) -> tuple[Reason, str]:
    """What the call failed with, and the message."""
    with pytest.raises(TransferError) as caught:
        call()
    return caught.value.reason, caught.value.message


@pytest.mark.parametrize("name", WRITES)
def test_r5_the_pull_listener_refuses_every_write(registry: RegistryPart, name: str) -> None:
    """405 in plain text, before a byte of content moves."""
    reader = RegistryClient(registry.pull_endpoint)
    assert reason_of(lambda: CALLS[name](reader))[0] is Reason.REGISTRY_READ_ONLY


def test_a_mount_on_the_pull_listener_is_refused_as_read_only(registry: RegistryPart) -> None:
    """405, and no upload would fare better."""
    reader = RegistryClient(registry.pull_endpoint)
    reason, _ = reason_of(lambda: reader.mount("a/b", IMAGE.digest, "c/d"))
    assert reason is Reason.REGISTRY_READ_ONLY


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("credentials", [None, Credentials("cyroid", "wr0ng-password")])
def test_r5_a_wrong_password_is_unauthorized_and_never_told(
    registry: RegistryPart, name: str, credentials: Credentials | None
) -> None:
    """R5, and P-E1: never "absent"."""
    stranger = RegistryClient(replace(registry.push_endpoint, credentials=credentials))
    reason, message = reason_of(lambda: CALLS[name](stranger))
    assert reason is Reason.UNAUTHORIZED
    assert "wr0ng" not in message
    assert registry.push_host in message


@pytest.mark.parametrize("name", CALLS)
def test_r1_a_registry_that_refuses_connections_is_unreachable(name: str) -> None:
    """R1, and P-E1: never "absent"."""
    nobody = RegistryClient(RegistryEndpoint(f"http://127.0.0.1:{free_ports(1)[0]}"))
    assert reason_of(lambda: CALLS[name](nobody))[0] is Reason.REGISTRY_UNREACHABLE


def test_a_host_that_no_name_server_knows_is_unreachable() -> None:
    """The same for names that are none."""
    for host in ("registry.invalid", "a" * 64 + ".invalid"):
        nobody = RegistryClient(RegistryEndpoint(f"http://{host}:5000"))
        assert reason_of(nobody.ping)[0] is Reason.REGISTRY_UNREACHABLE


@pytest.mark.slow
def test_r1_a_registry_that_was_stopped_serves_again_after_its_start(
    new_registry: NewRegistry,
) -> None:
    """The same object of ours goes on: it holds no dead connection."""
    part = new_registry()
    stored = part.push_image("a/b", "1")
    reader = RegistryClient(part.pull_endpoint)
    part.stop()
    assert reason_of(reader.ping)[0] is Reason.REGISTRY_UNREACHABLE
    part.start()
    assert reader.has_manifest("a/b", stored.digest)


@pytest.mark.slow
def test_r2_a_registry_that_hangs_is_unreachable_after_its_time(
    new_registry: NewRegistry,
) -> None:
    """Connections are taken by its kernel; the first byte never comes."""
    part = new_registry()
    part.pause()
    try:
        began = time.monotonic()
        hurried = RegistryClient(part.pull_endpoint, answer_seconds=0.5)
        for name in ("ping", "manifest", "blob_size"):
            assert reason_of(lambda call=name: CALLS[call](hurried))[0] is (  # type: ignore[misc]
                Reason.REGISTRY_UNREACHABLE
            )
        assert time.monotonic() - began < A_WHILE
    finally:
        part.resume()
    RegistryClient(part.pull_endpoint).ping()


@pytest.mark.slow
def test_r6_a_full_disk_is_told_by_every_write_while_the_ping_is_fine(
    new_registry: NewRegistry,
) -> None:
    """R6: `/v2/` stays 200; the errno or its words stand in `detail`."""
    part = new_registry(disk_bytes=512 * 1024)
    writer = RegistryClient(part.push_endpoint)
    chunks = (os.urandom(65536) for _ in range(32))
    assert reason_of(lambda: writer.upload_stream("a/b", chunks, "x/y"))[0] is Reason.REGISTRY_FULL
    for name in ("upload_blob", "upload_stream"):
        assert reason_of(lambda call=name: CALLS[call](writer))[0] is (  # type: ignore[misc]
            Reason.REGISTRY_FULL
        )
    writer.ping()
    assert writer.blob_size("a/b", Digest.of(b"x")) is None


@pytest.mark.slow
def test_an_upload_that_the_registry_forgot_was_interrupted(new_registry: NewRegistry) -> None:
    """Restarted with its data lost: transient, not read-only."""
    part = new_registry()
    writer = RegistryClient(part.push_endpoint)

    def restarting() -> list[bytes]:
        part.stop()
        part.start()
        return [b"x"]

    chunks = (chunk for make in (restarting,) for chunk in make())
    reason, _ = reason_of(lambda: writer.upload_stream("a/b", chunks, "x/y"))
    assert reason in (Reason.TRANSFER_INTERRUPTED, Reason.REGISTRY_UNREACHABLE)


@pytest.mark.slow
class TestR14:
    """TLS: the message names who refuses, and nothing falls back to plain http."""

    def test_a_known_ca_is_trusted(self, new_registry: NewRegistry, tmp_path: Path) -> None:
        """The CA of the endpoint, for both listeners."""
        part = new_registry(authority=Authority.make(tmp_path / "ca"))
        stored = part.push_image("a/b", "1")
        assert RegistryClient(part.pull_endpoint).has_manifest("a/b", stored.digest)

    def test_an_unknown_ca_is_refused_by_the_operator(
        self, new_registry: NewRegistry, tmp_path: Path
    ) -> None:
        """Neither the system's CAs nor another one will do."""
        part = new_registry(authority=Authority.make(tmp_path / "ca"))
        other = Authority.make(tmp_path / "other").certificate.read_text()
        for ca in (None, other):
            reason, message = reason_of(RegistryClient(replace(part.pull_endpoint, ca=ca)).ping)
            assert reason is Reason.TLS_REJECTED
            assert "registry certificate is not trusted" in message

    def test_a_wrong_name_is_refused_by_the_operator(
        self, new_registry: NewRegistry, tmp_path: Path
    ) -> None:
        """The certificate is not for that address."""
        part = new_registry(authority=Authority.make(tmp_path / "ca"))
        elsewhere = part.pull_endpoint.url.replace("127.0.0.1", "127.0.0.2")
        reason, message = reason_of(RegistryClient(replace(part.pull_endpoint, url=elsewhere)).ping)
        assert reason is Reason.TLS_REJECTED
        assert "not valid for" in message

    def test_https_to_a_plain_listener_is_refused(self, registry: RegistryPart) -> None:
        """With its own words."""
        url = registry.pull_endpoint.url.replace("http:", "https:")
        reason, message = reason_of(RegistryClient(RegistryEndpoint(url)).ping)
        assert reason is Reason.TLS_REJECTED
        assert "does not speak TLS" in message

    def test_plain_http_to_a_tls_listener_is_refused(
        self, new_registry: NewRegistry, tmp_path: Path
    ) -> None:
        """Go answers 400 with a sentence."""
        part = new_registry(authority=Authority.make(tmp_path / "ca"))
        url = part.pull_endpoint.url.replace("https:", "http:")
        reason, message = reason_of(RegistryClient(RegistryEndpoint(url)).ping)
        assert reason is Reason.TLS_REJECTED
        assert "requires https" in message

    def test_a_ca_that_is_none_is_told(self) -> None:
        """A Secret may hold anything."""
        broken = RegistryEndpoint("https://127.0.0.1:1", ca="-----BEGIN CERTIFICATE-----\nx")
        assert reason_of(RegistryClient(broken).ping)[0] is Reason.TLS_REJECTED
