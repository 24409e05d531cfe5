"""One request to a registry and its answer: bounded, translated, cuttable.

Each call has a connection of its own, under its own cancellation from the first byte on.
A pool would save a millisecond and cost the rule that a cut ends exactly one call:
httpx tells of a socket only when it is new. It also means that nothing is left open.
"""

from __future__ import annotations

import contextlib
import ssl
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import httpx

from cyroid_images import sockets
from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.cancellation import Cancellation
from cyroid_images.model.registry import RegistryEndpoint
from cyroid_images.model.watching import Watch
from cyroid_images.registry.answers import Answer, Kind, refusal
from cyroid_images.registry.auth import RegistryAuth
from cyroid_images.registry.conversation import SMALL, WHOLE_SECONDS, Ask, Conversation, Manner
from cyroid_images.registry.failures import translated
from cyroid_images.registry.patience import (
    BUSY,
    OUR_OWN,
    Patience,
    jittered,
    pause_after_answer,
    pause_after_failure,
)
from cyroid_images.registry.upstream import UpstreamRules


@dataclass(frozen=True, slots=True)
class Incoming:
    """An answer whose body is still to come; it lives as long as its connection."""

    status: int
    headers: Mapping[str, str]
    url: httpx.URL
    chunks: Iterator[bytes]


class Connection:
    """How to reach one endpoint: address, trust, credentials and patience."""

    def __init__(
        self,
        endpoint: RegistryEndpoint,
        *,
        answer_seconds: float,
        stall_seconds: float,
        rules: UpstreamRules | None,
        watch: Watch,
    ) -> None:
        token_hosts = rules.token_hosts if rules else frozenset()
        auth = RegistryAuth(endpoint, token_hosts, time.monotonic)
        self._manner = Manner(endpoint, auth, rules, answer_seconds, stall_seconds)
        self._needs_tls = endpoint.url.startswith("https://") or rules is not None
        self._trust: ssl.SSLContext | None = None
        self._watch = watch

    @property
    def patience(self) -> Patience | None:
        """How to bear with an upstream; None: this is our own registry."""
        return self._manner.rules.patience if self._manner.rules else None

    def answer(self, ask: Ask, cancellation: Cancellation, *, most: int = SMALL) -> Answer:
        """The whole answer, whatever its status; more than `most` bytes is ProtocolError."""
        ends = time.monotonic() + WHOLE_SECONDS
        with self.stream(ask, cancellation) as incoming:
            if incoming.status >= 300:
                return self.rest(incoming, cancellation)
            content = bytearray()
            for chunk in incoming.chunks:
                content += chunk
                if len(content) > most:
                    cause = f"the answer is longer than {most} bytes"
                    raise TransferError(Reason.PROTOCOL_ERROR, f"{self.told(ask)}: {cause}")
                if time.monotonic() > ends:
                    cause = f"the answer took longer than {WHOLE_SECONDS:.0f} s"
                    raise TransferError(Reason.TIMEOUT, f"{self.told(ask)}: {cause}")
            return Answer(incoming.status, incoming.headers, bytes(content))

    @contextlib.contextmanager
    def stream(self, ask: Ask, cancellation: Cancellation) -> Iterator[Incoming]:
        """The answer as soon as its headers are there; connected for as long as the `with`."""
        cancellation.raise_if_cancelled()
        act = self.told(ask)
        with contextlib.ExitStack() as stack:
            with translated(act, cancellation, answered=False):
                http = stack.enter_context(self._client())
                talk = Conversation(http, self._manner, act, cancellation)
                response = self._asked(talk, ask, cancellation)
            stack.callback(response.close)
            chunks = self._chunks(response, act, cancellation)
            yield Incoming(response.status_code, response.headers, response.request.url, chunks)

    def rest(self, incoming: Incoming, cancellation: Cancellation) -> Answer:
        """A refusal with as much of its text as came: its status counts, whatever its body does."""
        ends = time.monotonic() + WHOLE_SECONDS
        content = bytearray()
        with contextlib.suppress(TransferError):
            for chunk in incoming.chunks:
                content += chunk
                if len(content) > SMALL or time.monotonic() > ends:
                    break
        cancellation.raise_if_cancelled()
        return Answer(incoming.status, incoming.headers, bytes(content[:SMALL]))

    def refused(self, ask: Ask, answer: Answer) -> TransferError:
        """What an answer means that is not the one hoped for."""
        return refusal(self.told(ask), answer, ask.kind)

    def told(self, ask: Ask) -> str:
        """ "<verb> <what> at <host>": the first half of a message."""
        return f"{ask.act} at {self._manner.endpoint.host}"

    def url_of(self, ask: Ask) -> httpx.URL:
        """The absolute URL that an ask goes to."""
        return httpx.URL(self._manner.endpoint.url).join(ask.url)

    def forget(self) -> None:
        """Drop what was learned: tokens."""
        self._manner.auth.forget()

    def _client(self) -> httpx.Client:
        manner = self._manner
        return sockets.client(
            manner.endpoint.url,
            read_seconds=manner.answer_seconds,
            tls=self._context(),
            watch=self._watch,
        )

    def _context(self) -> ssl.SSLContext:
        """Made once: reading the CAs of the system takes longer than a request."""
        if self._trust is None:
            self._trust = (
                ssl.create_default_context(cadata=self._manner.endpoint.ca)
                if self._needs_tls
                else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # trusts nobody
            )
        return self._trust

    def _asked(self, talk: Conversation, ask: Ask, cancellation: Cancellation) -> httpx.Response:
        """The answer's headers; of who was only busy, those of a later try."""
        is_own, bear = self.patience is None, self.patience or OUR_OWN
        for planned in self._pauses(ask):
            try:
                response = talk.ask(ask)
            except (httpx.HTTPError, TransferError) as exc:
                cancellation.raise_if_cancelled()
                pause = None if is_own else pause_after_failure(exc, planned)
                if pause is None:
                    raise
            else:
                is_final = is_own and response.status_code not in BUSY
                pause = None if is_final else pause_after_answer(response, planned)
                if pause is None:
                    return response
                response.close()
            bear.wait(pause, cancellation)
        return talk.ask(ask)

    def _pauses(self, ask: Ask) -> tuple[float, ...]:
        """Of an upstream only what reads is asked again; a stream cannot be sent again."""
        if self.patience is None:
            can_repeat = ask.content is None or isinstance(ask.content, bytes)
            return tuple(jittered(each) for each in OUR_OWN.pauses) if can_repeat else ()
        if ask.kind is not Kind.READ or ask.content is not None:
            return ()
        return self.patience.pauses

    def _chunks(
        self, response: httpx.Response, act: str, cancellation: Cancellation
    ) -> Iterator[bytes]:
        """The body as it stands on the wire: decoding would change its digest."""
        # From here on only a stall counts; httpcore reads this entry when the body begins.
        response.request.extensions["timeout"]["read"] = self._manner.stall_seconds
        with translated(act, cancellation, answered=True):
            if response.is_stream_consumed:
                yield response.content
            else:
                yield from response.iter_raw()
        # Without a Content-Length our own cut looks like a proper end.
        cancellation.raise_if_cancelled()
