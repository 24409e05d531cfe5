"""An ApiClient of kubernetes.aio that answers as a test says, on any event loop."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Content:
    body: bytes

    async def iter_any(self) -> AsyncIterator[bytes]:
        yield self.body


@dataclass(slots=True)
class Raw:
    content: Content

    def close(self) -> None:
        return None


@dataclass(slots=True)
class Response:
    status: int
    response: Raw
    headers: Mapping[str, str] = field(default_factory=dict)


def answer(status: int, body: Any = None, **headers: str) -> Response:
    """An answer; a header `Retry_After` is `Retry-After`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status, Raw(Content(json.dumps(body or {}).encode())), named)


@dataclass(slots=True)
class FakeClient:
    """Answers 200 but for what is in `script`: answers, errors, or seconds to say nothing."""

    script: list[Response | BaseException | float] = field(default_factory=list)
    hook_errors: list[BaseException] = field(default_factory=list)
    """What the login plugin raises, one after the other."""
    calls: list[tuple[float, str, str, Any]] = field(default_factory=list)
    """Moment, method, path and body."""

    async def param_serialize(self, method: str, path: str, **more: Any) -> Any:
        if self.hook_errors:
            raise self.hook_errors.pop(0)
        return method, path, more["body"]

    async def call_api(self, method: str, path: str, body: Any, **_: Any) -> Response:
        self.calls.append((asyncio.get_running_loop().time(), method, path, body))
        step = self.script.pop(0) if self.script else answer(200)
        if isinstance(step, float):
            await asyncio.sleep(step)
            return answer(200)
        if isinstance(step, BaseException):
            raise step
        return step

    async def close(self) -> None:
        return None
