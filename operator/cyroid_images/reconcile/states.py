"""One state per object that lives: an object re-made under its name starts anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar

from cyroid_images.store.keys import Key


class State(Protocol):
    """What knows of which object it is, and takes note of each of its versions."""

    uid: str
    generation: int

    def begin(self, item: Any, /) -> None: ...


StateT = TypeVar("StateT", bound=State)


class States(Generic[StateT]):
    """By key; nothing here outlives the process."""

    def __init__(self, make: Callable[[Any], StateT]) -> None:
        self._make = make
        self._held: dict[Key, StateT] = {}

    def at(self, key: Key, item: Any) -> StateT:
        """The state for a pass of this object, made when it is met for the first time."""
        held = self._held.get(key)
        if held is None or held.uid != item.metadata.uid:
            held = self._held[key] = self._make(item)
        held.begin(item)
        return held

    def is_other(self, key: Key, item: Any) -> bool:
        """Was another object, or another spec of it, met under this key before?"""
        held = self._held.get(key)
        if held is None:
            return False
        return (held.uid, held.generation) != (item.metadata.uid, item.metadata.generation)

    def is_remade(self, key: Key, item: Any) -> bool:
        """Was another object met under this key before? What it began is not of this one."""
        held = self._held.get(key)
        return held is not None and held.uid != item.metadata.uid

    def find(self, key: Key) -> StateT | None:
        """The state of an object that was met."""
        return self._held.get(key)

    def forget(self, key: Key) -> None:
        """The object is gone."""
        self._held.pop(key, None)

    def __len__(self) -> int:
        return len(self._held)
