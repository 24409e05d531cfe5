"""One Docker engine as the rest of the program sees it: what it is, holds and can be asked.

Blocking and thread safe; each call opens its own connection and closes it. Every failure
is a TransferError with a reason, or the cause of the caller's CancelScope.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial

import docker
import docker.errors
import httpx

from cyroid_images import sockets
from cyroid_images.engine import control, image_events, listing, save_load, streams, view
from cyroid_images.engine.dialling import Dialler
from cyroid_images.engine.layers import LayerProgress
from cyroid_images.engine.limits import StreamLimits
from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.engine import (
    EngineEndpoint,
    EngineInfo,
    EngineView,
    FoundImages,
    ImageListener,
)
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.image import EngineImage, ImageContent
from cyroid_images.model.images.platform import Platform
from cyroid_images.model.images.reference import Reference
from cyroid_images.model.registry import Credentials
from cyroid_images.model.telemetry.progress import ProgressObserver
from cyroid_images.model.telemetry.request_observer import RequestObserver, unobserved
from cyroid_images.scheduling.cancel_scope import NEVER, CancelScope

PREFLIGHT_SECONDS = 90.0
"""The engine looks up a name (21 s seen) and dials twice (30 s each) before it gives up."""

VIEW_SECONDS = 120.0
"""A first look inspects every image of an engine, some milliseconds each."""

MOST_ASKED = 64
"""Names asked for in one request: they stand in its first line, 400 characters each at most."""


class Engine:
    """One dockerd at one endpoint; cheap to make, does no I/O until it is asked."""

    def __init__(
        self,
        endpoint: EngineEndpoint,
        *,
        answer_seconds: float = 10.0,
        on_request: RequestObserver = unobserved,
    ) -> None:
        self.endpoint = endpoint
        self._answer_seconds = answer_seconds
        self._dialler = Dialler(endpoint, on_request)
        self._api: tuple[int, int] | None = None

    def in_a_hurry(self, answer_seconds: float) -> Engine:
        """The same engine, waited for no longer than that for each answer."""
        return Engine(
            self.endpoint, answer_seconds=answer_seconds, on_request=self._dialler.on_request
        )

    def info(self, cancellation: CancelScope = NEVER) -> EngineInfo:
        """Who the engine says it is, in the newest API that both sides speak.

        Raises EngineUnreachable, EngineTooOld, EngineTooNew, TLSRejected or ProtocolError.
        """
        self._api = self._negotiate(cancellation)
        with self._session(cancellation) as api, control.refusals("info"):
            return view.info_of(api.info(), self._api)

    def view(
        self,
        info: EngineInfo,
        known: Mapping[Digest, ImageContent],
        cancellation: CancelScope = NEVER,
    ) -> EngineView:
        """Every image that the engine lists: one list call, one inspect per ID not in `known`.

        An image that vanishes in between is left out, one that is not whole is told apart.
        `known` maps image IDs to content that an earlier view of the same place returned. A
        containerd store works 12 ms for each image that it lists: see `images_named`.
        """
        with self._session(cancellation, VIEW_SECONDS) as api, control.refusals("list images"):
            answer = control.listed(api, with_manifests=listing.lists_manifests(info))
            rows = listing.rows_of(info, answer)
            return view.view_of(info, rows, known, partial(control.inspected, api))

    def images_named(
        self,
        info: EngineInfo,
        names: Collection[Reference],
        known: Mapping[Digest, ImageContent],
        cancellation: CancelScope = NEVER,
    ) -> FoundImages:
        """The whole image that each of these names (with tag or digest) stands for, or None.

        One request per 64 names; a containerd store works only for the images that it finds.
        """
        found: dict[Reference, EngineImage | None] = dict.fromkeys(names)
        with self._session(cancellation, VIEW_SECONDS) as api, control.refusals("look up images"):
            for asked in _batches(tuple(found), MOST_ASKED):
                answer = control.listed(
                    api,
                    asked if listing.lists_by_name(info) else (),
                    with_manifests=listing.lists_manifests(info),
                )
                rows = listing.rows_named(listing.rows_of(info, answer), asked)
                seen = view.view_of(info, rows, known, partial(control.inspected, api))
                here = {**seen.images, **seen.by_digest}
                found |= {name: here[name] for name in asked if name in here}
        return found

    def image(
        self, info: EngineInfo, name: Reference, cancellation: CancelScope = NEVER
    ) -> EngineImage | None:
        """The whole image of this name: one list call, at most one inspect."""
        return self.images_named(info, (name,), {}, cancellation)[name]

    def tag(self, image: Digest | Reference, name: Reference) -> None:
        """Give an image one more name; a name that exists moves. Or ImageNotFound."""
        with self._session(NEVER) as api, control.refusals(f"tag {image} as {name}"):
            api.tag(str(image), name.name, tag=name.tag or "latest")

    def untag(self, name: Reference) -> None:
        """Take a name (with tag or digest) away; that it is not there is fine.

        The last name of an image takes the image along; parents stay (`noprune`).
        """
        with self._session(NEVER) as api, control.refusals(f"untag {name}"):
            try:
                api.remove_image(str(name), noprune=True)
            except docker.errors.NotFound:
                return

    def preflight(
        self, transport: Reference, credentials: Credentials | None, cancellation: CancelScope
    ) -> None:
        """Let the engine itself look the manifest up: name, network, trust, credentials.

        Moves no layer and returns in milliseconds when all is well.
        """
        ask = streams.preflight_ask(self._path(cancellation), transport, credentials)
        late = f"{self.endpoint}: no response after {PREFLIGHT_SECONDS:g} s"
        error = TransferError(Reason.ENGINE_UNREACHABLE, late)
        with cancellation.within(PREFLIGHT_SECONDS, error) as deadline:
            streams.preflight(self._wire(deadline, PREFLIGHT_SECONDS), ask)

    def pull(
        self,
        transport: Reference,
        observer: ProgressObserver,
        *,
        limits: StreamLimits,
        cancellation: CancelScope,
        sizes: Mapping[str, int] | None = None,
    ) -> None:
        """Pull by digest, and return only when the engine says that it has the image.

        `sizes` maps the first twelve digits of each layer's digest to its bytes; with it
        progress has a total. What was pulled stands under `transport` until it is untagged.
        """
        ask = streams.pull_ask(self._path(cancellation), transport)
        wire = self._wire(cancellation, limits.stall_seconds)
        streams.pull(wire, ask, observer, LayerProgress(sizes), limits)

    def push(  # noqa: PLR0913 - no two of them belong together
        self,
        name: Reference,
        credentials: Credentials | None,
        observer: ProgressObserver,
        *,
        limits: StreamLimits,
        cancellation: CancelScope,
        unwanted: frozenset[str] = frozenset(),
    ) -> Digest:
        """Push a tag that the engine has; returns the digest of the manifest (or index) pushed.

        The digest is the engine's claim: ask the registry before believing it. Raises
        UnwantedBlob, and stops the push, as soon as the engine names a blob by twelve
        digits that are in `unwanted`.
        """
        ask = streams.push_ask(self._path(cancellation), name, credentials)
        wire = self._wire(cancellation, limits.stall_seconds)
        return streams.push(wire, ask, observer, unwanted)

    def save(
        self,
        image: Reference | Digest,
        *,
        limits: StreamLimits,
        cancellation: CancelScope,
        platform: Platform | None = None,
    ) -> AbstractContextManager[Iterator[bytes]]:
        """The image as a tar, as a `with` block around its bytes.

        `platform` is for engines that know it (`EngineInfo.saves_by_platform`). The tar may end
        in JSON that tells an error: whoever reads it must look.
        """
        ask = save_load.save_ask(self._path(cancellation), image, platform)
        wire = self._wire(cancellation, limits.first_byte_seconds)
        return save_load.save(wire, ask, limits.stall_seconds)

    def load(
        self,
        tar: Iterator[bytes],
        observer: ProgressObserver,
        *,
        limits: StreamLimits,
        cancellation: CancelScope,
        length: int | None = None,
    ) -> tuple[str, ...]:
        """Load a tar of exactly `length` bytes (or chunked).

        Returns the names and IDs that the engine says it loaded: look before believing it.
        """
        ask = save_load.load_ask(self._path(cancellation), length)
        wire = self._wire(cancellation, limits.reply_seconds, write=limits.stall_seconds)
        return save_load.load(wire, ask, tar, observer)

    def listen(self, listener: ImageListener, cancellation: CancelScope) -> None:
        """Tell of every change to the images of the engine, until it ends its answer.

        Raises TransferError, at the latest after an hour.
        """
        ask = image_events.events_ask(self._path(cancellation), listener.since)
        wire = self._wire(cancellation, self._answer_seconds)
        image_events.listen(replace(wire, is_probed=True), ask, listener)

    def _session(
        self, cancellation: CancelScope, total_seconds: float | None = None
    ) -> AbstractContextManager[docker.APIClient]:
        major, minor = self._version(cancellation)
        timeouts = control.SessionTimeouts(
            self._answer_seconds, total_seconds or self._answer_seconds
        )
        return control.session(self._dialler, cancellation, timeouts, f"{major}.{minor}")

    def _negotiate(self, cancellation: CancelScope) -> tuple[int, int]:
        timeouts = control.SessionTimeouts(self._answer_seconds, self._answer_seconds)
        session = control.session(self._dialler, cancellation, timeouts)
        with session as api, control.refusals("version"):
            return view.negotiated(api.version(api_version=False))

    def _version(self, cancellation: CancelScope) -> tuple[int, int]:
        """Negotiated once by the first call that needs it, anew by every `info`."""
        if self._api is None:
            self._api = self._negotiate(cancellation)
        return self._api

    def _path(self, cancellation: CancelScope) -> str:
        major, minor = self._version(cancellation)
        return f"/v{major}.{minor}"

    def _wire(
        self, cancellation: CancelScope, silence: float, *, write: float | None = None
    ) -> streams.Wire:
        timeout = httpx.Timeout(silence, connect=sockets.CONNECT_SECONDS, write=write or silence)
        return streams.Wire(self._dialler, cancellation, timeout)


def _batches(names: Sequence[Reference], size: int) -> Iterator[Sequence[Reference]]:
    """The same names in pieces (`itertools.batched` comes with Python 3.12)."""
    return (names[start : start + size] for start in range(0, len(names), size))
