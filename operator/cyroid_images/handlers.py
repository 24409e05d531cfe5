"""The shell around the controller: kopf keeps the watches, and hands each event to it.

`kopf.on.event` only, because every other handler of kopf writes annotations or finalizers.
A handler does no I/O and never raises. What kopf does not do for us: it reports no
deletion that happened while a watch was down, so the controller lists everything again from
time to time.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import kopf

_log = logging.getLogger(__name__)

PODS = ("", "v1", "pods")
WATCHED = {
    "RangeImages": ("cyroid.io", "v1alpha1", "rangeimages"),
    "ImageCache": ("cyroid.io", "v1alpha1", "imagecaches"),
    "Pod": PODS,
    "Namespace": ("", "v1", "namespaces"),
}
"""By kind. Groups and versions are written out: other groups have pods, too (metrics)."""

ENGINES_ONLY = "cyroid.io/component=dind"
"""The API server sends us no other pods: a cluster may have thousands."""

LOGIN_SECONDS = 2.0
"""Between tries to log in. A login that fails for good does not end kopf: it would hang."""


class Shell(Protocol):
    """What runs inside kopf; all of it is called in kopf's event loop."""

    async def start(self) -> None:
        """Called once, before any event; what it raises ends the process."""
        ...

    async def stop(self) -> None:
        """Called once at the end, after the last event, if `start` had returned."""
        ...

    def changed(self, kind: str, event_type: str | None, body: Mapping[str, Any]) -> None:
        """An object as the API gave it; the type is None for what was there already."""
        ...


def register(registry: kopf.OperatorRegistry, shell: Shell) -> None:
    """Bind the shell to this registry of handlers, so that each test has its own operator."""
    for kind, resource in WATCHED.items():
        _watch(registry, shell, kind, resource)
    _live(registry, shell)
    kopf.on.login(id="login", backoff=LOGIN_SECONDS, registry=registry)(_login)


def configure(settings: kopf.OperatorSettings) -> None:
    """What protects us from kopf's defaults."""
    settings.scanning.disabled = True  # else it watches all CRDs, which takes rights
    settings.peering.standalone = True  # a foreign peering `default` would pause us
    settings.posting.enabled = False  # our own events; kopf's do not aggregate
    settings.persistence.diffbase_storage = _NoDiffs()
    settings.watching.server_timeout = 300  # of 5 to 10 min: a lost watch is replaced soon
    settings.watching.connect_timeout = 10
    settings.watching.inactivity_timeout = 70  # bookmarks come each 60 s
    settings.watching.chunk_size = 100  # its JSON is read in one piece: see kube/cluster.py
    settings.watching.initial_streaming = False  # only newest API servers have it
    settings.watching.label_selectors[PODS] = ENGINES_ONLY
    settings.queueing.worker_limit = 200  # bounds the tasks of a re-list
    settings.queueing.idle_timeout = 1  # a worker per object should not linger
    settings.networking.request_timeout = 30
    settings.networking.connect_timeout = 10
    settings.networking.enforce_retry_after = True
    settings.networking.error_backoffs = Backoffs()
    settings.process.ultimate_exiting_timeout = 25  # of a grace period of 30 s


def tell_error(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log an error that nobody caught, but for one at the end that is none.

    A watch that is cancelled between two events leaves its generators suspended. At its end
    asyncio closes all of them at once, while the outer one of kopf 1.45 closes the inner, too:
    whichever comes second complains. By then the watch has ended and its connections are
    closed, so there is nothing to mend.
    """
    is_watch = getattr(context.get("asyncgen"), "__name__", "") in _GENERATORS_OF_A_WATCH
    if is_watch and any(text in str(context.get("exception")) for text in _CLOSED_TWICE):
        _log.debug("a watch was closed at the end between two events")
    else:
        loop.default_exception_handler(context)


_GENERATORS_OF_A_WATCH = ("infinite_watch", "streaming_block")
_CLOSED_TWICE = (
    "generator didn't stop after athrow()",
    "asynchronous generator is already running",
)
"""As `contextlib` and Python say it."""


class _NoDiffs(kopf.DiffBaseStorage):
    """Handlers of events ask for no diff, for which kopf would copy each object deeply."""

    def build(self, **_: Any) -> kopf.BodyEssence:
        return kopf.BodyEssence({})

    def fetch(self, **_: Any) -> kopf.BodyEssence | None:
        return None

    def store(self, **_: Any) -> None:
        return None


class Backoffs:
    """Pauses in seconds between tries of a request: 1, 2, 4 ... 30, without end.

    By default 54 s of errors would end the process, and its transfers with it. Each
    request iterates anew; the jitter keeps the watches apart when the API server is back.
    """

    def __iter__(self) -> Iterator[float]:
        pause = 1.0
        while True:
            yield pause * random.uniform(0.8, 1.2)  # noqa: S311 - jitter is no secret
            pause = min(2 * pause, 30.0)


def _watch(
    registry: kopf.OperatorRegistry, shell: Shell, kind: str, resource: tuple[str, str, str]
) -> None:
    async def changed(event: kopf.RawEvent, **_: Any) -> None:
        try:
            shell.changed(kind, event["type"], dict(event["object"]))
        except Exception:  # kopf drops what a handler raises; nobody would ever hear of it
            _log.exception(
                "cannot handle a watch event of a %s; it is lost until the next list", kind
            )

    kopf.on.event(*resource, id=f"watch-{kind.lower()}", registry=registry)(changed)


def _live(registry: kopf.OperatorRegistry, shell: Shell) -> None:
    """Start and stop; PERMANENT, or kopf would try again for ever what raised."""
    permanent = kopf.ErrorsMode.PERMANENT

    async def start(settings: kopf.OperatorSettings, **_: Any) -> None:
        asyncio.get_running_loop().set_exception_handler(tell_error)
        configure(settings)
        await shell.start()

    async def stop(**_: Any) -> None:
        await shell.stop()

    kopf.on.startup(id="start", errors=permanent, registry=registry)(start)
    kopf.on.cleanup(id="stop", errors=permanent, registry=registry)(stop)


async def _login(settings: kopf.OperatorSettings, **_: Any) -> kopf.ConnectionInfo:
    """As the service account of a pod, else by kubeconfig; asked again after each 401.

    kopf's own choice would ride on the `kubernetes` package, whose 36.0.0 sent no token
    (kubernetes-client/python #2582).
    """
    found = kopf.login_with_service_account(settings=settings)
    found = found or kopf.login_with_kubeconfig(settings=settings)
    if found is None:
        raise kopf.TemporaryError(
            "cannot log in to the Kubernetes API: neither a service account nor a kubeconfig",
            delay=LOGIN_SECONDS,
        )
    return found
