"""Server-sent events: the same however the bytes are cut, and never more than a bound."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyroid_images.client.errors import UnexpectedAnswer
from cyroid_images.client.server_events import MOST_BYTES, EventParser, ServerEvent

STREAM = (
    b": hello\n\n"
    b'event: pushes\ndata: [{"a": 1}]\n\n'
    b"id: 7\r\nretry: 10\r\nevent: stats\r\ndata: one\r\ndata:two\r\n\r\n"
    b"event: nothing\n\n"
    b"data: \xc3\xa9\n\n"
    b"event: cut\ndata: never ends"
)
EVENTS = [
    ServerEvent("pushes", '[{"a": 1}]'),
    ServerEvent("stats", "one\ntwo"),
    ServerEvent("message", "é"),
]


@given(st.lists(st.integers(0, len(STREAM)), max_size=20))
def test_it_does_not_matter_how_the_bytes_are_cut(places: list[int]) -> None:
    parser, ends = EventParser(), [0, *sorted(places), len(STREAM)]
    chunks = [STREAM[start:end] for start, end in itertools.pairwise(ends)]
    assert [event for chunk in chunks for event in parser.feed(chunk)] == EVENTS


@pytest.mark.parametrize("line", [b"data: %s", b"data: %s\n", b"event: %s", b": %s"])
def test_an_event_without_an_end_is_refused(line: bytes) -> None:
    parser, many = EventParser(), line % (b"x" * 1024 * 1024)
    chunks = [many] * (2 * MOST_BYTES // len(many) + 2)
    with pytest.raises(UnexpectedAnswer, match="bytes"):
        [list(parser.feed(chunk)) for chunk in chunks]
