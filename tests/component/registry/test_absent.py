"""B2: only a registry's own 404 means that something is absent; everything else is its fault.

`/v2/` may answer 200 all the time: a storage that is down, a proxy before it, a lost right.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.image import content_of_config
from cyroid_images.model.images.manifest import OCI_MANIFEST, Manifest
from cyroid_images.model.knowledge import ImageLocation, Stored, Wanted
from cyroid_images.model.registry import RegistryEndpoint
from cyroid_images.registry.client import RegistryClient
from cyroid_images.transfer import lookup
from tests.parts.images import tiny_image
from tests.parts.scripted import ScriptedServer, Step, reply, reply_json

IMAGE = tiny_image()
PAGE = {"Content-Type": "text/html"}
ERRORS = {"errors": [{"code": "UNKNOWN", "message": "unknown error"}]}


def stored() -> Stored:
    assert isinstance(IMAGE.parsed, Manifest)
    return Stored("a/b", IMAGE.parsed, content_of_config(IMAGE.config, manifest=IMAGE.digest))


ASKED: dict[str, Callable[[RegistryClient], object]] = {
    "manifest-by-tag": lambda to: to.manifest("a/b", "1"),
    "manifest-by-digest": lambda to: to.manifest("a/b", IMAGE.digest),
    "has_manifest": lambda to: to.has_manifest("a/b", IMAGE.digest),
    "tag_digest": lambda to: to.tag_digest("a/b", "1"),
    "blob_size": lambda to: to.blob_size("a/b", Digest.of(IMAGE.config)),
    "find": lambda to: lookup.find(to, ImageLocation("a/b", "1"), Wanted(content=stored().content)),
    "holds": lambda to: lookup.holds(to, stored(), "1"),
}
FAULTS: dict[str, tuple[Step, set[Reason]]] = {
    "storage-down": (reply_json(500, ERRORS), {Reason.SERVER_ERROR}),
    "storage-down-without-words": (reply(500), {Reason.SERVER_ERROR}),
    "forbidden": (reply(403), {Reason.UNAUTHORIZED}),
    "unauthorized": (reply(401), {Reason.UNAUTHORIZED}),
    "limited": (reply(429), {Reason.RATE_LIMITED}),
    "web-page-of-a-proxy": (reply(404, "<h1>no", PAGE), {Reason.REGISTRY_UNREACHABLE}),
    "log-in-page": (reply(200, "<h1>log in", PAGE), {Reason.REGISTRY_UNREACHABLE}),
    "sent-on": (reply(302, "", {"Location": "/login"}), {Reason.UNTRUSTED_REDIRECT}),
    "gone": (reply(410), {Reason.PROTOCOL_ERROR}),
}


@pytest.mark.parametrize(("step", "reasons"), FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("asked", ASKED.values(), ids=ASKED)
def test_b2_a_lookup_that_fails_is_a_fault_of_the_registry_and_never_absent(
    scripted: ScriptedServer,
    asked: Callable[[RegistryClient], object],
    step: Step,
    reasons: set[Reason],
) -> None:
    scripted.script("GET", "/v2/", reply_json(200, {}))
    scripted.script("GET", "/v2/.+", step)
    scripted.script("HEAD", "/v2/.+", step)
    client = RegistryClient(RegistryEndpoint(scripted.url))
    client.ping()
    with pytest.raises(TransferError) as caught:
        asked(client)
    assert caught.value.reason in reasons
    assert scripted.host in caught.value.message


def test_b2_an_error_that_is_sent_as_a_success_is_no_manifest(scripted: ScriptedServer) -> None:
    scripted.script("GET", "/v2/.+", reply_json(200, ERRORS, {"Content-Type": OCI_MANIFEST}))
    with pytest.raises(TransferError) as caught:
        RegistryClient(RegistryEndpoint(scripted.url)).manifest("a/b", "1")
    assert caught.value.reason is Reason.PROTOCOL_ERROR


def test_b2_a_text_of_a_web_server_does_not_mean_that_a_manifest_is_absent(
    scripted: ScriptedServer,
) -> None:
    scripted.script("GET", "/v2/.+", reply(404, "404 page not found\n"))
    with pytest.raises(TransferError) as caught:
        RegistryClient(RegistryEndpoint(scripted.url)).manifest("a/b", "1")
    assert caught.value.reason is Reason.REGISTRY_UNREACHABLE
    assert "response is not from a registry: 404 404 page not found" in caught.value.message


@pytest.mark.parametrize(
    "step", [reply(404, "<h1>no", PAGE), reply(200, "<h1>hi", PAGE), reply(404)]
)
def test_b2_a_web_server_is_no_registry_that_answers_a_ping(
    scripted: ScriptedServer, step: Step
) -> None:
    scripted.script("GET", "/v2/", step)
    with pytest.raises(TransferError) as caught:
        RegistryClient(RegistryEndpoint(scripted.url)).ping()
    assert caught.value.reason is Reason.REGISTRY_UNREACHABLE


@pytest.mark.parametrize(
    "step",
    [
        pytest.param(reply(404), id="no-body"),
        pytest.param(reply_json(404, {"errors": [{"code": "MANIFEST_UNKNOWN"}]}), id="coded"),
        pytest.param(reply_json(404, {"errors": [{"code": "NAME_UNKNOWN"}]}), id="no-repository"),
    ],
)
def test_a_registrys_own_404_means_absent(scripted: ScriptedServer, step: Step) -> None:
    scripted.script("GET", "/v2/.+", step)
    scripted.script("HEAD", "/v2/.+", step)
    client = RegistryClient(RegistryEndpoint(scripted.url))
    assert client.manifest("a/b", "1") is None
    assert client.tag_digest("a/b", "1") is None
    assert client.blob_size("a/b", IMAGE.digest) is None
    assert not client.has_manifest("a/b", IMAGE.digest)
