"""What the rows of a status are made of: short texts, counts, bounded lists."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, TypeVar

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from cyroid_images.errors import InvalidReference
from cyroid_images.model.images import digest
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.reference import LONGEST as LONGEST_REFERENCE
from cyroid_images.model.kinds.conditions import message_of
from cyroid_images.model.kinds.fields import PlatformField, refuse
from cyroid_images.model.text import ROW_MESSAGE

T = TypeVar("T")


def _is_empty(value: object) -> bool:
    return not value


def _read_digest(value: object) -> object:
    if isinstance(value, Digest):
        return value
    try:
        return Digest.parse(str(value))
    except InvalidReference as exc:
        raise refuse(str(exc)) from exc


DigestField = Annotated[
    Digest,
    BeforeValidator(_read_digest),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "pattern": f"^{digest.PATTERN}$", "maxLength": 135}),
]
PlatformText = Annotated[PlatformField, PlainSerializer(str, return_type=str)]
ImageText = Annotated[str, Field(max_length=LONGEST_REFERENCE)]
RowMessage = Annotated[str, message_of(ROW_MESSAGE), Field(max_length=ROW_MESSAGE)]
Name = Annotated[str, Field(max_length=253)]
Uid = Annotated[str, Field(max_length=64)]
Count = Annotated[int, Field(ge=0)]
Omitted = Annotated[int, Field(ge=0, exclude_if=_is_empty)]
OnlyIfTrue = Annotated[bool, Field(exclude_if=_is_empty)]


def rows_field(most: int, *keys: str) -> Any:
    """A bounded list of rows, absent while empty; with keys a list of type map."""
    kind: dict[str, Any] = {"x-kubernetes-list-type": "map" if keys else "atomic"}
    if keys:
        kind["x-kubernetes-list-map-keys"] = list(keys)
    return Field((), max_length=most, exclude_if=_is_empty, json_schema_extra=kind)


def map_field(most: int) -> Any:
    """A bounded map that is written as a whole, absent while empty."""
    extra: dict[str, Any] = {"x-kubernetes-map-type": "atomic"}
    return Field({}, max_length=most, exclude_if=_is_empty, json_schema_extra=extra)


def first(most: int, rows: Iterable[T]) -> tuple[tuple[T, ...], int]:
    """The first rows that fit, and how many were left out."""
    listed = tuple(rows)
    return listed[:most], max(0, len(listed) - most)
