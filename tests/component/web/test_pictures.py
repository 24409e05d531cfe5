"""Pictures of the page for the README, made anew by `CYROID_PICTURES=FOLDER pytest` of this file.

Beside that they are made into a folder that goes away: what cannot be drawn is found at once.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.component.web.conftest import StandIn
from tests.parts.browser import picture

MOST_BYTES = 150_000
PICTURES = {
    "registry": ("/registry", "ghcr.io/misp/misp-core", False),
    "event-dark": ("/events/spring", "1 range needs somebody", True),
    "range": ("/ranges/spring/range-05", "no source has it", False),
    "health": ("/health", "92 % of 50 GB", False),
}
"""By name: address, what is there once it is whole, whether in the dark."""


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_shows_the_page(stand_in: StandIn, name: str, tmp_path: Path) -> None:
    path, there, dark = PICTURES[name]
    folder = Path(os.environ.get("CYROID_PICTURES", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    with stand_in.open(dark=dark, width=1200, height=760) as page:
        page.goto(path)
        expect(page.get_by_text(there).first).to_be_visible()
        picture(page, folder / f"{name}.png")
    content = (folder / f"{name}.png").read_bytes()
    assert content.startswith(b"\x89PNG")
    assert 10_000 < len(content) < MOST_BYTES
