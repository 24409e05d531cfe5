"""Each request to a registry is told to whoever counts, also one that nobody answers."""

from __future__ import annotations

import pytest

from cyroid_images.errors import TransferError
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.registry import RegistryEndpoint
from cyroid_images.model.telemetry.request_observer import RequestDone
from cyroid_images.registry.client import RegistryClient
from tests.parts.apiserver import free_ports
from tests.parts.registry import RegistryPart


def test_what_is_asked_is_told_with_its_answer(registry: RegistryPart) -> None:
    asked: list[RequestDone] = []
    with RegistryClient(registry.push_endpoint, on_request=asked.append) as client:
        client.ping()
        assert not client.has_manifest("nobody/has-it", Digest.of(b"nothing"))
    assert [(each.method, each.code) for each in asked][-2:] == [("GET", 200), ("HEAD", 404)]
    assert {each.host for each in asked} == {registry.push_endpoint.host}
    assert all(0 < each.seconds < 5 for each in asked)


def test_what_nobody_answers_is_told_without_a_code() -> None:
    (port,) = free_ports(1)
    asked: list[RequestDone] = []
    endpoint = RegistryEndpoint(f"http://127.0.0.1:{port}")
    with RegistryClient(endpoint, on_request=asked.append) as client, pytest.raises(TransferError):
        client.ping()
    assert {each.code for each in asked} == {None}
