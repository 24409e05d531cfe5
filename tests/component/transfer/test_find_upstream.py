"""What an upstream holds under a name: one platform's image, or why that cannot be told."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.manifest import OCI_CONFIG, OCI_INDEX, OCI_MANIFEST, Descriptor
from cyroid_images.model.images.platform import Platform
from cyroid_images.model.images.reference import Reference
from cyroid_images.model.knowledge import UpstreamAsk
from cyroid_images.model.registry import Credentials, RegistryEndpoint
from cyroid_images.registry.client import RegistryClient
from cyroid_images.transfer.lookup_upstream import find_upstream, upstream_registry
from tests.component.transfer.copying import AMD64, ARM64, Copying, upstream_at
from tests.parts.apiserver import free_ports
from tests.parts.front import guarded, passing_on
from tests.parts.images import TinyImage, index_of, manifest_of, tiny_image
from tests.parts.registry import RegistryPart
from tests.parts.scripted import (
    ScriptedServer,
    Step,
    cut_before_answer,
    reply,
    reply_json,
)

IMAGES = {
    "linux/amd64": tiny_image(config={"Cmd": ["/amd"]}),
    "linux/arm64": tiny_image(config={"Cmd": ["/arm"]}, architecture="arm64"),
}
FOREIGN = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
KEPT_BACK = "application/vnd.oci.image.layer.nondistributable.v1.tar"


def looking(registry: RegistryPart) -> Copying:
    """At the listener that wants no password."""
    return Copying(upstream_at(registry.pull_endpoint), registry)


def push_index(
    registry: RegistryPart, repository: str, images: dict[str, TinyImage], tag: str = "1"
) -> Digest:
    """Two platforms under one tag, with an attestation beside them; the index's digest."""
    for number, image in enumerate(images.values()):
        registry.push(repository, f"child-{number}", image)
    document = json.loads(index_of(images))
    attestation = {**document["manifests"][0], "platform": {"os": "unknown"}}
    document["manifests"].insert(0, attestation)
    content = json.dumps(document).encode()
    RegistryClient(registry.push_endpoint).put_manifest(repository, tag, content, OCI_INDEX)
    return Digest.of(content)


def failure_of(looking: Copying, image: str, platform: Platform | None = None) -> TransferError:
    with pytest.raises(TransferError) as caught:
        looking.find(image, platform)
    return caught.value


# -- what is there


def test_a_tag_is_one_image(registry: RegistryPart) -> None:
    """By tag, by digest and by both, where the digest decides."""
    image = tiny_image(config={"Cmd": ["/one"]})
    registry.push("find/one", "1", image)
    for name in ("find/one:1", f"find/one@{image.digest}", f"find/one:9@{image.digest}"):
        found = looking(registry).find(name)
        assert found is not None
        assert found.id == image.digest
        assert found.content.config == image.parsed.config.digest
        assert (found.source, found.stored.repository) == ("hub", "find/one")


def test_s8_a_password_opens_an_upstream(registry: RegistryPart) -> None:
    """htpasswd, over the listener that wants it."""
    registry.push_image("find/secret", "1")
    assert Copying(upstream_at(registry.push_endpoint), registry).find("find/secret:1")


@pytest.mark.parametrize("platform", [AMD64, ARM64], ids=str)
def test_an_index_is_the_child_for_the_platform(registry: RegistryPart, platform: Platform) -> None:
    """The index's digest is an alias of it, since an engine may know it by that."""
    index = push_index(registry, "find/two", IMAGES)
    found = looking(registry).find("find/two:1", platform)
    assert found is not None
    assert found.id == IMAGES[str(platform)].digest
    assert found.content.platform == platform
    assert found.content.aliases == {index}


def test_an_index_is_the_operators_platform_where_none_is_wanted(registry: RegistryPart) -> None:
    """Not the first one."""
    push_index(registry, "find/two", IMAGES)
    found = looking(registry).find("find/two:1", default=ARM64)
    assert found is not None
    assert found.content.platform == ARM64


