"""Pull and push: one request whose answer is a stream of events, ended by a result or an error.

A stream that just ends is a failure: the engine died. Success is only what the engine
says at the end: a `Status:` line of a pull, the digest of a push. Status 200 means nothing,
it was sent before the first layer moved.
"""

from __future__ import annotations

import base64
import contextlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import httpx

from cyroid_images import sockets
from cyroid_images.engine.classify import Operation, failure, message_in
from cyroid_images.engine.dialling import Dialler
from cyroid_images.engine.events import Decoder, Event, events_of
from cyroid_images.engine.faults import Phase, told
from cyroid_images.engine.layers import LayerProgress
from cyroid_images.engine.limits import StreamLimits
from cyroid_images.errors import InvalidReference, Reason, TransferError
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.reference import Reference
from cyroid_images.model.registry import Credentials
from cyroid_images.model.telemetry.progress import ProgressObserver
from cyroid_images.scheduling.cancel_scope import CancelScope

LONGEST_ERROR = 64 * 1024
"""Bytes read of an error answer."""

_PUSHED = re.compile(r"(?P<tag>\S{1,128}): digest: (?P<digest>sha256:[a-f0-9]{64}) size: \d+")


class UnwantedBlob(TransferError):
    """A push was stopped because it named what the caller does not want to have pushed."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One request to the engine, and how its failure is told."""

    operation: Operation
    method: str
    path: str
    what: str
    """The transfer in words: "pull host/app@sha256:.."."""
    params: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    registry: str = ""
    name: str = ""
    """The image's own name, which an engine repeats in its words."""
    secret: str = field(default="", repr=False)
    """A password that the engine may echo and nobody may read."""

    def failure(self, words: str) -> TransferError:
        """The error for a message of the engine."""
        hidden = words.replace(self.secret, "***") if self.secret else words
        return failure(
            hidden, self.operation, what=self.what, registry=self.registry, name=self.name
        )

    def interrupted(self, decoder: Decoder) -> TransferError:
        """The error of a stream that ended without a result."""
        if decoder.garbage:
            said = f"{self.what}: response is not JSON: {decoder.garbage}"
            return TransferError(Reason.PROTOCOL_ERROR, said)
        return TransferError(
            Reason.TRANSFER_INTERRUPTED, f"{self.what}: the response ended without a result"
        )


@dataclass(frozen=True, slots=True)
class Wire:
    """Where an Ask goes and what bounds it: the engine, its silence, our CancelScope."""

    dialler: Dialler
    cancellation: CancelScope
    silence: httpx.Timeout
    is_probed: bool = False
    """See `sockets.client`."""

    @contextlib.contextmanager
    def send(self, ask: Ask, content: Iterator[bytes] | None = None) -> Iterator[httpx.Response]:
        """The answer to an Ask, its body unread; raises on every status but 2xx."""
        with (
            self.dialler.client(self.silence.read or 0, is_probed=self.is_probed) as http,
            http.stream(
                ask.method,
                ask.path,
                params=ask.params,
                headers={"Accept-Encoding": "identity", **ask.headers},
                content=content,
                timeout=self.silence,
                extensions=self.dialler.extensions(self.cancellation),
            ) as response,
        ):
            if not response.is_success:
                raise ask.failure(error_words(response))
            yield response


def pull_ask(api: str, transport: Reference) -> Ask:
    """The Ask for a pull by digest; `tag` takes a digest as well."""
    return Ask(
        Operation.PULL,
        "POST",
        f"{api}/images/create",
        f"pull {transport}",
        params={"fromImage": transport.name, "tag": str(transport.digest or transport.tag)},
        registry=transport.host,
        name=transport.name,
    )


def push_ask(api: str, name: Reference, credentials: Credentials | None) -> Ask:
    """The Ask for a push of a tag; without X-Registry-Auth engines answer 400."""
    return Ask(
        Operation.PUSH,
        "POST",
        f"{api}/images/{name.name}/push",
        f"push {name}",
        params={"tag": name.tag or "latest"},
        headers={"X-Registry-Auth": registry_auth(name.host, credentials)},
        registry=name.host,
        name=name.name,
        secret=credentials.password if credentials else "",
    )


def preflight_ask(api: str, transport: Reference, credentials: Credentials | None) -> Ask:
    """The Ask whether the engine itself can reach, trust and find the manifest."""
    return Ask(
        Operation.PREFLIGHT,
        "GET",
        f"{api}/distribution/{transport.name}@{transport.digest}/json",
        f"look up {transport}",
        headers={"X-Registry-Auth": registry_auth(transport.host, credentials)},
        registry=transport.host,
        name=transport.name,
        secret=credentials.password if credentials else "",
    )


