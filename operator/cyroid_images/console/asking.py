"""A question to the API server, asked while something else is done."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def asked(question: Callable[[], T]) -> Callable[[], T]:
    """Ask at once in a thread of its own; the function that comes back waits for the answer, or
    raises what the question raised.
    """
    answers: list[T] = []
    failures: list[BaseException] = []

    def ask() -> None:
        try:
            answers.append(question())
        except BaseException as exc:  # raised where the answer is wanted
            failures.append(exc)

    thread = threading.Thread(target=ask, name="asked", daemon=True)
    thread.start()

    def answer() -> T:
        thread.join()
        if failures:
            raise failures[0]
        return answers[0]

    return answer