def test_an_only_child_is_the_image_where_none_is_wanted(registry: RegistryPart) -> None:
    """An attestation beside it does not count."""
    push_index(registry, "find/only", {"linux/arm64": IMAGES["linux/arm64"]})
    found = looking(registry).find("find/only:1")
    assert found is not None
    assert found.content.platform == ARM64


def test_s3_p_s5_another_platform_is_never_taken(registry: RegistryPart) -> None:
    """P-S5: the message names what there is; of an index and of a single manifest."""
    push_index(registry, "find/two", IMAGES)
    s390 = Platform("linux", "s390x")
    for name in ("find/two:1", "find/two:child-0"):
        failed = failure_of(looking(registry), name, s390)
        assert failed.reason is Reason.PLATFORM_MISMATCH
        assert "linux/amd64" in failed.message
        assert "linux/s390x" in failed.message
    only_arm = failure_of(looking(registry), "find/two:1", Platform("linux", "arm", "v7"))
    assert only_arm.reason is Reason.PLATFORM_MISMATCH


# -- what is no image


@pytest.mark.parametrize(
    ("kind", "layer", "told"),
    [
        (
            "application/vnd.cncf.helm.config.v1+json",
            "x/y",
            "not an image that an engine can run: it is an artifact (application/vnd.cncf.h",
        ),
        (OCI_CONFIG, "application/vnd.cncf.x+json", "it is an artifact (of application/vnd.cncf.x"),
        (OCI_CONFIG, FOREIGN, f"cannot be copied: it has a foreign layer ({FOREIGN})"),
        (OCI_CONFIG, KEPT_BACK, f"cannot be copied: it has a foreign layer ({KEPT_BACK})"),
    ],
    ids=["a-chart", "a-signature", "a-layer-of-windows", "a-layer-that-is-not-distributed"],
)
def test_artifacts_and_foreign_layers_are_no_image(
    scripted: ScriptedServer, registry: RegistryPart, kind: str, layer: str, told: str
) -> None:
    """Terminal, and it is said what was found, by its media type."""
    image = tiny_image()
    blob = replace(image.layers[0].descriptor, media_type=layer)
    content = manifest_of(Descriptor(kind, Digest.of(image.config), len(image.config)), [blob])
    scripted.script("GET", ".*/manifests/.*", reply(200, content, {"Content-Type": OCI_MANIFEST}))
    scripted.script("GET", ".*/blobs/.*", reply(200, image.config))
    failed = failure_of(Copying(upstream_at(RegistryEndpoint(scripted.url)), registry), "a/b:1")
    assert failed.reason is Reason.IMAGE_NOT_FOUND
    assert told in failed.message


def test_an_index_without_images_is_no_image(registry: RegistryPart) -> None:
    """There is not even a platform that it could be for."""
    RegistryClient(registry.push_endpoint).put_manifest("find/none", "1", index_of({}), OCI_INDEX)
    failed = failure_of(looking(registry), "find/none:1")
    assert failed.reason is Reason.IMAGE_NOT_FOUND
    assert "an index that lists no image" in failed.message


def test_schema_1_is_no_image(scripted: ScriptedServer, registry: RegistryPart) -> None:
    """Said as it is, not as garbage."""
    kind = "application/vnd.docker.distribution.manifest.v1+prettyjws"
    document = {"schemaVersion": 1, "fsLayers": []}
    scripted.script("GET", ".*", reply_json(200, document, {"Content-Type": kind}))
    failed = failure_of(Copying(upstream_at(RegistryEndpoint(scripted.url)), registry), "a/b:1")
    assert failed.reason is Reason.IMAGE_NOT_FOUND
    assert "schema 1" in failed.message


# -- what cannot be told


def test_p_e1_only_a_404_is_absent(registry: RegistryPart) -> None:
    """P-E1: an unknown tag, and an unknown repository, of a real registry."""
    registry.push_image("find/absent", "1")
    assert looking(registry).find("find/absent:2") is None
    assert looking(registry).find("find/nowhere:1") is None