def preflight(wire: Wire, ask: Ask) -> None:
    """Let the engine look a manifest up; raises unless the answer describes one."""
    with told(wire.dialler.endpoint, wire.cancellation), wire.send(ask) as response:
        try:
            is_descriptor = "Descriptor" in json.loads(_text_of(response))
        except (ValueError, TypeError, RecursionError):
            is_descriptor = False
        if not is_descriptor:
            said = f"{ask.what}: the response describes no manifest"
            raise TransferError(Reason.PROTOCOL_ERROR, said)


def pull(
    wire: Wire, ask: Ask, observer: ProgressObserver, layers: LayerProgress, limits: StreamLimits
) -> None:
    """Pull, and return only when the engine said that it has the image."""
    finished = False
    phase, decoder = Phase(), Decoder()
    stalled = TransferError(Reason.TIMEOUT, f"{ask.what}: no data from the engine in time")
    # Until the answer begins, the wire's own time-outs are shorter and know better what is wrong.
    first = limits.stall_seconds * 2 + sockets.CONNECT_SECONDS
    with wire.cancellation.within(first, stalled) as deadline:
        watched = replace(wire, cancellation=deadline)
        with told(wire.dialler.endpoint, deadline, phase), watched.send(ask) as response:
            phase.begun = True
            allow_silence(response, limits.reply_seconds)
            for event in _progressing(response, ask, decoder, (layers, observer)):
                finished = finished or event.status.startswith("Status: ")
                # The containerd store of Docker 26 unpacks without reporting.
                silence = limits.reply_seconds if layers.are_whole else limits.stall_seconds
                deadline.postpone(silence)
            if not finished:
                raise ask.interrupted(decoder)


def allow_silence(response: httpx.Response, seconds: float) -> None:
    """Another time-out for each read of the body than for the first byte.

    httpcore asks the request for its time-outs once more when the body starts.
    """
    timeouts: dict[str, Any] = response.request.extensions["timeout"]
    timeouts["read"] = seconds


def push(
    wire: Wire, ask: Ask, observer: ProgressObserver, unwanted: frozenset[str] = frozenset()
) -> Digest:
    """Push, and return the digest that the engine says it pushed.

    Raises UnwantedBlob when a line has one of the `unwanted` IDs: leaving stops the push.
    """
    said = ""
    phase, decoder = Phase(), Decoder()
    with told(wire.dialler.endpoint, wire.cancellation, phase), wire.send(ask) as response:
        phase.begun = True
        for event in _progressing(response, ask, decoder, (LayerProgress(), observer)):
            if event.id in unwanted:
                raise UnwantedBlob(
                    Reason.PUSH_FAILED, f"{ask.what}: stopped, {event.id} was not to be pushed"
                )
            said = _pushed_digest(event, ask.params["tag"]) or said
        if not said:
            raise ask.interrupted(decoder)
    try:
        return Digest.parse(said)
    except InvalidReference as exc:
        raise TransferError(Reason.PROTOCOL_ERROR, f"{ask.what}: {exc}") from exc


def checked(response: httpx.Response, ask: Ask, decoder: Decoder) -> Iterator[Event]:
    """The events of an answer; raises the engine's error as soon as it says one."""
    for event in events_of(response.iter_raw(), decoder):
        if event.error is not None:
            raise ask.failure(event.error)
        yield event


def error_words(response: httpx.Response) -> str:
    """What an error answer says, else its status."""
    return message_in(_text_of(response)) or f"status {response.status_code}"


def registry_auth(host: str, credentials: Credentials | None) -> str:
    """The X-Registry-Auth header: base64url of JSON, `{}` for nobody."""
    claim: dict[str, Any] = {}
    if credentials:
        claim = {
            "username": credentials.username,
            "password": credentials.password,
            "serveraddress": host,
        }
    return base64.urlsafe_b64encode(json.dumps(claim).encode()).decode()


def _progressing(
    response: httpx.Response,
    ask: Ask,
    decoder: Decoder,
    watched: tuple[LayerProgress, ProgressObserver],
) -> Iterator[Event]:
    """The events of an answer, with progress told to the observer on the way."""
    layers, observer = watched
    for event in checked(response, ask, decoder):
        if progress := layers.take(event):
            # An observer never changes an outcome, not even by a defect of its own.
            with contextlib.suppress(Exception):
                observer(progress)
        yield event


def _pushed_digest(event: Event, tag: str) -> str:
    """The digest that this event says was pushed as `tag`, or nothing."""
    found = _PUSHED.fullmatch(event.status.strip())
    if found and found["tag"] == tag:
        return found["digest"]
    return event.digest


def _text_of(response: httpx.Response) -> str:
    """The start of an answer that should be short."""
    content = bytearray()
    for chunk in response.iter_raw():
        content += chunk
        if len(content) >= LONGEST_ERROR:
            break
    return bytes(content[:LONGEST_ERROR]).decode("utf-8", "replace")
