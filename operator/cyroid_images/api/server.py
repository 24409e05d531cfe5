"""The process of the API: connections to the cluster, the watches, and uvicorn."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from types import FrameType

import uvicorn
from fastapi import FastAPI

from cyroid_images.api.app import create_app
from cyroid_images.api.callers import Callers
from cyroid_images.api.changing import MANAGER, Changing
from cyroid_images.api.contents import RegistryContents
from cyroid_images.api.examining import Examining
from cyroid_images.api.pages import PACKAGED
from cyroid_images.api.services import Services
from cyroid_images.api.world import CachesFollower, RangesFollower, World
from cyroid_images.blueprints.receiving import ArchiveUploads, UploadLimits
from cyroid_images.errors import CyroidError, InvalidSpec
from cyroid_images.kube.api import Api
from cyroid_images.kube.connection import connect
from cyroid_images.kube.editing import Editing
from cyroid_images.kube.following import Following
from cyroid_images.kube.reviews import Reviews
from cyroid_images.settings import Settings

_log = logging.getLogger(__name__)

LOOK_SECONDS = 10.0
"""How soon a connection that hangs is noticed."""
MOST_CONNECTIONS = 1024
LARGEST_HEAD = 32 * 1024
"""Bytes of a request line with its headers; a token has some thousand."""
IDLE_SECONDS = 30
END_SECONDS = 10
"""For requests under way when the process is to end; streams end at once."""


def serve(parsed: argparse.Namespace, settings: Settings) -> None:
    """Until a signal comes; raises CyroidError where it cannot begin."""
    if (parsed.tls_cert is None) != (parsed.tls_key is None):
        raise InvalidSpec("--tls-cert", "TLS needs both --tls-cert and --tls-key")
    web = parsed.web or PACKAGED
    ca = _text(parsed.registry_ca) if parsed.registry_ca else None
    app = create_app(lambda: living(settings, ca), web if web.is_dir() else None)
    host, port = parsed.listen
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        ssl_certfile=parsed.tls_cert,
        ssl_keyfile=parsed.tls_key,
        log_config=None,
        access_log=False,  # it would hold paths of whoever asks, and nobody reads it
        server_header=False,
        date_header=True,
        proxy_headers=False,
        ws="none",
        loop="asyncio",
        limit_concurrency=MOST_CONNECTIONS,
        h11_max_incomplete_event_size=LARGEST_HEAD,
        http="h11",
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=END_SECONDS,
        lifespan="on",
    )
    logging.getLogger("uvicorn.error").addFilter(_without_colours)
    server = _Server(config, app)
    try:
        server.run()
    except OSError as exc:
        raise CyroidError(f"cannot serve at {host}:{port}: {exc}") from exc
    if not server.started:
        raise CyroidError(f"the API did not start at {host}:{port}: see the log above")


def _without_colours(record: logging.LogRecord) -> bool:
    """uvicorn gives each line a second time, for terminals."""
    vars(record).pop("color_message", None)
    return True


class _Server(uvicorn.Server):
    """Ends event streams with the first signal: they would hold the exit for its whole grace."""

    def __init__(self, config: uvicorn.Config, app: FastAPI) -> None:
        super().__init__(config)
        self._app = app

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        services: Services | None = getattr(self._app.state, "services", None)
        if services is not None:
            services.streams.is_ending = True
            with contextlib.suppress(RuntimeError):
                asyncio.get_running_loop().call_soon_threadsafe(services.world.touch)
        super().handle_exit(sig, frame)


@contextlib.asynccontextmanager
async def living(settings: Settings, ca: str | None) -> AsyncIterator[Services]:
    """The services of a process, and the tasks that keep them current."""
    uploads = ArchiveUploads(settings.archives, UploadLimits(most_bytes=settings.max_upload_bytes))
    await asyncio.to_thread(uploads.prepare)
    client = await connect(settings.kubeconfig)
    api = Api(client)
    # Questions of people have turns of their own, and of tokens that nobody knows yet, which
    # anybody may send: neither delays the watches, nor strangers those who are known.
    people, strangers = Api(client, most_wait=5.0), Api(client, most_wait=2.0)
    world = World()
    contents = RegistryContents(ca)
    contents.on_listed = world.touch
    followings = (
        Following(api, "ImageCache", CachesFollower(world)),
        Following(api, "RangeImages", RangesFollower(world)),
    )
    tasks = [asyncio.create_task(each.run()) for each in followings]
    tasks += [asyncio.create_task(each.look(LOOK_SECONDS)) for each in followings]
    for task in tasks:
        task.add_done_callback(_ended)
    try:
        yield Services(
            world,
            Callers(Reviews(people), Reviews(strangers)),
            Changing(Editing(api, MANAGER)),
            contents,
            examining=Examining(api, settings.namespace),
            uploads=uploads,
        )
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        contents.close()
        await api.close()


def _ended(task: asyncio.Task[None]) -> None:
    """None of them ends by itself: without it the process would tell old things for ever."""
    if not task.cancelled():
        _log.critical("a task that keeps the API current ended", exc_info=task.exception())
        asyncio.get_running_loop().call_soon(_stop)


def _stop() -> None:
    raise SystemExit(1)


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as exc:
        raise InvalidSpec("--registry-ca", f"cannot read {path}: {exc}") from exc