@pytest.mark.parametrize(
    ("step", "reason", "requests"),
    [
        pytest.param(reply(401), Reason.UNAUTHORIZED, 1, id="401"),
        pytest.param(reply(403), Reason.UNAUTHORIZED, 1, id="403"),
        pytest.param(reply(429), Reason.RATE_LIMITED, 1, id="429"),
        pytest.param(reply(500), Reason.SERVER_ERROR, 4, id="500"),
        pytest.param(reply(408), Reason.TIMEOUT, 4, id="408"),
        pytest.param(cut_before_answer, Reason.SOURCE_UNREACHABLE, 4, id="closed"),
        pytest.param(reply(200, b"{"), Reason.PROTOCOL_ERROR, 1, id="bad-json"),
    ],
)
def test_p_e1_every_failure_has_a_reason_of_its_own(
    scripted: ScriptedServer, registry: RegistryPart, step: Step, reason: Reason, requests: int
) -> None:
    """P-E1: never "absent"; only what may pass is asked again, three times."""
    scripted.script("GET", ".*", step)
    upstream = Copying(upstream_at(RegistryEndpoint(scripted.url)), registry)
    assert failure_of(upstream, "a/b:1").reason is reason
    assert len(scripted.requests) == requests
    assert upstream.waits == [1.0, 3.0, 9.0][: requests - 1]


def test_p_e1_a_host_that_refuses_is_a_source_that_is_missed(registry: RegistryPart) -> None:
    """Not our registry, which is another reason."""
    nobody = RegistryEndpoint(f"http://127.0.0.1:{free_ports(1)[0]}")
    failed = failure_of(Copying(upstream_at(nobody), registry), "a/b:1")
    assert failed.reason is Reason.SOURCE_UNREACHABLE


@pytest.mark.row("S5")
def test_s5_a_rate_limit_is_obeyed_where_it_is_short(
    scripted: ScriptedServer, registry: RegistryPart
) -> None:
    """And told with its time where it is not."""
    limited = reply(429, "", {"Retry-After": "7"})
    scripted.script("GET", "/v2/a/b/.*", limited, reply(404))
    scripted.script("GET", "/v2/c/d/.*", reply(429, "", {"Retry-After": "3600"}))
    upstream = Copying(upstream_at(RegistryEndpoint(scripted.url)), registry)
    assert upstream.find("a/b:1") is None
    assert upstream.waits == [7.0]
    failed = failure_of(upstream, "c/d:1")
    assert (failed.reason, failed.retry_after) == (Reason.RATE_LIMITED, 3600.0)
    assert len(scripted.seen("GET", "/v2/c/d/.*")) == 1


@pytest.mark.row("S5")
def test_s5_a_wrong_password_is_tried_once(
    scripted: ScriptedServer, registry: RegistryPart
) -> None:
    """S5: a storm would lock the account; a real registry refuses it."""
    scripted.script("GET", ".*", passing_on(registry.push_endpoint))
    wrong = RegistryEndpoint(scripted.url, Credentials("cyroid", "wr0ng"))
    failed = failure_of(Copying(upstream_at(wrong), registry), "a/b:1")
    assert failed.reason is Reason.UNAUTHORIZED
    assert "wr0ng" not in failed.message
    assert len(scripted.requests) == 1


def test_p_r8_an_image_of_docker_hub_is_asked_for_with_its_namespace(
    scripted: ScriptedServer, registry: RegistryPart
) -> None:
    """P-R8: the predecessor took `bitnami/nginx` for a local image and never asked."""
    hub = Copying(upstream_at(RegistryEndpoint(scripted.url), host="docker.io"), registry)
    assert hub.find("bitnami/nginx:1") is None
    assert hub.find("nginx:1") is None
    paths = [seen.path for seen in scripted.requests]
    assert paths == ["/v2/bitnami/nginx/manifests/1", "/v2/library/nginx/manifests/1"]


