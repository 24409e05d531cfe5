"""Image names, read as Docker reads them."""

from __future__ import annotations

import pytest

from cyroid_images.errors import InvalidReference
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.reference import Reference
from tests.unit.model.names_table import ACCEPTED, BARE_DIGESTS, REFUSED, SHA256

DIGEST = Digest.parse(SHA256)


@pytest.mark.parametrize("text", [text for text in ACCEPTED + BARE_DIGESTS if len(text) < 400])
def test_what_is_a_reference_survives_a_round_trip(text: str) -> None:
    reference = Reference.parse(text)
    assert Reference.parse(str(reference)) == reference


def test_the_longest_text_may_grow_when_it_is_normalised() -> None:
    assert str(Reference.parse("x" * 512)) == "x" * 512 + ":latest"


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_no_reference_is_refused(text: str) -> None:
    with pytest.raises(InvalidReference):
        Reference.parse(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nginx", Reference("docker.io", "library/nginx", "latest")),
        ("nginx:1.25", Reference("docker.io", "library/nginx", "1.25")),
        ("bitnami/nginx", Reference("docker.io", "bitnami/nginx", "latest")),
        ("localhost:5000", Reference("docker.io", "library/localhost", "5000")),
        ("localhost/x:1", Reference("localhost", "x", "1")),
        ("registry.example.com:5000/app", Reference("registry.example.com:5000", "app", "latest")),
        ("registry:5000/a/b:1", Reference("registry:5000", "a/b", "1")),
        ("MyReg.example.com/x", Reference("myreg.example.com", "x", "latest")),
        ("a.b", Reference("docker.io", "library/a.b", "latest")),
        (f"nginx@{SHA256}", Reference("docker.io", "library/nginx", None, DIGEST)),
        (f"a:5/b:1@{SHA256}", Reference("a:5", "b", "1", DIGEST)),
    ],
)
def test_p_r1_each_part_stands_where_docker_puts_it(text: str, expected: Reference) -> None:
    assert Reference.parse(text) == expected


@pytest.mark.parametrize(
    "text", ["nginx", "docker.io/nginx", "index.docker.io/library/nginx:latest", "Docker.io/nginx"]
)
def test_the_names_of_one_image_on_docker_hub_meet(text: str) -> None:
    assert Reference.parse(text) == Reference.parse("docker.io/library/nginx:latest")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("docker.io/library/nginx", "nginx:latest"),
        ("docker.io/cyroid/kali:1", "cyroid/kali:1"),
        ("docker.io/library/a/b:1", "library/a/b:1"),
        ("docker.io/a.b/c:1", "docker.io/a.b/c:1"),
        ("docker.io/localhost/c:1", "docker.io/localhost/c:1"),
        (f"docker.io/library/{SHA256}", f"docker.io/library/{SHA256}"),
        ("ghcr.io/library/x:1", "ghcr.io/library/x:1"),
    ],
)
def test_it_prints_as_short_as_it_can_be_read_again(text: str, shown: str) -> None:
    assert str(Reference.parse(text)) == shown


def test_a_password_is_never_repeated() -> None:
    for text in ("me:s3cret@host/x", "https://me:s3cret@host/x", "me:s3cret@host/x@" + SHA256):
        with pytest.raises(InvalidReference) as refused:
            Reference.parse(text)
        assert "s3cret" not in str(refused.value)


def test_a_refusal_stays_short_whatever_was_written() -> None:
    with pytest.raises(InvalidReference) as refused:
        Reference.parse("x:" + "y" * 400)
    assert len(str(refused.value)) < 300


def test_a_move_to_docker_hub_adds_the_namespace_that_it_implies() -> None:
    assert Reference.parse("registry:5000/kali:1").at("docker.io") == Reference.parse("kali:1")
    assert str(Reference.parse("nginx").at("Mirror:5000")) == "mirror:5000/library/nginx:latest"


def test_the_tagged_name_has_no_digest() -> None:
    assert Reference.parse(f"nginx:1@{SHA256}").tagged == Reference.parse("nginx:1")


WHY_NOT = {
    "nothing": ("", "has 1 to 512 characters"),
    "a-space": ("a b", "only printable ASCII without spaces"),
    "a-control-character": ("nginx\n", "only printable ASCII without spaces"),
    "another-alphabet": ("ngin\u0445", "only printable ASCII without spaces"),
    "an-address": ("https://host/x", "is a URL: name the image"),
    "credentials": ("user:secret@host/x", "holds no credentials"),
    "an-id": (f"sha256:{'a' * 64}", "an image ID is not a reference"),
    "a-tag": ("nginx:-x", "is not a tag"),
    "a-component": ("a/B", "is not a path component"),
    "a-host": ("Local/x", "is not a host"),
}


@pytest.mark.parametrize(("text", "why"), WHY_NOT.values(), ids=WHY_NOT)
def test_a_refusal_says_which_rule_is_broken(text: str, why: str) -> None:
    with pytest.raises(InvalidReference, match=why):
        Reference.parse(text)
