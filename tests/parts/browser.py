"""A real Chromium, Debian's, as people have it: driven by playwright, with a profile of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.lab import tools

FLAGS = (
    "--no-sandbox",  # as root it has none
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)
WAIT_MS = 20_000
"""What a busy machine may take for anything; a quiet one takes a tenth of a second."""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for a file; each test has a context, and so cookies and storage, of its own.

    Its driver runs an event loop in this thread until it ends, beside which no other test could
    run one.
    """
    expect.set_options(timeout=WAIT_MS)
    with tempfile.TemporaryDirectory(prefix="chromium-") as home, sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=str(tools.ensure("chromium")),
            headless=True,
            args=list(FLAGS),
            env={"HOME": home, "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
            downloads_path=home,
        )
        yield browser
        browser.close()


class Watched:
    """What a page did that none may do: ask another host, fail in its code, break its own rules."""

    def __init__(self, page: Page, origin: str) -> None:
        self.faults: list[str] = []
        page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        page.on("console", lambda said: self._said(said.type, said.text))
        page.on("request", lambda asked: self._asked(asked.url, origin))

    def _said(self, kind: str, text: str) -> None:
        # a refused request is told there, too: tests of refusals look at what the page says
        if kind == "error" and "Failed to load resource" not in text:
            self.faults.append(f"console: {text}")

    def _asked(self, url: str, origin: str) -> None:
        if not url.startswith((f"{origin}/", "data:", "blob:")):
            self.faults.append(f"another host: {url}")
        if "token" in url.lower() or "eyJ" in url:
            self.faults.append(f"a token in an address: {url}")


@contextmanager
def new_page(
    browser: Browser,
    origin: str,
    *,
    token: str | None = None,
    width: int = 1280,
    height: int = 860,
    dark: bool = False,
) -> Iterator[Page]:
    """A page of a person of their own; signed in where a token is given.

    In the end it must have asked no other host, and nothing in it may have failed.
    """
    context: BrowserContext = browser.new_context(
        base_url=origin,
        viewport={"width": width, "height": height},
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce",
        locale="en-GB",
    )
    context.set_default_timeout(WAIT_MS)
    page = context.new_page()
    watched = Watched(page, origin)
    if token is not None:
        page.goto("/")
        page.get_by_label("Token").fill(token)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("navigation").wait_for()
    try:
        yield page
    finally:
        context.close()
    assert not watched.faults


def picture(page: Page, path: Path) -> None:
    """What is in the window, as PNG."""
    page.screenshot(path=path, animations="disabled", caret="hide")
