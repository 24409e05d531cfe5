"""Credentials out of a dockerconfigjson: for the host that is written, and never told."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.docker_config import credentials_for
from cyroid_images.model.registry import Credentials

ME = Credentials("me", "s3cret:with:colons")
ENCODED = base64.b64encode(b"me:s3cret:with:colons").decode()


def config(auths: dict[str, Any]) -> bytes:
    return json.dumps({"auths": auths}).encode()


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param({"auth": ENCODED}, id="auth"),
        pytest.param({"auth": ENCODED.rstrip("=") + "\n"}, id="auth-without-padding"),
        pytest.param({"username": "me", "password": "s3cret:with:colons"}, id="fields"),
        pytest.param({"auth": ENCODED, "username": "x", "password": "y"}, id="auth-goes-first"),
    ],
)
def test_both_forms_are_read(entry: dict[str, str]) -> None:
    """kubectl writes all of them, docker login only the first."""
    assert credentials_for("ghcr.io", config({"ghcr.io": entry})) == ME


@pytest.mark.parametrize(
    ("key", "host"),
    [
        ("https://index.docker.io/v1/", "docker.io"),
        ("index.docker.io", "docker.io"),
        ("docker.io", "docker.io"),
        ("registry-1.docker.io", "docker.io"),
        ("https://ghcr.io", "ghcr.io"),
        ("https://ghcr.io/v2/", "ghcr.io"),
        ("GHCR.io", "ghcr.io"),
        ("10.0.0.1:5000", "10.0.0.1:5000"),
    ],
)
def test_a_host_is_found_by_each_spelling(key: str, host: str) -> None:
    """docker login and people spell it differently."""
    assert credentials_for(host, config({key: {"auth": ENCODED}})) == ME


@pytest.mark.parametrize(
    "key",
    ["ghcr.io.evil.example", "evil.example/ghcr.io", "*.io", "ghcr.io/team", "ghcr.io:5000", ""],
)
def test_h7_another_hosts_credentials_are_not_used(key: str) -> None:
    """H7: nor those for a part of the host only."""
    assert credentials_for("ghcr.io", config({key: {"auth": ENCODED}})) is None


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b'{"auths": {"ghcr.io": {"auth": "s3cret"', id="cut"),
        pytest.param(b'"s3cret"', id="text"),
        pytest.param(b'{"credsStore": "s3cret"}', id="no-auths"),
        pytest.param(b'{"auths": ["s3cret"]}', id="auths-list"),
        pytest.param(b"\xff\xfes3cret", id="no-text"),
        pytest.param(config({"ghcr.io": "s3cret"}), id="entry-text"),
        pytest.param(config({"ghcr.io": {"auth": "s3cret!"}}), id="no-base64"),
        pytest.param(config({"ghcr.io": {"auth": 7, "s3cret": 1}}), id="auth-number"),
        pytest.param(config({"ghcr.io": {"identitytoken": "s3cret"}}), id="token-only"),
        pytest.param(config({"ghcr.io": {"username": "s3cret"}}), id="no-password"),
    ],
)
def test_what_is_unusable_is_said_without_repeating_it(document: bytes) -> None:
    """A wrong Secret is found by its message alone; a traceback shows no cause either."""
    with pytest.raises(TransferError) as caught:
        credentials_for("ghcr.io", document)
    assert caught.value.reason is Reason.SECRET_MISSING
    assert "s3cret" not in caught.value.message
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
