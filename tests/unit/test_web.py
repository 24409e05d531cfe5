"""The files of the page: what is served, and what no page of ours may hold."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import cyroid_images
from cyroid_images.api.guard import HEADERS

FOLDER = Path(cyroid_images.__file__).parent / "web"
FILES = sorted(each for each in FOLDER.rglob("*") if each.suffix in {".html", ".css", ".js"})
SCRIPTS = [each for each in FILES if each.suffix == ".js"]


def test_every_file_that_the_page_names_is_there() -> None:
    page = (FOLDER / "index.html").read_text()
    named = re.findall(r'(?:src|href)="/(assets/[^"]+)"', page)
    assert len(named) >= 3
    for name in named:
        assert (FOLDER / name).is_file(), name
    for script in SCRIPTS:
        for name in re.findall(r'from "\./([^"]+)"', script.read_text()):
            assert (script.parent / name).is_file(), f"{script.name} imports {name}"


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
    page = (FOLDER / "index.html").read_text()
    assert re.findall(r"<script(?![^>]*\bsrc=)", page) == []
    assert "<style" not in page
    assert not re.search(r"\s(?:style|on\w+)=", page)
    assert "default-src 'self'" in HEADERS["Content-Security-Policy"]
    assert "unsafe" not in HEADERS["Content-Security-Policy"]


def test_only_files_for_browsers_are_beside_the_page() -> None:
    assert {each.suffix for each in FOLDER.rglob("*") if each.is_file()} == {
        ".html",
        ".css",
        ".js",
        ".svg",
    }
