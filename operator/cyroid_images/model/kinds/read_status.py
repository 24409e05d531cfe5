"""Reading a status, which never fails.

Rows and entries that cannot be read (a newer version wrote them) are left out, the rest stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any, TypeVar

from pydantic import ValidationError

from cyroid_images.model.kinds.status import Status

S = TypeVar("S", bound=Status)


def read_status(kind: type[S], document: object) -> S:
    """The status as far as it can be read; what cannot is left out, at worst everything."""
    given: Any = document if isinstance(document, Mapping) else {}
    try:
        return kind.model_validate(given)
    except ValidationError as exc:
        wrong = {error["loc"][:2] for error in exc.errors(include_input=False, include_url=False)}
    readable: Any = deepcopy(dict(given))  # only here: a copy of 500 objects takes a while
    # Last index first, so that the earlier ones still point at their rows.
    for place in sorted(wrong, key=_row_of, reverse=True):
        _remove(readable, place)
    try:
        return kind.model_validate(readable)
    except ValidationError:
        return kind()


def _row_of(place: tuple[int | str, ...]) -> int:
    return next((step for step in place if isinstance(step, int)), -1)


def _remove(document: dict[str, Any], place: tuple[int | str, ...]) -> None:
    """Drop one field, one row of a list, or one entry of a map."""
    name, row = place[0], place[1] if len(place) > 1 else None
    rows = document.get(str(name))
    if isinstance(rows, list) and isinstance(row, int):
        rows[row : row + 1] = []
    elif isinstance(rows, dict) and row in rows:
        del rows[row]
    else:
        document.pop(str(name), None)
