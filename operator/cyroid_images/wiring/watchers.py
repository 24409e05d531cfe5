"""How one listens to a source engine: the leaf behind the protocol `Watcher`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from cyroid_images.engine import Engine
from cyroid_images.model.engine import ClientTLS, EngineEndpoint, ImageListener
from cyroid_images.model.telemetry.request_observer import RequestObserver
from cyroid_images.observe.places import EnginePlace
from cyroid_images.observe.ports import Secrets
from cyroid_images.observe.source_events import Listen
from cyroid_images.scheduling.cancel_scope import CancelScope


@dataclass(frozen=True, slots=True)
class EngineWatcher:
    """Listens with the same certificates as a look."""

    secrets: Secrets
    on_request: RequestObserver

    def party(self, place: EnginePlace, /) -> str:
        return place.party

    async def prepare(self, place: EnginePlace, /) -> Listen:
        tls: ClientTLS | None = None
        if place.secret:
            tls = await self.secrets.client_tls(place.secret, place.server_name)
        return partial(self._listen, EngineEndpoint(place.url, tls))

    def _listen(
        self, endpoint: EngineEndpoint, listener: ImageListener, cancellation: CancelScope
    ) -> None:
        Engine(endpoint, on_request=self.on_request).listen(listener, cancellation)
