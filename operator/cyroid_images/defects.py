"""A defect of our own: told on the row or object that it belongs to, with an id for the log."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable

from cyroid_images.errors import Reason
from cyroid_images.model.fault import Fault

_log = logging.getLogger(__name__)

Defect = Callable[[Exception], Fault]
"""Logs it, and says under which id."""

AGAIN_SECONDS = 60.0
"""Until the next pass after a defect of the operator."""


def defect_in(where: object, error: BaseException) -> Fault:
    """Log a defect; the fault that people read names its id."""
    number = secrets.token_hex(4)
    _log.error("defect %s in %s", number, where, exc_info=error)
    return Fault(
        Reason.INTERNAL_ERROR,
        f"a defect of the operator; see its log for {number}; will retry in {AGAIN_SECONDS:.0f} s",
    )
