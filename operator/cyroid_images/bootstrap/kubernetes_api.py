"""The one place where exceptions of the Kubernetes client become ours."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from kubernetes.client import ApiException
from urllib3.exceptions import HTTPError

from cyroid_images.errors import CyroidError

CALL_SECONDS = 15.0
"""The API server answers in milliseconds; a webhook before it may take its default of 10 s."""


@contextlib.contextmanager
def blamed_on(call: str) -> Iterator[None]:
    """Raises CyroidError that says which call failed, with the server's status, never its body.

    The body of an answer may repeat the object that was sent, and with it a password.
    """
    try:
        yield
    except ApiException as refused:
        raise CyroidError(f"{call}: {refused.status} {refused.reason}") from None
    except HTTPError as unreachable:
        raise CyroidError(f"{call}: no answer: {type(unreachable).__name__}") from unreachable


def status_of(refused: ApiException) -> int:
    """The HTTP status of a refusal, 0 if there was none."""
    return int(refused.status or 0)
