"""Objects are found in any bytes, within bounds, and failures of every shape are seen."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyroid_images.engine.events import LONGEST_OBJECT, MOST_GARBAGE, Decoder, Event, events_of
from cyroid_images.errors import Reason, TransferError

TEXTS = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(
    ['"', "\\", "{", "}", '\\"', "}{", "é\u2028"]
)


def read(*chunks: bytes) -> list[Event]:
    return list(events_of(chunks, Decoder()))


@pytest.mark.slow
@given(st.lists(TEXTS, max_size=4), st.integers(0, 200), st.booleans())
def test_any_texts_survive_any_cut(texts: list[str], at: int, is_ascii: bool) -> None:
    """Quotes, braces and backslashes inside of strings end no object."""
    objects = [json.dumps({"status": text, "id": text}, ensure_ascii=is_ascii) for text in texts]
    body = "\r\n".join(objects).encode()
    assert read(body[:at], body[at:]) == [Event(status=text, id=text) for text in texts]


def test_objects_need_no_line_ends_between_them() -> None:
    assert read(b'{"status":"a"}{"status":"b"}') == [Event("a"), Event("b")]


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"error": "disk full"}, "disk full"),
        ({"errorDetail": {"message": "disk full"}}, "disk full"),
        ({"errorDetail": {"code": 7}}, "an error with an empty message"),
        ({"error": {"odd": 1}}, "an error with an empty message"),
        ({"error": "", "errorDetail": {}}, None),
        ({"error": None}, None),
    ],
    ids=["error-only", "detail-only", "detail-without-words", "no-text", "empty", "null"],
)
def test_p_e6_an_error_is_seen_in_both_shapes(document: object, words: str | None) -> None:
    (event,) = read(json.dumps(document).encode())
    assert event.error == words


def test_ill_typed_fields_count_as_absent() -> None:
    progress = {"current": True, "total": -1, "units": 5}
    body = {"status": 1, "id": [], "progressDetail": progress, "aux": "x", "stream": None}
    assert read(json.dumps(body).encode()) == [Event()]


def test_garbage_between_objects_is_skipped_and_remembered() -> None:
    decoder = Decoder()
    events = list(events_of([b'<html>\x1b[31m{"status":"a"} oops {"status":}'], decoder))
    assert events == [Event("a")]
    assert decoder.garbage == "<html>"


@pytest.mark.parametrize(
    "chunk",
    [b"x" * 4096, b'{"a":' + b"[" * 4000 + b"}", b"}" * 4096],
    ids=["text", "nested-brackets", "closing-braces"],
)
def test_much_garbage_is_a_protocol_error(chunk: bytes) -> None:
    with pytest.raises(TransferError) as caught:
        read(*[chunk] * (MOST_GARBAGE // len(chunk) + 2))
    assert caught.value.reason is Reason.PROTOCOL_ERROR


@pytest.mark.parametrize("start", [b'{"status":"', b'{"a":[', b'{"a":' * 9])
def test_an_endless_object_is_a_protocol_error(start: bytes) -> None:
    with pytest.raises(TransferError) as caught:
        read(start, *[b"y" * 65536] * (LONGEST_OBJECT // 65536 + 1))
    assert caught.value.reason is Reason.PROTOCOL_ERROR


def test_brackets_nested_without_end_are_garbage_not_a_crash() -> None:
    decoder = Decoder()
    body = b'{"a":' + b"[" * 50_000 + b"]" * 10_000 + b"}"
    assert list(events_of([body], decoder)) == []
    assert decoder.garbage.startswith('{"a":[[')


def test_half_an_object_at_the_end_is_no_event() -> None:
    decoder = Decoder()
    assert list(events_of([b'{"status":"Status: Downl'], decoder)) == []
    assert decoder.garbage
