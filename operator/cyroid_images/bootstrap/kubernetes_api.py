"""The one place where exceptions of the Kubernetes client become ours."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator

from kubernetes.client import ApiException
from urllib3.exceptions import HTTPError

from cyroid_images.errors import CyroidError

CALL_SECONDS = 15.0
"""The API server answers in milliseconds; a webhook before it may take its default of 10 s."""


MESSAGE_CHARACTERS = 500
"""Enough for the field and the rule that an API server names."""


@contextlib.contextmanager
def blamed_on(call: str, *, holds_secrets: bool) -> Iterator[None]:
    """Raises CyroidError that says which call failed and with what status.

    The server's own words are added unless the call `holds_secrets`, since they may repeat
    what was sent.
    """
    try:
        yield
    except ApiException as refused:
        words = "" if holds_secrets else _message(refused)
        raise CyroidError(f"{call}: {refused.status} {refused.reason}{words}") from None
    except HTTPError as unreachable:
        cause = getattr(unreachable, "reason", None) or unreachable
        raise CyroidError(f"{call}: no answer: {cause!s:.300}") from unreachable


def status_of(refused: ApiException) -> int:
    """The HTTP status of a refusal, 0 if there was none."""
    return int(refused.status or 0)


def _message(refused: ApiException) -> str:
    try:
        words = json.loads(refused.body or "")["message"]
    except (TypeError, ValueError, KeyError):  # not from the API server itself
        return ""
    return f": {str(words)[:MESSAGE_CHARACTERS]}"
