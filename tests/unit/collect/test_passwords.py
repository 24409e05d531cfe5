"""Who may ask, by an htpasswd file."""

from __future__ import annotations

import base64
from pathlib import Path

import bcrypt
import pytest

from cyroid_images.collect.passwords import may_ask


@pytest.fixture
def file(tmp_path: Path) -> Path:
    hashed = bcrypt.hashpw(b"s3cret:with colon", bcrypt.gensalt(4)).decode()
    lines = ["# people", f"cyroid:{hashed}", "md5:$apr1$x$y", "no colon", ""]
    (tmp_path / "htpasswd").write_text("\n".join(lines))
    return tmp_path / "htpasswd"


def basic(text: str) -> str:
    return f"Basic {base64.b64encode(text.encode()).decode()}"


def test_the_right_password_is_let_in(file: Path) -> None:
    assert may_ask(file, basic("cyroid:s3cret:with colon"))


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Basic",
        "Basic !!!",
        "Bearer x",
        basic("cyroid"),
        basic("cyroid:"),
        basic("cyroid:wrong"),
        basic("nobody:s3cret:with colon"),
        basic("md5:x"),
        basic("# people:x"),
        basic("cyroid:" + "x" * 100),
        basic("x" * 10_000),
    ],
)
def test_everybody_else_is_not(file: Path, header: str | None) -> None:
    assert not may_ask(file, header)


def test_a_new_password_counts_at_once(file: Path) -> None:
    hashed = bcrypt.hashpw(b"new", bcrypt.gensalt(4)).decode()
    file.write_text(f"cyroid:{hashed}\n")
    assert may_ask(file, basic("cyroid:new"))
    assert not may_ask(file, basic("cyroid:s3cret:with colon"))
