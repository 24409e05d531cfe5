"""Answers never show what they hold: a Secret is an answer, too."""

from __future__ import annotations

from cyroid_images.kube.api import Answer


def test_an_answer_is_printed_without_its_body() -> None:
    assert repr(Answer(200, {"data": {"password": "aHVudGVyMg=="}})) == "Answer(code=200)"


def test_the_message_of_a_refusal_is_bounded() -> None:
    assert Answer(422, {"message": "x" * 9000}).message == "422 " + "x" * 500
    assert Answer(404, {}).message == "404"
