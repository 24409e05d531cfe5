"""What the log lines of one piece of work have in common: its object, its transfer.

The work says it once; every line below, of whatever module, carries it, also in the thread
that `Threads` hands the work to. Nothing is logged here, and nothing decides by it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any

_NOTHING: Mapping[str, Any] = MappingProxyType({})
_about: ContextVar[Mapping[str, Any]] = ContextVar("log_context", default=_NOTHING)


@contextlib.contextmanager
def about(**fields: Any) -> Iterator[None]:
    """Lines of this block, and of the tasks that are started in it, carry these fields."""
    token = _about.set({**_about.get(), **fields})
    try:
        yield
    finally:
        _about.reset(token)


def fields() -> Mapping[str, Any]:
    """What a line that is written now carries."""
    return _about.get()
