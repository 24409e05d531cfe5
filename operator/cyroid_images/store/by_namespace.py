"""A dict that also tells what is in one namespace, without a look at all the others."""

from __future__ import annotations

from collections import UserDict
from collections.abc import Callable, Hashable, Mapping
from typing import TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class ByNamespace(UserDict[K, V]):
    """Whom a pod concerns is asked for each event of a watch, and a cluster has thousands."""

    def __init__(self, namespace_of: Callable[[V], str]) -> None:
        self._namespace_of = namespace_of
        self._within: dict[str, dict[K, V]] = {}
        super().__init__()

    def within(self, namespace: str) -> Mapping[K, V]:
        """What is in that namespace."""
        return self._within.get(namespace, {})

    def __setitem__(self, key: K, value: V) -> None:
        if key in self.data:
            del self[key]
        super().__setitem__(key, value)
        self._within.setdefault(self._namespace_of(value), {})[key] = value

    def __delitem__(self, key: K) -> None:
        namespace = self._namespace_of(self.data[key])
        super().__delitem__(key)
        here = self._within[namespace]
        del here[key]
        if not here:
            del self._within[namespace]
