"""Calls as values: names in paths are quoted, what was not chosen is not sent."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from cyroid_images.client import calls
from cyroid_images.client.content import PIECE, chunks_of
from cyroid_images.client.errors import Invalid, Unauthorized
from cyroid_images.client.options import token_file, token_now


def test_what_was_not_chosen_is_left_to_the_api() -> None:
    assert calls.tags().query == {}
    chosen = calls.tags(cache="c", matching="kali", unused=True, limit=50, offset=0).query
    assert chosen == {
        "cache": "c",
        "filter": "kali",
        "unused": "true",
        "limit": "50",
        "offset": "0",
    }


@pytest.mark.parametrize(
    ("image", "path"),
    [
        ("reg:5000/cyroid/kali:latest", "reg:5000/cyroid/kali:latest"),
        ("a/b@sha256:00", "a/b@sha256:00"),
        ("a?b#c %.../d", "a%3Fb%23c%20%25.../d"),
    ],
)
def test_an_image_in_a_path_stays_one(image: str, path: str) -> None:
    assert calls.image_status(image).path == f"/api/v1/registry/status/{path}"
    assert calls.delete_image(image).path == f"/api/v1/registry/images/{path}"


def test_a_name_cannot_lead_to_another_path() -> None:
    assert calls.range_detail("red/x", "y").path == "/api/v1/ranges/red%2Fx/y"
    assert calls.event("a/b?c").path == "/api/v1/events/a%2Fb%3Fc"
    assert calls.push_status("x/y?").path == "/api/v1/registry/push/x%2Fy%3F/status"


@pytest.mark.parametrize("name", ["", ".", "..", "a/../../gc", "../x"])
def test_what_would_be_resolved_to_another_path_is_refused(name: str) -> None:
    with pytest.raises(Invalid, match="is none of an image or an object"):
        calls.delete_image(name)
    with pytest.raises(Invalid):
        calls.suspend_range("red", name)


@pytest.mark.parametrize("form", ["path", "file", "pieces"])
def test_content_is_read_in_pieces(tmp_path: Path, form: str) -> None:
    data = bytes(range(256)) * 4096
    file = tmp_path / "x"
    file.write_bytes(data)
    content: Any = {"path": file, "file": io.BytesIO(data), "pieces": [data[:7], b"", data[7:]]}
    pieces = list(chunks_of(content[form]))
    assert b"".join(pieces) == data
    assert all(pieces), "an empty piece would end an upload"
    assert form == "pieces" or max(map(len, pieces)) <= PIECE < len(data)


def test_only_reading_calls_may_be_repeated() -> None:
    assert calls.images().only_reads
    for call in (calls.push("x"), calls.delete_image("x"), calls.collect(), calls.reconcile()):
        assert not call.only_reads


def test_a_token_is_read_from_its_file_each_time(tmp_path: Path) -> None:
    file = tmp_path / "token"
    token = token_file(file)
    file.write_text("first\n")
    assert token_now(token) == "first"
    file.write_text("second\n")
    assert token_now(token) == "second"


def test_a_token_that_cannot_be_read_is_as_none(tmp_path: Path) -> None:
    with pytest.raises(Unauthorized, match="cannot be read: No such file"):
        token_now(token_file(tmp_path / "absent"))


@pytest.mark.parametrize("token", ["", " ", "sec ret", "secret\nX-Header: 1", "sécret"])
def test_what_is_no_token_is_refused_and_not_repeated(token: str) -> None:
    with pytest.raises(Unauthorized) as caught:
        token_now(token)
    assert "cret" not in str(caught.value)
