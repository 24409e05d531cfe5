"""What a client does, step by step and without doing it: a program that two senders run.

A program is a generator. It yields steps; a sender (`blocking.py`, `awaiting.py`) takes each
and gives back what came of it. So retries, bounds, paging and reconnecting exist once, for
callers that block and for those that await.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from cyroid_images.client.errors import Unavailable, UnexpectedAnswer, refusal
from cyroid_images.client.options import ClientOptions
from cyroid_images.client.server_events import EventParser, ServerEvent

T = TypeVar("T")

MOST_BYTES = 32 * 1024 * 1024
"""Bytes of one answer: a page of 10,000 images with 200 bytes each is 2 MB."""
FIRST_PAUSE = 0.2
"""Seconds before the second attempt; doubled before each further one."""
FIRST_RECONNECT = 1.0
"""Seconds before an event stream that ended is opened again; doubled while nothing answers."""
LONGEST_RECONNECT = 5.0
"""Most seconds between two attempts to listen again."""


@dataclass(frozen=True, slots=True)
class ApiReply:
    """An answer as it came."""

    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class StreamedBody:
    """A body that is sent while it is read; it can be sent once."""

    chunks: Iterator[bytes]
    media_type: str


@dataclass(frozen=True, slots=True)
class ApiCall(Generic[T]):
    """One call as a value."""

    method: str
    path: str
    """As sent: names in it are quoted already."""
    read: Callable[[ApiReply], T]
    """The answer out of a reply; a ValueError means that it is none of this API."""
    query: Mapping[str, str] = field(default_factory=dict)
    body: object = None
    """JSON, an StreamedBody, or nothing."""

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def only_reads(self) -> bool:
        """May it be repeated without another effect?"""
        return self.method == "GET"


@dataclass(frozen=True, slots=True)
class Open:
    """Send this call; gives back its Head. What was open before is closed."""

    call: ApiCall[Any]
    is_stream: bool = False
    """It has no end of its own."""


@dataclass(frozen=True, slots=True)
class Head:
    """The begin of an answer."""

    status: int
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ReadOn:
    """Gives back the next bytes of the answer to this call; none: it is over."""

    call: ApiCall[Any]


@dataclass(frozen=True, slots=True)
class Pause:
    """Do nothing for so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Give(Generic[T]):
    """Something for the caller."""

    item: T


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    """The program is over, and this is what came of it."""

    value: T


Outward = Open | ReadOn | Pause
"""Steps that a sender does."""
Program = Generator[Outward | Give[Any], Any, T]
"""Yields steps and ends with a T; where nothing answers, Unavailable is thrown into it."""

Giving = Generator[Outward | Give[T], Any, None]
"""A program that gives one T after the other."""


def advance(program: Program[T], came: object) -> Outward | Give[Any] | Done[T]:
    """The next step after what came of the last one; an Unavailable is thrown into the program."""
    try:
        return program.throw(came) if isinstance(came, Unavailable) else program.send(came)
    except StopIteration as end:
        return Done(end.value)


class Asker:
    """Programs of which all others consist: ask once, ask with retries, listen."""

    def __init__(self, options: ClientOptions, now: Callable[[], float]) -> None:
        """`now` gives seconds that only ever grow."""
        self.options = options
        self.now = now

    def ask(self, call: ApiCall[T]) -> Program[T]:
        """The answer to this call; what only reads is tried again where nothing answers."""
        attempt = 0
        while True:
            try:
                reply = yield from self._exchange(call)
                return _understood(call, partial(call.read, reply))
            except Unavailable as exc:
                if not call.only_reads or attempt >= self.options.retries:
                    raise
                pause = exc.retry_after or FIRST_PAUSE * 2**attempt
            attempt += 1
            yield Pause(pause)

    def listen(self, call: ApiCall[Any], read: Callable[[ServerEvent], T | None]) -> Giving[T]:
        """Gives what `read` makes of each event, for as long as the caller likes.

        It connects again by itself; the server then tells everything anew, so nothing is
        missed. Raises Unavailable when nothing answered for `patience`.
        """
        lost_since, pause = None, FIRST_RECONNECT
        while True:
            try:
                head = yield Open(call, is_stream=True)
                yield from self._refused(call, head)
                parser = EventParser()
                while chunk := (yield ReadOn(call)):
                    lost_since, pause = None, FIRST_RECONNECT
                    for event in parser.feed(chunk):
                        if (item := _understood(call, partial(read, event))) is not None:
                            yield Give(item)
                lost = Unavailable(call.name, "the stream ended")
            except Unavailable as exc:
                lost = exc
            lost_since = self.now() if lost_since is None else lost_since
            if self.now() - lost_since >= self.options.patience:
                raise lost
            yield Pause(lost.retry_after or pause)
            pause = min(2 * pause, LONGEST_RECONNECT)

    def _exchange(self, call: ApiCall[Any]) -> Program[ApiReply]:
        """One attempt."""
        head = yield Open(call)
        yield from self._refused(call, head)
        return ApiReply(head.headers, (yield from self._body(call)))

    def _refused(self, call: ApiCall[Any], head: Head) -> Program[None]:
        """Raises the error that the answer stands for, if it stands for one."""
        if not 200 <= head.status < 300:
            body = yield from self._body(call)
            retry_after = head.headers.get("retry-after")
            raise refusal(call.name, head.status, body, retry_after=retry_after)

    def _body(self, call: ApiCall[Any]) -> Program[bytes]:
        """All of the answer, within its bounds of bytes and time."""
        until, body = self.now() + self.options.total, bytearray()
        while chunk := (yield ReadOn(call)):
            body += chunk
            if len(body) > MOST_BYTES:
                raise UnexpectedAnswer(call.name, f"an answer of more than {MOST_BYTES} bytes")
            if self.now() > until:
                raise Unavailable(call.name, f"no whole answer in {self.options.total:.0f} s")
        return bytes(body)


def _understood(call: ApiCall[Any], read: Callable[[], T]) -> T:
    """Raises UnexpectedAnswer for what is not of this API; its content is not repeated."""
    try:
        return read()
    except ValidationError as exc:
        first = exc.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "the answer"
        raise UnexpectedAnswer(call.name, f"{where}: {first['msg']}") from None
    except ValueError:
        raise UnexpectedAnswer(call.name, "the answer is not JSON of this API") from None
