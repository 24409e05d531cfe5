"""One memory per object that lives: an object re-made under its name starts anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar

from cyroid_images.reconcile.keys import Key


class Remembers(Protocol):
    """What knows of which object it is, and takes note of each of its versions."""

    uid: str

    def begin(self, item: Any, /) -> None: ...


MemoryT = TypeVar("MemoryT", bound=Remembers)


class Memories(Generic[MemoryT]):
    """By key; nothing here outlives the process."""

    def __init__(self, make: Callable[[Any], MemoryT]) -> None:
        self._make = make
        self._held: dict[Key, MemoryT] = {}

    def at(self, key: Key, item: Any) -> MemoryT:
        """The memory for a pass of this object, made when it is met for the first time."""
        held = self._held.get(key)
        if held is None or held.uid != item.metadata.uid:
            held = self._held[key] = self._make(item)
        held.begin(item)
        return held

    def forget(self, key: Key) -> None:
        """The object is gone."""
        self._held.pop(key, None)