@pytest.mark.row("H6")
def test_h6_an_image_of_another_host_is_not_asked_for(
    scripted: ScriptedServer,
) -> None:
    """Two hosts may have the same path; one never answers for the other."""
    upstream = upstream_at(RegistryEndpoint(scripted.url), host="ghcr.io")
    ask = UpstreamAsk("hub", upstream, Reference.parse("quay.io/a/b:1"), None)
    with pytest.raises(TransferError) as caught, upstream_registry(upstream) as registry:
        find_upstream(registry, ask, AMD64)
    assert caught.value.reason is Reason.HOST_NOT_ALLOWED
    assert scripted.requests == []


# -- tokens


def test_s8_a_token_of_a_declared_host_opens_an_upstream(
    scripted: ScriptedServer, registry: RegistryPart
) -> None:
    """One token for all that is read of one repository; the password goes nowhere else."""
    registry.push_image("find/token", "1")
    with ScriptedServer() as tokens:
        tokens.script("GET", "/token", reply_json(200, {"token": "t0ken", "expires_in": 300}))
        front = guarded(passing_on(registry.pull_endpoint), "t0ken", f"{tokens.url}/token")
        scripted.script("GET", ".*", front)
        endpoint = RegistryEndpoint(scripted.url, Credentials("me", "s3cret"))
        assert Copying(upstream_at(endpoint, [tokens.host]), registry).find("find/token:1")
        assert len(tokens.requests) == 1
        assert "scope=repository%3Afind%2Ftoken%3Apull" in tokens.requests[0].target
    assert len(scripted.requests) == 3  # refused once, manifest, config


@pytest.mark.row("R16", "P10")
def test_r16_a_realm_that_is_not_declared_gets_nothing(
    scripted: ScriptedServer, registry: RegistryPart
) -> None:
    """R16: not even the question."""
    with ScriptedServer() as capture:
        front = guarded(passing_on(registry.pull_endpoint), "t0ken", f"{capture.url}/token")
        scripted.script("GET", ".*", front)
        endpoint = RegistryEndpoint(scripted.url, Credentials("me", "s3cret"))
        failed = failure_of(Copying(upstream_at(endpoint, ["auth.example"]), registry), "a/b:1")
        assert failed.reason is Reason.UNTRUSTED_TOKEN_REALM
        assert capture.requests == []


# -- following a tag


def test_a_tag_that_stands_costs_one_head(scripted: ScriptedServer, registry: RegistryPart) -> None:
    """Docker Hub counts GETs of manifests; of an index and of a single manifest."""
    push_index(registry, "find/stands", IMAGES)
    for method in ("GET", "HEAD"):
        scripted.script(method, ".*", passing_on(registry.pull_endpoint))
    upstream = Copying(upstream_at(RegistryEndpoint(scripted.url)), registry)
    for name in ("find/stands:1", "find/stands:child-0"):
        found = upstream.find(name)
        before = len(scripted.requests)
        assert upstream.find(name, known=found) is found
        assert [seen.method for seen in scripted.requests[before:]] == ["HEAD"]


def test_a_tag_that_moved_is_read_anew(registry: RegistryPart) -> None:
    """And one that was deleted is absent."""
    first = registry.push_image("find/moves", "1", config={"Cmd": ["/first"]})
    upstream = looking(registry)
    known = upstream.found("find/moves:1")
    second = registry.push_image("find/moves", "1", config={"Cmd": ["/second"]})
    moved = upstream.find("find/moves:1", known=known)
    assert moved is not None
    assert (known.id, moved.id) == (first.digest, second.digest)
    RegistryClient(registry.push_endpoint).delete_manifest("find/moves", second.digest)
    assert upstream.find("find/moves:1", known=moved) is None


def test_a_tag_digest_that_is_not_claimed_is_computed(scripted: ScriptedServer) -> None:
    """A registry may leave the header out."""
    image = tiny_image()
    kind = {"Content-Type": OCI_MANIFEST}
    for method in ("GET", "HEAD"):
        scripted.script(method, ".*", reply(200, image.manifest, kind))
    reader = RegistryClient(RegistryEndpoint(scripted.url))
    assert reader.tag_digest("a/b", "1") == image.digest
