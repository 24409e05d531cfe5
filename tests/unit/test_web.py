"""The files of the page: what is served, and what no page of ours may hold."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cyroid_images import web

FILES = sorted(each for each in web.FOLDER.rglob("*") if each.suffix in {".html", ".css", ".js"})
SCRIPTS = [each for each in FILES if each.suffix == ".js"]


@pytest.mark.parametrize(
    "path", ["", "registry", "ranges/spring/range-01", "events/spring", "import"]
)
def test_each_address_of_the_page_is_answered_by_it(path: str) -> None:
    found = web.asset(path)
    assert found is not None
    assert found.media_type == "text/html; charset=utf-8"
    assert b"assets/js/main.js" in found.content


@pytest.mark.parametrize(
    "path",
    ["nothing", "api/v1/me", "assets/__init__.py", "assets/../__init__.py", "assets/js/../../web"],
)
def test_nothing_else_is_answered(path: str) -> None:
    assert web.asset(path) is None


def test_every_file_that_the_page_names_is_served() -> None:
    page = web.asset("")
    assert page is not None
    for name in re.findall(r'(?:src|href)="(assets/[^"]+)"', page.content.decode()):
        assert web.asset(name), name
    for script in SCRIPTS:
        for name in re.findall(r'from "\./([^"]+)"', script.read_text()):
            assert web.asset(f"assets/js/{name}"), f"{script.name} imports {name}"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_no_file_reaches_past_our_own_host_or_writes_html(file: Path) -> None:
    text = file.read_text()
    hosts = set(re.findall(r"https?://[^\"'\s)]+", text)) - {"http://www.w3.org/2000/svg"}
    assert not hosts
    for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "url("):
        assert word not in text


@pytest.mark.parametrize("file", SCRIPTS, ids=lambda file: file.name)
def test_a_module_can_be_read_and_says_what_it_is_for(file: Path) -> None:
    lines = file.read_text().splitlines()
    assert lines[0].startswith("// ")
    assert len(lines) <= 250


def test_the_page_holds_no_script_or_style_of_its_own() -> None:
    page = (web.FOLDER / "index.html").read_text()
    assert re.findall(r"<script(?![^>]*\bsrc=)", page) == []
    assert "<style" not in page
    assert not re.search(r"\s(?:style|on\w+)=", page)
    assert "default-src 'self'" in web.HEADERS["Content-Security-Policy"]
    assert "unsafe" not in web.HEADERS["Content-Security-Policy"]
