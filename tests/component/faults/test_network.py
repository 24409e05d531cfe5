"""Faults between an engine and a registry: name, address, trust, time, answers of proxies.

The engine is real throughout. So is the registry where one commits the fault when it is
asked to; no real one answers 429, 503 or a reset on request, so those come from a script.
`no route to host`, `i/o timeout` and `server misbehaving` depend on the machine's network
and name server: only the table of words (tests/unit/engine/test_classify.py) has them.
"""

from __future__ import annotations

import pytest

from cyroid_images.errors import Reason, TransferError
from cyroid_images.registry.client import RegistryClient
from tests.component.faults.provoking import at, refusal
from tests.parts.credentials import Authority
from tests.parts.engines import EnginePart
from tests.parts.registry import NewRegistry
from tests.parts.scripted import (
    ScriptedServer,
    Step,
    cut_after,
    cut_before_answer,
    reply,
    reply_json,
)

pytestmark = pytest.mark.slow


@pytest.mark.row("R14")
def test_a_certificate_that_the_engine_refuses_names_the_engine(
    any_engine: EnginePart, new_registry: NewRegistry, authority: Authority
) -> None:
    """Never a fall back to plain http, whatever the engine is told about loopback."""
    part = new_registry(authority=authority)
    for move in ("preflight", "pull", "push"):
        host = part.outer_push_host if move == "push" else part.outer_pull_host
        error = refusal(any_engine, move, at(host, "faults/x509"))
        assert error.reason is Reason.TLS_REJECTED, error
        assert f"the engine rejects the certificate of {host}" in error.message


@pytest.mark.parametrize("move", ["preflight", "pull", "push"])
def test_a_registry_whose_name_does_not_resolve_is_unreachable(
    any_engine: EnginePart, move: str
) -> None:
    error = refusal(any_engine, move, at("nosuch.invalid:5000", "faults/dns"))
    assert error.reason is Reason.REGISTRY_UNREACHABLE, error


def test_a_tls_handshake_without_an_answer_hints_at_the_mtu(
    classic_engine: EnginePart, new_registry: NewRegistry, authority: Authority
) -> None:
    """A stopped registry looks to the engine as a path that swallows large packets does."""
    part = new_registry(authority=authority)
    part.pause()
    try:
        error = refusal(classic_engine, "preflight", at(part.outer_pull_host, "faults/silent"))
    finally:
        part.resume()
    assert error.reason is Reason.REGISTRY_UNREACHABLE, error
    assert "mtu" in error.message


LIMIT = {"errors": [{"code": "TOOMANYREQUESTS", "message": "pull rate limit"}]}
ANSWERS: dict[str, tuple[Step, Reason]] = {
    "503": (reply(503, "try later"), Reason.SERVER_ERROR),
    "429": (reply_json(429, LIMIT), Reason.RATE_LIMITED),
    "cut-before-the-answer": (cut_before_answer, Reason.TRANSFER_INTERRUPTED),
    "reset": (cut_after(0, b"{}", reset=True), Reason.TRANSFER_INTERRUPTED),
}


@pytest.mark.parametrize("move", ["preflight", "pull"])
@pytest.mark.parametrize(("answer", "reason"), ANSWERS.values(), ids=ANSWERS)
def test_an_answer_of_a_registry_in_trouble_leads_to(
    any_engine: EnginePart, odd_registry: ScriptedServer, answer: Step, reason: Reason, move: str
) -> None:
    for method in ("GET", "HEAD"):
        odd_registry.script(method, "/v2/faults/.*", answer)
    error = refusal(any_engine, move, at(odd_registry.host, "faults/odd"))
    assert error.reason is reason, error


FORGOTTEN = {"errors": [{"code": "BLOB_UPLOAD_UNKNOWN", "message": "blob upload unknown"}]}


def test_an_upload_that_the_registry_forgot_is_a_missing_blob(
    containerd_store: EnginePart, odd_registry: ScriptedServer
) -> None:
    """As after a restart of the registry with its upload folder lost."""
    where = {"Location": f"{odd_registry.url}/v2/faults/lost/blobs/uploads/1"}
    odd_registry.script("POST", "/v2/faults/lost/blobs/uploads/", reply(202, b"", where))
    for method in ("PATCH", "PUT"):
        odd_registry.script(method, "/v2/faults/lost/blobs/uploads/1", reply_json(404, FORGOTTEN))
    error = refusal(containerd_store, "push", at(odd_registry.host, "faults/lost"))
    assert error.reason is Reason.BLOB_MISSING, error


@pytest.mark.row("R6")
def test_a_full_registry_is_told_by_asking_it_since_an_engine_that_pushes_hears_only_500(
    containerd_store: EnginePart, new_registry: NewRegistry
) -> None:
    """Both stores lose the registry's words; a classic one tries for 50 s besides.

    F1, F2: since 28 the containerd store says `unknown error` or `blob upload invalid` of it,
    or `blob upload unknown` when the registry could not even note that an upload began: with
    these our own push follows, and hears the registry's words. Now and then it tells them.
    """
    part = new_registry(disk_bytes=64 * 1024)
    part.data_root.joinpath("filler").write_bytes(bytes(60 * 1024))
    error = refusal(containerd_store, "push", at(part.push_host, "faults/full"))
    told = {Reason.SERVER_ERROR, Reason.BLOB_MISSING, Reason.REGISTRY_FULL}
    assert error.reason in told, error
    with RegistryClient(part.push_endpoint) as registry, pytest.raises(TransferError) as asked:
        registry.upload_stream("faults/full", [bytes(8192)], "x/y")
    assert asked.value.reason is Reason.REGISTRY_FULL
