"""The page in a real Chromium: on a stand-in whose answers tests decide, and on the real API."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial

import pytest
from playwright.sync_api import Browser, Page

from tests.component.api.conftest import account, accounts, api, apiserver, world
from tests.parts import page_answers
from tests.parts.browser import chromium, new_page
from tests.parts.page_api import PageApi, serving

__all__ = ["account", "accounts", "api", "apiserver", "chromium", "world"]

Opening = Callable[..., AbstractContextManager[Page]]
TOKEN = "token-of-anna"


@dataclass(frozen=True, slots=True)
class StandIn:
    """The stand-in, and how a person opens the page on it: signed in, unless told otherwise."""

    api: PageApi
    url: str
    open: Opening


@pytest.fixture
def stand_in(chromium: Browser) -> Iterator[StandIn]:
    """With life in it."""
    api = PageApi()
    page_answers.alive(api)
    with serving(api) as url:
        yield StandIn(api, url, partial(new_page, chromium, url, token=TOKEN))
