"""Screen readers, keyboards, telephones, dark rooms: axe finds nothing, nothing needs a mouse."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.component.web.conftest import StandIn
from tests.parts.page_api import Refusal

VIEWS = {
    "/registry": "ghcr.io/misp/misp-core",
    "/ranges": "17 of 20 ranges ready",
    "/events": "spring",
    "/events/spring": "1 range needs somebody",
    "/ranges/spring/range-05": "no source has it",
    "/sources": "cyroid/mail-relay:0.9",
    "/import": "Push its images to the registry now",
    "/health": "92 % of 50 GB",
}
"""By address: what is there once it is whole."""


def violations(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{each['impact']} {each['id']}: {each['nodes'][0]['html'][:200]}" for each in found]


def open_view(page: Page, path: str) -> None:
    page.goto(path)
    expect(page.get_by_text(VIEWS[path]).first).to_be_visible()


@pytest.mark.parametrize(
    ("dark", "width"), [(False, 1280), (True, 1280), (False, 360)], ids=["light", "dark", "phone"]
)
def test_axe_finds_nothing(stand_in: StandIn, dark: bool, width: int) -> None:
    with stand_in.open(dark=dark, width=width, height=740) as page:
        found = {}
        for path in VIEWS:
            open_view(page, path)
            found[path] = violations(page)
    assert {path: each for path, each in found.items() if each} == {}


def test_axe_finds_nothing_in_questions_errors_and_sign_in(stand_in: StandIn) -> None:
    with stand_in.open() as page:
        page.get_by_role("button", name="Delete cyroid/samba-dc:latest").click()
        expect(page.get_by_role("dialog")).to_be_visible()
        found = violations(page)
        page.keyboard.press("Escape")
        stand_in.api.answers["GET ranges"] = Refusal(503, "nobody answers")
        page.goto("/ranges")
        expect(page.get_by_role("alert")).to_be_visible()
        found += violations(page)
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_label("Token")).to_be_focused()
        found += violations(page)
    assert found == []


@pytest.mark.parametrize("path", VIEWS)
def test_nothing_is_wider_than_a_telephone(stand_in: StandIn, path: str) -> None:
    with stand_in.open(width=360, height=740) as page:
        open_view(page, path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        small = page.locator("button:visible, a:visible, select:visible")
        boxes = [small.nth(number).bounding_box() for number in range(small.count())]
        assert all(box and box["x"] >= 0 and box["x"] + box["width"] <= 360 for box in boxes)


def test_everything_can_be_done_from_the_keyboard(stand_in: StandIn) -> None:
    asked = stand_in.api.asked
    stand_in.api.answers["DELETE registry/images/cyroid/kali-attack:latest"] = {
        "success": True,
        "message": "Removed cyroid/kali-attack:latest",
    }
    with stand_in.open(token=None) as page:
        page.goto("/")
        page.keyboard.type("abc")  # the field has the focus
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.get_by_role("cell", name="ghcr.io/misp/misp-core", exact=True)).to_be_visible()
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Registry", exact=True)).to_be_focused()
        _tab_to(page, "Delete cyroid/kali-attack:latest")
        page.keyboard.press("Enter")
        expect(page.get_by_role("dialog").get_by_role("button", name="Cancel")).to_be_focused()
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
        expect(page.get_by_role("button", name="Delete cyroid/kali-attack:latest")).to_be_focused()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.get_by_text("Removed cyroid/kali-attack:latest.")).to_be_visible()
    assert ("DELETE registry/images/cyroid/kali-attack:latest", {"cache": "default"}, b"") in asked


def _tab_to(page: Page, name: str) -> None:
    """As a person does: press Tab until it has the focus, which is seen."""
    for _ in range(60):
        page.keyboard.press("Tab")
        now = page.evaluate(
            "[document.activeElement.getAttribute('aria-label'),"
            " getComputedStyle(document.activeElement).outlineStyle]"
        )
        assert now[1] != "none", "what has the focus cannot be seen"
        if now[0] == name:
            return
    raise AssertionError(f"Tab does not lead to {name}")


def test_dark_rooms_have_a_dark_page(stand_in: StandIn) -> None:
    lightness = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)[0]"
    with stand_in.open(dark=True) as page:
        assert page.evaluate(lightness) < 60
    with stand_in.open() as page:
        assert page.evaluate(lightness) > 200


def test_numbers_that_change_move_nothing(stand_in: StandIn) -> None:
    with stand_in.open() as page:
        page.goto("/ranges")
        expect(page.get_by_text("17 of 20 ranges ready")).to_be_visible()
        before = page.locator(".tile").nth(1).bounding_box()
        row = {**stand_in.api.answers["GET ranges"]({}, None)["items"][1], "images_present": 11}
        stand_in.api.emit("ranges/events", "ranges", {"changed": [row], "removed": []})
        expect(page.locator(".tile").nth(1)).to_contain_text("11/13")
        assert page.locator(".tile").nth(1).bounding_box() == before
