"""What takes more than one call: all pages, a push until it is over, streams of events."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeVar

from pydantic import TypeAdapter

from cyroid_images.client import calls
from cyroid_images.client.errors import NotFound, NotOver, Unavailable
from cyroid_images.client.server_events import ServerEvent
from cyroid_images.client.steps import ApiCall, Asker, Give, Giving, Pause
from cyroid_images.overview.answer import Answer
from cyroid_images.overview.operations import PushStatus
from cyroid_images.overview.pages import RangeChanges
from cyroid_images.overview.ranges import RangeRow
from cyroid_images.overview.registry import RegistryStats, StoredImage, TagRow, UnpushedImage

T = TypeVar("T")

PAGE = 200
"""Items of a page that is asked for where all are wanted."""
MOST_PAGES = 1000
LOOK_SECONDS = 1.0
"""Between two looks at a push."""


@dataclass(frozen=True, slots=True)
class PushesTold:
    """The pushes that are known of, as they are now."""

    pushes: tuple[PushStatus, ...]


@dataclass(frozen=True, slots=True)
class StatsTold:
    """The registry in numbers, as it is now."""

    stats: RegistryStats


@dataclass(frozen=True, slots=True)
class UnpushedTold:
    """What sources hold and the registry lacks, as it is now."""

    images: tuple[UnpushedImage, ...]


class StreamTrouble(Answer):
    """Why the stream cannot tell how things are at the moment; it goes on when it can."""

    status: int
    """As of an answer: 403 where a right was taken away, 503 where the registry is down."""
    detail: str


RegistryNews = PushesTold | StatsTold | UnpushedTold | StreamTrouble
RangeNews = RangeChanges | StreamTrouble


# -- all pages ------------------------------------------------------------------------------


def all_images(
    asker: Asker, *, cache: str | None = None, matching: str | None = None
) -> Giving[StoredImage]:
    """All names in the registry, page by page."""
    return _all(
        asker,
        lambda offset: calls.images(cache=cache, matching=matching, limit=PAGE, offset=offset),
        lambda page: (page.items, page.total),
    )


def all_tags(
    asker: Asker,
    *,
    cache: str | None = None,
    matching: str | None = None,
    unused: bool | None = None,
) -> Giving[TagRow]:
    """All tags in the registry, page by page."""
    return _all(
        asker,
        lambda offset: calls.tags(
            cache=cache, matching=matching, unused=unused, limit=PAGE, offset=offset
        ),
        lambda page: (page.items, page.total),
    )


def all_ranges(
    asker: Asker, *, event: str | None = None, namespace: str | None = None
) -> Giving[RangeRow]:
    """All ranges, page by page, the worst first."""
    return _all(
        asker,
        lambda offset: calls.ranges(event=event, namespace=namespace, limit=PAGE, offset=offset),
        lambda page: (page.items, page.total),
    )


Page = TypeVar("Page")


def _all(
    asker: Asker,
    call: Callable[[int], ApiCall[Page]],
    read: Callable[[Page], tuple[tuple[T, ...], int]],
) -> Giving[T]:
    """What comes and goes between two pages may be missed or come twice, as with any list."""
    offset = 0
    for _ in range(MOST_PAGES):
        items, total = read((yield from asker.ask(call(offset))))
        for item in items:
            yield Give(item)
        offset += len(items)
        if not items or offset >= total:
            return


# -- a push ---------------------------------------------------------------------------------


def follow_push(
    asker: Asker,
    operation_id: str,
    *,
    within: float = 3600.0,
) -> Giving[PushStatus]:
    """Each change of a push until it is completed or has failed, whoever started it.

    An API that is away for a while is waited for. Raises NotOver after `within` seconds; the
    push goes on. Raises NotFound where nobody asked for such a push.
    """
    last, lost_since = None, asker.now()
    until = lost_since + within
    call = calls.push_status(operation_id)
    while True:
        try:
            status = yield from asker.ask(call)
        except (Unavailable, NotFound) as exc:
            # Just after a push the API may not have been told of it by Kubernetes.
            borne = asker.options.patience if isinstance(exc, Unavailable) else LOOK_SECONDS * 5
            if asker.now() - lost_since > borne:
                raise
        else:
            lost_since = asker.now()
            if status != last:
                yield Give(status)
            if status.is_over:
                return
            last = status
        if asker.now() > until:
            raise NotOver(call.name, f"not over after {within:.0f} s; it goes on all the same")
        yield Pause(LOOK_SECONDS)


def push_and_follow(
    asker: Asker, image: str, *, cache: str | None = None, within: float = 3600.0
) -> Giving[PushStatus]:
    """Push an image and tell each change until it is completed or has failed."""
    started = yield from asker.ask(calls.push(image, cache=cache))
    yield from follow_push(asker, started.operation_id, within=within)


# -- streams --------------------------------------------------------------------------------


def watch_registry(asker: Asker, *, cache: str | None = None) -> Giving[RegistryNews]:
    """What changes of the registry, for as long as the caller likes."""
    return asker.listen(calls.registry_stream(cache=cache), _registry_news)


def watch_ranges(asker: Asker, *, event: str | None = None) -> Giving[RangeNews]:
    """What changes of ranges, for as long as the caller likes; `reset`: all of them follow."""
    return asker.listen(calls.range_stream(event=event), _range_news)


def _registry_news(told: ServerEvent) -> RegistryNews | None:
    """None for what only a newer API tells."""
    if told.name == "pushes":
        return PushesTold(TypeAdapter(tuple[PushStatus, ...]).validate_json(told.data))
    if told.name == "stats":
        return StatsTold(RegistryStats.model_validate_json(told.data))
    if told.name == "unpushed":
        return UnpushedTold(TypeAdapter(tuple[UnpushedImage, ...]).validate_json(told.data))
    return _trouble(told)


def _range_news(told: ServerEvent) -> RangeNews | None:
    if told.name == "ranges":
        return RangeChanges.model_validate_json(told.data)
    return _trouble(told)


def _trouble(told: ServerEvent) -> StreamTrouble | None:
    """None for an ended token, too: the stream ends, and the next call has the renewed one."""
    if told.name != "problem":
        return None
    trouble = StreamTrouble.model_validate_json(told.data)
    return None if trouble.status == HTTPStatus.UNAUTHORIZED else trouble
