"""How long servers take to answer, asked every 20 ms from a thread of our own."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection
from statistics import median
from urllib.parse import urlsplit

EVERY_SECONDS = 0.02
IDLE_SECONDS = 3.0
ANSWER_SECONDS = 60.0
"""An answer that takes longer fails the measure: there is no figure for it."""


class Answers:
    """Milliseconds per answer, by the name of who answered."""

    def __init__(self, names: Mapping[str, object]) -> None:
        self._took: dict[str, list[float]] = {name: [] for name in names}

    def add(self, name: str, milliseconds: float) -> None:
        self._took[name].append(milliseconds)

    def worst(self, name: str) -> float:
        return max(self._took[name])

    def usual(self, name: str) -> float:
        return median(self._took[name])

    def count(self, name: str) -> int:
        return len(self._took[name])


@contextmanager
def polled(urls: Mapping[str, str]) -> Iterator[Answers]:
    """Ask all of them, each in a thread of its own, until the context ends."""
    answers, ended = Answers(urls), threading.Event()
    threads = [
        threading.Thread(target=_poll, args=(name, url, answers, ended), name=f"poll-{name}")
        for name, url in urls.items()
    ]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    assert all(answers.count(name) for name in urls), "a server did not answer once"


def idle(urls: Mapping[str, str]) -> Answers:
    """How they answer while nothing happens."""
    with polled(urls) as answers:
        time.sleep(IDLE_SECONDS)
    return answers


def _poll(name: str, url: str, answers: Answers, ended: threading.Event) -> None:
    place = urlsplit(url)
    connection = HTTPConnection(place.netloc, timeout=ANSWER_SECONDS)
    connection.connect()
    while not ended.wait(EVERY_SECONDS):
        began = time.monotonic()
        connection.request("GET", place.path)
        connection.getresponse().read()
        answers.add(name, (time.monotonic() - began) * 1000)
    connection.close()
