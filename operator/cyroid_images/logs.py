"""What a line of the log looks like: JSON for machines, text for people, secrets for nobody.

One formatter for the loggers of all packages. In JSON the keys are those of kopf
(`timestamp`, `severity`, `message`, `object`), then what the work at hand is about
(`model/telemetry/log_context.py`: generation, image, digest, target, transfer_id) and what the line
itself says (`step`, `audit`, `duration_ms`). Redaction works on the finished line, so that
neither an argument, an extra field nor a traceback gets around it.
"""

from __future__ import annotations

import base64
import json
import logging
import re
import sys
from collections.abc import Callable
from typing import Any, TextIO

from pythonjsonlogger.json import JsonFormatter

from cyroid_images.model.telemetry.log_context import fields

OWN = "cyroid_images"
QUIET = {
    "kopf.objects": logging.WARNING,
    "kopf.activities": logging.WARNING,
    "aiohttp.access": logging.ERROR,
    "httpx": logging.WARNING,
}
"""Loggers that would write a line per event, per probe or per request."""
SHORTEST_SECRET = 4
"""Characters: to hide every "a" would leave nothing to read, and guard no secret."""
MOST_SECRETS = 1000
"""Hidden values; the oldest are forgotten, which a rotation per hour reaches in weeks."""
HIDDEN = "***"
_USER_INFO = re.compile(
    r"(?P<scheme>\b\w[\w+.-]*://)[^\s/@\"']+@"  # scheme://token@, scheme://user:password@
    r"|[^\s/@:\"'=,(]+:[^\s@\"']+@(?!sha\d+:)"  # user:password@host, but not name:tag@sha256:
)


def configure(
    level: str,
    *,
    as_json: bool,
    redaction: Redaction | None = None,
    stream: TextIO | None = None,
) -> None:
    """Send everything to standard error (or another stream), one line each.

    The level is that of our own lines. Other packages never say more than INFO: below it
    they write whole requests with their headers.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    line = _json() if as_json else _text()
    handler.setFormatter(_Redacting(line, (redaction or Redaction()).cut))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(logging.INFO, logging.getLevelNamesMapping()[level]))
    logging.getLogger(OWN).setLevel(level)
    for name, least in QUIET.items():
        logging.getLogger(name).setLevel(least)


class Redaction:
    """What no line may repeat: values of Secrets, and names with passwords before an @."""

    def __init__(self) -> None:
        self._hidden: dict[str, None] = {}

    def learn(self, secret: str) -> None:
        """Hide this value from now on, also as it stands in JSON and in base64."""
        for value in (secret, *secret.splitlines()):
            if len(value.strip()) < SHORTEST_SECRET:
                continue
            encoded = base64.b64encode(value.encode()).decode()
            for form in (value, json.dumps(value)[1:-1], encoded.rstrip("=")):
                self._hidden[form] = None
        while len(self._hidden) > MOST_SECRETS:
            self._hidden.pop(next(iter(self._hidden)))

    def cut(self, line: str) -> str:
        """The line with HIDDEN where something secret stood."""
        for secret in tuple(self._hidden):
            line = line.replace(secret, HIDDEN)
        return _USER_INFO.sub(_without_user, line) if "@" in line else line


def _without_user(found: re.Match[str]) -> str:
    return f"{found['scheme'] or ''}{HIDDEN}@"


class _Redacting(logging.Formatter):
    """Another formatter's line, cut."""

    def __init__(self, inner: logging.Formatter, cut: Callable[[str], str]) -> None:
        super().__init__()
        self._inner = inner
        self._cut = cut

    def format(self, record: logging.LogRecord) -> str:
        return self._cut(self._inner.format(record))


def _text() -> logging.Formatter:
    return logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s")


def _json() -> logging.Formatter:
    untold = ["args", "msg", "settings", "k8s_skip", "k8s_ref"]
    return _Json("%(message)s", timestamp="timestamp", reserved_attrs=[*untold, *_UNTOLD])


class _Json(JsonFormatter):
    def add_fields(
        self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]
    ) -> None:
        log_data["severity"] = _severity(record.levelno)
        log_data["logger"] = record.name
        if hasattr(record, "k8s_ref"):  # a line of kopf about one object
            log_data["object"] = record.k8s_ref
        log_data.update(fields())
        super().add_fields(log_data, record, message_dict)


def _severity(level: int) -> str:
    """As kopf writes it."""
    names = ((logging.DEBUG, "debug"), (logging.INFO, "info"), (logging.WARNING, "warn"))
    return next((name for most, name in names if level <= most), "error")


_UNTOLD = tuple(vars(logging.makeLogRecord({})))
"""What every record carries and nobody reads."""
