"""Loading, empty, failed, old, unknown: told in words, and what failed can be asked again."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.component.web.conftest import StandIn
from tests.parts import page_answers
from tests.parts.page_api import Refusal


def health(page: Page) -> Any:
    return page.locator(".card").first


def test_health_is_unknown_when_it_could_not_be_asked(stand_in: StandIn) -> None:
    with stand_in.open() as page:
        expect(health(page)).to_contain_text("Healthy")
        stand_in.api.answers["GET registry/stats"] = Refusal(503, "the watch is lost; try again")
        health(page).get_by_role("button").click()
        expect(health(page)).to_contain_text("Unknown")
        expect(health(page)).to_contain_text("The watch is lost; try again. Last known at")
        page_answers.alive(stand_in.api)
        health(page).get_by_role("button", name="Try again").click()
        expect(health(page)).to_contain_text("Healthy")


@pytest.mark.parametrize(
    ("healthy", "word"), [(True, "Healthy"), (False, "Unhealthy"), (None, "Unknown")]
)
def test_health_has_three_states(stand_in: StandIn, healthy: bool | None, word: str) -> None:
    stand_in.api.answers["GET registry/stats"] = page_answers.stats(
        healthy=healthy, message="disk full", image_count=None, tag_count=None, stored_bytes=None
    )
    with stand_in.open() as page:
        expect(health(page).locator("strong")).to_have_text(word)
        expect(page.locator(".card", has_text="Images")).to_contain_text("unknown")


@pytest.mark.parametrize(
    ("path", "what", "there"),
    [
        ("/ranges", "GET ranges", "17 of 20 ranges ready"),
        ("/events", "GET events", "17 of 20 ranges ready"),
        ("/ranges/spring/range-05", "GET ranges/spring/range-05", "no source has it"),
        ("/sources", "GET cache/images", "cyroid/mail-relay:0.9"),
        ("/health", "GET doctor", "92 % of 50 GB"),
        ("/registry", "GET registry/tags", "ghcr.io/misp/misp-core"),
    ],
)
def test_what_failed_says_so_and_can_be_asked_again(
    stand_in: StandIn, path: str, what: str, there: str
) -> None:
    good = stand_in.api.answers[what]
    stand_in.api.answers[what] = Refusal(503, "the API server does not answer")
    with stand_in.open() as page:
        page.goto(path)
        alert = page.get_by_role("alert").filter(has_text="The API server does not answer.")
        expect(alert).to_be_visible()
        expect(page.get_by_text(there).first).not_to_be_visible()
        stand_in.api.answers[what] = good
        alert.get_by_role("button", name="Try again").click()
        expect(page.get_by_text(there).first).to_be_visible()
        expect(alert).not_to_be_visible()


def test_what_was_shown_stays_and_is_marked_as_old(stand_in: StandIn) -> None:
    with stand_in.open() as page:
        page.goto("/ranges")
        expect(page.get_by_text("17 of 20 ranges ready")).to_be_visible()
        stand_in.api.answers["GET ranges"] = Refusal(503, "the API server does not answer")
        stand_in.api.emit("ranges/events", "ranges", {"changed": [], "removed": ["a/b"]})
        expect(page.get_by_role("alert")).to_contain_text("What is shown is as of")
        expect(page.get_by_text("17 of 20 ranges ready")).to_be_visible()


@pytest.mark.parametrize(
    ("path", "what", "answer", "words"),
    [
        ("/registry", "registry/tags", {"items": [], "total": 0}, "The registry is empty."),
        ("/ranges", "ranges", {"items": [], "total": 0, "ready": 0}, "There is no range yet."),
        ("/events", "events", [], "No range carries the label"),
        ("/sources", "cache/images", [], "No engine source holds a named image"),
        ("/registry", "registry/gc", {"running": False}, "Nothing was collected yet."),
        ("/registry", "registry/unpushed", [], "The registry has every image"),
    ],
)
def test_what_is_empty_says_what_fills_it(
    stand_in: StandIn, path: str, what: str, answer: Any, words: str
) -> None:
    stand_in.api.answers[f"GET {what}"] = answer
    with stand_in.open() as page:
        page.goto(path)
        expect(page.get_by_text(words)).to_be_visible()


def test_an_answer_that_does_not_come_ends_in_words_after_thirty_seconds(
    stand_in: StandIn,
) -> None:
    held = threading.Event()

    def never(_query: Any, _body: Any) -> Any:
        held.wait(60)
        return {"items": [], "total": 0}

    stand_in.api.answers["GET registry/tags"] = never
    with stand_in.open(token=None) as page:
        page.clock.install()
        page.goto("/")
        page.get_by_label("Token").fill("abc")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_text("Loading the tags…")).to_be_visible()
        page.clock.fast_forward(31_000)
        expect(page.get_by_role("alert").first).to_contain_text("did not answer within 30 s")
        held.set()


def test_what_the_server_says_is_text(stand_in: StandIn) -> None:
    evil = "<img src=x onerror=document.title='taken'>"
    row = page_answers.tag_row(1, evil, "v1", 10)
    stand_in.api.answers["GET registry/tags"] = {"items": [row], "total": 1}
    stand_in.api.answers["GET registry/stats"] = page_answers.stats(healthy=False, message=evil)
    with stand_in.open() as page:
        expect(page.get_by_role("cell", name=evil, exact=True)).to_be_visible()
        expect(health(page)).to_contain_text(evil)
        page.get_by_role("button", name=f"Delete {evil}").click()
        expect(page.get_by_role("dialog")).to_contain_text(f"Delete {evil}:v1?")
        assert page.locator("img").count() == 0
        expect(page).not_to_have_title("taken")


def test_there_is_no_such_page(stand_in: StandIn) -> None:
    with stand_in.open() as page:
        page.goto("/nothing/here")
        expect(page.get_by_role("heading", name="There is no such page")).to_be_visible()
        page.get_by_role("link", name="To the registry").click()
        expect(page.get_by_role("heading", name="Registry", exact=True)).to_be_focused()
