"""What a line of the log looks like: JSON for machines, text for people."""

from __future__ import annotations

import logging
import sys

from pythonjsonlogger.json import JsonFormatter

QUIET = {
    "kopf.objects": logging.WARNING,
    "kopf.activities": logging.WARNING,
    "aiohttp.access": logging.ERROR,
    "httpx": logging.WARNING,
}
"""Loggers that would write a line per event, per probe or per request."""


def configure(level: str, *, as_json: bool) -> None:
    """Send everything to standard error, one line each, with the keys that kopf uses too."""
    handler = logging.StreamHandler(sys.stderr)
    if as_json:
        handler.setFormatter(
            JsonFormatter(
                "%(message)s",
                rename_fields={"levelname": "severity"},
                timestamp="timestamp",
                reserved_attrs=["args", "msg", *_UNTOLD],
            )
        )
    else:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name, least in QUIET.items():
        logging.getLogger(name).setLevel(least)


_UNTOLD = tuple(vars(logging.makeLogRecord({})))
"""What every record carries and nobody reads."""
