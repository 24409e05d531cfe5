"""Save and load: images as tar streams out of and into an engine.

Load answers 200 even when it fails, in every version, and may answer nothing at all; only
`Loaded image` without any error counts. Whether the image is really there is the caller's
to look at. Save may fail in mid-stream by JSON inside the tar: the reader of the tar sees
that, not this module.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator

import httpx

from cyroid_images.engine.classify import Operation
from cyroid_images.engine.events import Decoder, Event
from cyroid_images.engine.faults import Phase, told
from cyroid_images.engine.streams import Ask, Wire, allow_silence, checked
from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.platform import Platform
from cyroid_images.model.images.reference import Reference
from cyroid_images.model.telemetry.progress import Progress, ProgressObserver

MOST_LOADED = 4096
"""Names believed of one load."""

_LOADED = ("Loaded image ID: ", "Loaded image: ")
_NOT_UNPACKED = "error unpacking"


def save_ask(api: str, image: Reference | Digest, platform: Platform | None = None) -> Ask:
    """The Ask for one image as a tar; of an index, for the one platform."""
    path, params = f"{api}/images/{image}/get", {}
    if platform is not None:
        parts = {
            "os": platform.os,
            "architecture": platform.architecture,
            "variant": platform.variant,
        }
        params["platform"] = json.dumps({key: value for key, value in parts.items() if value})
    return Ask(Operation.SAVE, "GET", path, f"save {image}", params=params, name=str(image))


def load_ask(api: str, length: int | None) -> Ask:
    """The Ask for a load; `quiet=0`, because silence is the default and tells nothing."""
    headers = {"Content-Type": "application/x-tar"}
    if length is not None:
        headers["Content-Length"] = str(length)
    return Ask(
        Operation.LOAD, "POST", f"{api}/images/load", "load", params={"quiet": "0"}, headers=headers
    )


@contextlib.contextmanager
def save(wire: Wire, ask: Ask, stall_seconds: float) -> Iterator[Iterator[bytes]]:
    """The bytes of the tar; the wire's silence bounds the first byte, then `stall_seconds`."""
    with contextlib.ExitStack() as stack:
        with told(wire.dialler.endpoint, wire.cancellation):
            response = stack.enter_context(wire.send(ask))
        allow_silence(response, stall_seconds)
        yield _bytes_of(response, wire)


def load(wire: Wire, ask: Ask, tar: Iterator[bytes], observer: ProgressObserver) -> tuple[str, ...]:
    """Load a tar, and return the names or IDs that the engine says it loaded."""
    phase, decoder = Phase(), Decoder()
    loaded: list[str] = []
    body = _observed(tar, ask, observer, phase)
    with told(wire.dialler.endpoint, wire.cancellation, phase), wire.send(ask, body) as response:
        phase.begun = True
        for event in checked(response, ask, decoder):
            loaded += _loaded_by(event, ask)
            if len(loaded) > MOST_LOADED:
                raise TransferError(
                    Reason.PROTOCOL_ERROR, f"load: the engine reports more than {MOST_LOADED} names"
                )
        if not loaded:
            raise ask.interrupted(decoder)
    return tuple(loaded)


def _bytes_of(response: httpx.Response, wire: Wire) -> Iterator[bytes]:
    with told(wire.dialler.endpoint, wire.cancellation, Phase(begun=True)):
        yield from response.iter_raw()


def _observed(
    tar: Iterator[bytes], ask: Ask, observer: ProgressObserver, phase: Phase
) -> Iterator[bytes]:
    """The tar on its way, counted: bytes sent are the only progress that both stores have."""
    announced = ask.headers.get("Content-Length")
    total = int(announced) if announced else None
    done = 0
    for chunk in tar:
        phase.begun = True
        yield chunk
        done += len(chunk)
        with contextlib.suppress(Exception):  # an observer never changes an outcome
            observer(Progress(done, total))
    if total is not None and done != total:
        said = f"load: the tar has {done} bytes instead of {total}"
        raise TransferError(Reason.TRANSFER_INTERRUPTED, said)


def _loaded_by(event: Event, ask: Ask) -> list[str]:
    """The names of this event; Docker 27.2 and newer tell a failed unpacking in plain text."""
    said = event.stream or event.status
    if _NOT_UNPACKED in said.lower():
        raise ask.failure(said)
    lines = (line.strip() for line in said.splitlines())
    return [
        line.removeprefix(start) for line in lines for start in _LOADED if line.startswith(start)
    ]
