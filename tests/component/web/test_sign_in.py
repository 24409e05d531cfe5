"""Who is asked for a token, what becomes of it, and what the page says of one that is no good."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.component.web.conftest import TOKEN, StandIn
from tests.parts import page_answers
from tests.parts.page_api import Refusal


def test_a_token_opens_the_page_and_stays_in_this_tab(stand_in: StandIn) -> None:
    with stand_in.open(token=None) as page:
        page.goto("/ranges")
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        expect(page.get_by_text("kubectl create token NAME")).to_be_visible()
        # as it is pasted: with a line break, as a terminal cuts it
        page.get_by_label("Token").fill(f"{TOKEN[:5]}\n{TOKEN[5:]}\n")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", name="Ranges")).to_be_visible()
        kept = page.evaluate("[{...sessionStorage}, {...localStorage}, document.cookie]")
        assert TOKEN in kept[0].values()
        assert TOKEN not in str(kept[1:])
        page.reload()
        expect(page.get_by_text("17 of 20 ranges ready")).to_be_visible()
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        assert page.evaluate("sessionStorage.length") == 0
    assert set(stand_in.api.tokens) == {f"Bearer {TOKEN}"}


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Refusal(401, "this token is good no more: get a new one"), "This token is good no more"),
        (Refusal(503, "the Kubernetes API does not answer"), "does not answer"),
    ],
)
def test_a_token_that_is_not_taken_is_told_and_forgotten(
    stand_in: StandIn, answer: Refusal, words: str
) -> None:
    stand_in.api.answers["GET me"] = answer
    with stand_in.open(token=None) as page:
        page.goto("/")
        page.get_by_label("Token").fill(TOKEN)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_contain_text(words)
        assert page.evaluate("sessionStorage.length") == 0
        expect(page.get_by_label("Token")).to_be_focused()


def test_what_is_no_token_is_sent_nowhere(stand_in: StandIn) -> None:
    with stand_in.open(token=None) as page:
        page.goto("/")
        page.get_by_label("Token").fill("token\u2013with a dash from a document")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_contain_text("not a token")
    assert not stand_in.api.asked


def test_a_token_that_ends_while_the_page_is_open_asks_for_another(stand_in: StandIn) -> None:
    with stand_in.open() as page:
        expect(page.get_by_text("Healthy", exact=True)).to_be_visible()
        for what in ("me", "registry/stats", "registry/tags", "registry/events"):
            stand_in.api.answers[f"GET {what}"] = Refusal(401, "the token has ended")
        page.get_by_role("button", name="Refresh").click()
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        expect(page.get_by_role("alert")).to_contain_text("The token has ended")
        page.get_by_label("Token").fill(TOKEN)
        page_answers.alive(stand_in.api)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_text("Healthy", exact=True)).to_be_visible()


def test_who_may_not_read_is_told_whom_to_ask(stand_in: StandIn) -> None:
    stand_in.api.answers["GET me"] = page_answers.me(
        read=False, push=False, delete=False, create_ranges=False
    )
    with stand_in.open() as page:
        expect(page.get_by_role("heading", name="You may not read this")).to_be_visible()
        expect(page.get_by_text("Ask an administrator")).to_be_visible()


def test_what_nobody_may_do_is_not_there(stand_in: StandIn) -> None:
    stand_in.api.answers["GET me"] = page_answers.me(push=False, delete=False, create_ranges=False)
    with stand_in.open() as page:
        expect(page.get_by_role("cell", name="cyroid/samba-dc")).to_be_visible()
        expect(page.get_by_text("You may look; pushing needs the right")).to_be_visible()
        for name in ("Push to registry", "Push all missing", "Push", "Collect", "Dry run"):
            expect(page.get_by_role("button", name=name, exact=True)).to_have_count(0)
        expect(page.get_by_role("button", name="Delete")).to_have_count(0)
        expect(page.get_by_role("link", name="Import")).to_have_count(0)
        page.goto("/ranges/spring/range-05")
        expect(page.get_by_role("heading", name="Missing")).to_be_visible()
        expect(page.get_by_role("button", name="Suspend")).to_have_count(0)
        page.goto("/import")
        expect(page.get_by_text("You may not import")).to_be_visible()


def test_an_api_that_does_not_say_who_this_is_can_be_asked_again(stand_in: StandIn) -> None:
    with stand_in.open() as page:
        stand_in.api.answers["GET me"] = Refusal(503, "the Kubernetes API does not answer")
        page.reload()
        expect(page.get_by_role("heading", name="does not say who you are")).to_be_visible()
        page_answers.alive(stand_in.api)
        page.get_by_role("button", name="Try again").click()
        expect(page.get_by_text("Healthy", exact=True)).to_be_visible()
