"""Paths come from checked parts only; an upload goes on where its Location says, or nowhere."""

from __future__ import annotations

import httpx
import pytest

from cyroid_images.errors import InvalidReference, Reason, TransferError
from cyroid_images.model.images.digest import Digest
from cyroid_images.registry.names import blob_path, manifest_path, upload_url, with_digest

DIGEST = Digest.of(b"x")
ASKED = httpx.URL("http://registry:5001/v2/a/b/blobs/uploads/")


@pytest.mark.parametrize(
    "repository",
    [
        "..",
        "a/../b",
        "a/b?x=1",
        "a#b",
        "a%2e%2e/b",
        "A/b",
        "a//b",
        "/a",
        "a/",
        "",
        "a b",
        "é",
        "a\n",
        "a/" * 128,
    ],
)
def test_p_r7_a_repository_with_user_text_never_reaches_a_url(repository: str) -> None:
    """P-R7: the predecessor put `..`, `?` and `#` into URLs as they came."""
    with pytest.raises(InvalidReference):
        blob_path(repository, DIGEST)


@pytest.mark.parametrize("tag", ["..", "a/b", "a?b", "", "-a", "x" * 129, "a\n"])
def test_p_r7_a_tag_with_user_text_never_reaches_a_url(tag: str) -> None:
    """P-R7, for the other half of a name."""
    with pytest.raises(InvalidReference):
        manifest_path("a/b", tag)


@pytest.mark.parametrize(
    "repository", ["docker.io/library/nginx", "10.0.0.1_5000/kali", "local/a__b", "x__long/ab12"]
)
def test_a_mapped_repository_is_legal(repository: str) -> None:
    """What the mapping of references makes must pass here."""
    assert manifest_path(repository, "_pin-12ab") == f"/v2/{repository}/manifests/_pin-12ab"


@pytest.mark.parametrize(
    ("location", "goes_on_at"),
    [
        pytest.param("/up/1", "http://registry:5001/up/1", id="relative"),
        pytest.param("1?_state=a%2Bb%3D", f"{ASKED}1?_state=a%2Bb%3D", id="relative-with-query"),
        pytest.param("http://registry:5001/up/1?s=a", "http://registry:5001/up/1?s=a", id="whole"),
        pytest.param("//registry:5001/up", "http://registry:5001/up", id="without-scheme"),
    ],
)
def test_an_upload_goes_on_at_its_location(location: str, goes_on_at: str) -> None:
    """Relative or absolute, with or without a query."""
    assert str(upload_url(ASKED, location, "act")) == goes_on_at


def test_a_proxy_that_ends_tls_does_not_lead_to_plain_http() -> None:
    """The registry behind it does not know by which scheme it was asked."""
    asked = httpx.URL("https://registry.example/v2/a/blobs/uploads/")
    went_on = upload_url(asked, "http://registry.example/up/1", "act")
    assert str(went_on) == "https://registry.example/up/1"


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        pytest.param("http://other:5001/up", Reason.UNTRUSTED_REDIRECT, id="another-host"),
        pytest.param("http://registry:80/up", Reason.UNTRUSTED_REDIRECT, id="another-port"),
        pytest.param("http://u:p@registry:5001/", Reason.UNTRUSTED_REDIRECT, id="credentials"),
        pytest.param("", Reason.PROTOCOL_ERROR, id="none"),
        pytest.param("http://registry:port/", Reason.PROTOCOL_ERROR, id="no-url"),
    ],
)
def test_an_upload_never_leaves_its_registry(location: str, reason: Reason) -> None:
    """The next request would carry the credentials there."""
    with pytest.raises(TransferError) as caught:
        upload_url(ASKED, location, "act")
    assert caught.value.reason is reason


def test_the_digest_is_appended_and_the_state_kept_to_the_letter() -> None:
    """The registry signed its state; another spelling would not verify."""
    closing = with_digest(httpx.URL("http://registry/up/1?_state=a%2Bb%3D%3D"), DIGEST)
    assert closing.params["_state"] == "a+b=="
    assert closing.params["digest"] == str(DIGEST)
