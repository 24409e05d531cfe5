"""Every method of the two clients, once: `Client` answers at once, `AsyncClient` is awaited."""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeVar, overload

from cyroid_images.client import calls, programs
from cyroid_images.client.steps import ApiCall, Asker, Giving, Program

P = ParamSpec("P")
T = TypeVar("T")


class BlockingSender(ABC):
    """Runs programs and blocks meanwhile."""

    asker: Asker

    @abstractmethod
    def one(self, program: Program[T]) -> T:
        """What the program ends with."""

    @abstractmethod
    def each(self, program: Program[Any]) -> Iterator[Any]:
        """What the program gives."""


class AwaitingSender(ABC):
    """Runs programs while others run, too."""

    asker: Asker

    @abstractmethod
    async def one(self, program: Program[T]) -> T:
        """What the program ends with."""

    @abstractmethod
    def each(self, program: Program[Any]) -> AsyncIterator[Any]:
        """What the program gives."""


class Answered(Generic[P, T]):
    """A method that makes one call and gives its answer."""

    def __init__(self, make: Callable[P, ApiCall[T]]) -> None:
        self.make = make
        self.__doc__ = make.__doc__

    @overload
    def __get__(self, sender: None, owner: type) -> Self: ...
    @overload
    def __get__(self, sender: BlockingSender, owner: type) -> Callable[P, T]: ...
    @overload
    def __get__(self, sender: AwaitingSender, owner: type) -> Callable[P, Awaitable[T]]: ...
    def __get__(self, sender: BlockingSender | AwaitingSender | None, owner: type) -> Any:
        if sender is None:
            return self

        @functools.wraps(self.make)
        def method(*args: P.args, **kwargs: P.kwargs) -> Any:
            return sender.one(sender.asker.ask(self.make(*args, **kwargs)))

        return method


class Given(Generic[P, T]):
    """A method that gives one thing after the other, with as many calls as that takes."""

    def __init__(self, make: Callable[Concatenate[Asker, P], Giving[T]]) -> None:
        self.make = make
        self.__doc__ = make.__doc__

    @overload
    def __get__(self, sender: None, owner: type) -> Self: ...
    @overload
    def __get__(self, sender: BlockingSender, owner: type) -> Callable[P, Iterator[T]]: ...
    @overload
    def __get__(self, sender: AwaitingSender, owner: type) -> Callable[P, AsyncIterator[T]]: ...
    def __get__(self, sender: BlockingSender | AwaitingSender | None, owner: type) -> Any:
        if sender is None:
            return self

        @functools.wraps(self.make)
        def method(*args: P.args, **kwargs: P.kwargs) -> Any:
            return sender.each(self.make(sender.asker, *args, **kwargs))

        return method


class Surface:
    """What both clients can do. The docstring of each method is that of the call it makes."""

    images = Answered(calls.images)
    all_images = Given(programs.all_images)
    stats = Answered(calls.stats)
    push = Answered(calls.push)
    push_status = Answered(calls.push_status)
    follow_push = Given(programs.follow_push)
    push_and_follow = Given(programs.push_and_follow)
    active_pushes = Answered(calls.active_pushes)
    image_status = Answered(calls.image_status)
    health = Answered(calls.health)
    delete_image = Answered(calls.delete_image)
    capabilities = Answered(calls.capabilities)
    source_images = Answered(calls.source_images)
    upload_docker_images = Answered(calls.upload_docker_images)

    me = Answered(calls.me)
    caches = Answered(calls.caches)
    doctor = Answered(calls.doctor)
    tags = Answered(calls.tags)
    all_tags = Given(programs.all_tags)
    unpushed = Answered(calls.unpushed)
    collection = Answered(calls.collection)
    collect = Answered(calls.collect)
    reconcile = Answered(calls.reconcile)
    import_bundle = Answered(calls.import_bundle)
    watch_registry = Given(programs.watch_registry)

    ranges = Answered(calls.ranges)
    all_ranges = Given(programs.all_ranges)
    range_detail = Answered(calls.range_detail)
    reconcile_range = Answered(calls.reconcile_range)
    suspend_range = Answered(calls.suspend_range)
    resume_range = Answered(calls.resume_range)
    watch_ranges = Given(programs.watch_ranges)
    events = Answered(calls.events)
    event = Answered(calls.event)
