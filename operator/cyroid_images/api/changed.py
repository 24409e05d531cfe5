"""The ranges by name, with the order of their changes: whoever saw one asks for the later ones."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from cyroid_images.errors import CyroidError, Reason
from cyroid_images.model.kinds.range_images import RangeImages
from cyroid_images.overview.ranges import EVENT_LABEL, RangeRow, range_row

RangeName = tuple[str, str]
"""Namespace and name."""

MOST_REMOVED = 2000
"""Removals that are remembered; who looks away for longer is told everything again."""


@dataclass(frozen=True)
class KnownRange:
    """One object as it is now."""

    item: RangeImages | None
    """None: it breaks a rule of its kind, see the row."""
    row: RangeRow
    number: int
    """Of its last change."""

    @cached_property
    def json(self) -> bytes:
        """The row on the wire: written once, however many follow."""
        return self.row.model_dump_json().encode()


class RangesByName:
    """Numbers each change, so that a reader needs to keep one number only."""

    def __init__(self) -> None:
        self.number = 0
        """Of the last change."""
        self._known: dict[RangeName, KnownRange] = {}
        self._removed: deque[tuple[int, RangeName]] = deque(maxlen=MOST_REMOVED)

    def __iter__(self) -> Iterator[KnownRange]:
        return iter(self._known.values())

    def get(self, namespace: str, name: str) -> KnownRange | None:
        """The one of this name; None: there is none."""
        return self._known.get((namespace, name))

    def items(self) -> Iterator[RangeImages]:
        """Those that can be read."""
        return (known.item for known in self._known.values() if known.item is not None)

    def namespaces(self) -> frozenset[str]:
        """Where there are any."""
        return frozenset(namespace for namespace, _ in self._known)

    def replace(self, bodies: Iterable[Mapping[str, Any]]) -> None:
        """These are all."""
        found = [(_name(body), body) for body in bodies]
        for name in self._known.keys() - {name for name, _ in found}:
            self.remove(name)
        for _, body in found:
            self.put(body)

    def put(self, body: Mapping[str, Any]) -> None:
        """This is how one is now; what is told twice is no change."""
        name = _name(body)
        item, row = _read(body)
        before = self._known.get(name)
        if before is not None and before.row == row and before.item == item:
            return
        self.number += 1
        self._known[name] = KnownRange(item, row, self.number)

    def remove(self, name: RangeName) -> None:
        """It is gone."""
        if self._known.pop(name, None) is not None:
            self.number += 1
            self._removed.append((self.number, name))

    def since(self, number: int) -> tuple[list[KnownRange], list[RangeName]] | None:
        """What changed after that, and what went; None: too long ago to say."""
        if len(self._removed) == MOST_REMOVED and self._removed[0][0] > number:
            return None
        changed = [known for known in self._known.values() if known.number > number]
        gone = [name for at, name in self._removed if at > number and name not in self._known]
        return changed, gone


def name_in(body: Mapping[str, Any]) -> RangeName:
    """Which object this is."""
    return _name(body)


def _name(body: Mapping[str, Any]) -> RangeName:
    metadata = body.get("metadata") or {}
    return str(metadata.get("namespace") or ""), str(metadata.get("name") or "")


def _read(body: Mapping[str, Any]) -> tuple[RangeImages | None, RangeRow]:
    try:
        item = RangeImages.parse(body)
    except CyroidError as exc:
        return None, _unreadable(body, exc)
    return item, range_row(item)


def _unreadable(body: Mapping[str, Any], error: CyroidError) -> RangeRow:
    """An object that an older schema let in: it is shown, with what is wrong."""
    metadata, spec = body.get("metadata") or {}, body.get("spec") or {}
    namespace, name = _name(body)
    return RangeRow(
        namespace=namespace,
        name=name,
        event=(metadata.get("labels") or {}).get(EVENT_LABEL),
        cache=str((spec.get("imageCacheRef") or {}).get("name", "default")),
        ready=False,
        reason=str(Reason.INVALID_SPEC),
        message=str(error),
        images_present=0,
        images_desired=len(spec.get("images") or ()),
        images_failed=0,
        images_via_tar=0,
        targets_ready=0,
        targets_matched=0,
        created=metadata.get("creationTimestamp") or datetime.now(UTC),
    )
