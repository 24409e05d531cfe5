"""What both senders have in common: a call as arguments of httpx, and a failure in words."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import httpx

from cyroid_images.client.errors import Unavailable
from cyroid_images.client.options import ClientOptions
from cyroid_images.client.steps import ApiCall, Open, StreamedBody


def connection(url: str, options: ClientOptions) -> dict[str, Any]:
    """Arguments of a client of httpx. No proxy of the environment gets to see a token, and no
    redirect is followed with one."""
    ca = options.ca
    verify = ssl.create_default_context(cafile=ca) if isinstance(ca, Path) else ca
    return {
        "base_url": url,
        "verify": True if verify is None else verify,
        "trust_env": False,
        "follow_redirects": False,
    }


def request(step: Open, options: ClientOptions, token: str | None) -> dict[str, Any]:
    """Arguments of a request of httpx; the body of an StreamedBody is the sender's."""
    call = step.call
    headers = {"accept": "text/event-stream" if step.is_stream else "application/json"}
    if token:
        headers["authorization"] = f"Bearer {token}"
    if isinstance(call.body, StreamedBody):
        headers["content-type"] = call.body.media_type
    is_json = call.body is not None and not isinstance(call.body, StreamedBody)
    return {
        "method": call.method,
        "url": call.path,
        "params": dict(call.query),
        "headers": headers,
        "timeout": _timeout(step, options),
        **({"json": call.body} if is_json else {}),
    }


def _timeout(step: Open, options: ClientOptions) -> httpx.Timeout:
    read = options.total
    if step.is_stream:
        read = options.silence
    elif isinstance(step.call.body, StreamedBody):
        read = options.patience  # what was sent is checked before the answer comes
    return httpx.Timeout(read, connect=options.connect, write=options.silence)


def no_answer(call: ApiCall[Any], exc: httpx.HTTPError) -> Unavailable:
    """The failure in words; httpx leaves some without any."""
    why = str(exc) or "nothing came in time"
    return Unavailable(call.name, f"no answer ({type(exc).__name__}: {why})")
