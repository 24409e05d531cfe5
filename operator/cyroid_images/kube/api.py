"""One call to the Kubernetes API: paced, bounded in time and size, with our own errors.

Plain JSON on the transport of kubernetes.aio: its typed methods would turn each object
into a model and back. What an answer means (404, 409, 422) is for the caller to say; what
no caller can use (no answer, 401, 403, 429) is raised here.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Any

import aiohttp

from cyroid_images.errors import AccessDenied, ApiUnavailable
from cyroid_images.model.telemetry.request_observer import RequestDone, RequestObserver, unobserved
from cyroid_images.scheduling.rate_limiter import RateLimiter

_log = logging.getLogger(__name__)

PER_SECOND = 19.0
"""With the burst and twelve renewals of the Lease, which wait for no turn, the busiest minute
stays below 20 a second: client-go's order of magnitude. 500 first statuses take 25 s."""
BURST = 40
"""The start of the operator (rights, lists of 1,500 objects) fits in and is not slowed down."""
SPARE_LEFT = 10
"""Turns that an event leaves to what matters more: a few statuses never wait behind one."""
CALL_SECONDS = 10.0
"""A healthy API server answers in milliseconds; a page of a list in less than a second."""
LARGEST = 160 * 1024 * 1024
"""Bytes of an answer: a page of 100 objects, each as large as etcd takes (1.5 MB), fits in."""
LARGEST_LINE = 16 * 1024 * 1024
"""Bytes of one event of a watch, ten times what etcd takes for an object."""
WATCH_SECONDS = 3600.0
"""Longer than any watch is asked to last."""
LONGEST_HOLD_SECONDS = 30.0
"""What we grant a Retry-After: the API server is asked again, at least that often."""
JSON = "application/json"
APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
"""Merges lists by their keys, conditions by type; for Kubernetes' own kinds only."""


@dataclass(frozen=True, slots=True)
class ApiResponse:
    """The code and the JSON of an answer; never printed, since it may be a Secret."""

    code: int
    body: Mapping[str, Any] = field(repr=False)

    @property
    def is_success(self) -> bool:
        return 200 <= self.code < 300

    @property
    def message(self) -> str:
        """What a `Status` object says, cut to 500 characters."""
        return f"{self.code} {str(self.body.get('message', ''))[:500]}".rstrip()


class NamespaceEnding(AccessDenied):
    """Nothing new is taken: the namespace is being terminated."""


class Api:
    """Calls by path; `client` is an ApiClient of kubernetes.aio."""

    def __init__(
        self,
        client: Any,
        *,
        call_seconds: float = CALL_SECONDS,
        most_wait: float = inf,
        on_request: RequestObserver = unobserved,
    ) -> None:
        """`most_wait`: seconds that a call waits for its turn at most; where it would be longer
        ApiUnavailable is raised at once, so that who asks much is refused and delays nobody."""
        self._client = client
        self._most_wait = most_wait
        self._seconds = call_seconds
        self._on_request = on_request
        self._limiter = RateLimiter(PER_SECOND, BURST)
        self.may_write: Callable[[], bool] = lambda: True
        """Asked right before each write of what only the active operator may write."""

    async def close(self) -> None:
        """Close the connections; calls under way fail."""
        await self._client.close()

    async def get(self, path: str, **query: str) -> ApiResponse:
        """GET; raises ApiUnavailable and AccessDenied."""
        await self._turn()
        return await self._call("GET", path, query, None, JSON)

    async def lines(
        self,
        path: str,
        *,
        idle_seconds: float,
        opened: Callable[[], None] = lambda: None,
        **query: str,
    ) -> AsyncIterator[Mapping[str, Any]]:
        """The JSON lines of a watch, until the API server ends it or says nothing for so long.

        `opened` is called when it stands, which may be long before its first line. A refusal is a
        line of the type ERROR, as one that comes later. Raises ApiUnavailable and
        AccessDenied.
        """
        await self._turn()
        what = f"GET {path}"
        try:
            async with asyncio.timeout(self._seconds):
                request = await self._request("GET", path, query, None, JSON)
                # The client's own limit would end the whole watch.
                response = await self._client.call_api(*request, _request_timeout=WATCH_SECONDS)
            if response.status >= 300:
                answer = _answer(what, response.status, await _read(response.response, what))
                self._judge(what, answer, response.headers)
                yield {"type": "ERROR", "object": {**answer.body, "code": answer.code}}
                return
            opened()
            async for line in _lines(response.response, what, idle_seconds):
                yield line
        except ApiUnavailable:
            raise
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as exc:
            raise ApiUnavailable(f"{what}: {str(exc) or type(exc).__name__}") from exc

    async def post(self, path: str, body: Mapping[str, Any]) -> ApiResponse:
        """POST, which is not repeated; raises ApiUnavailable and AccessDenied."""
        await self._turn()
        self._check(f"POST {path}")
        return await self._call("POST", path, {}, body, JSON)

    async def patch(
        self, path: str, body: Mapping[str, Any], *, form: str, **query: str
    ) -> ApiResponse:
        """PATCH in the form APPLY, MERGE or STRATEGIC; raises ApiUnavailable and AccessDenied."""
        await self._turn()
        self._check(f"PATCH {path}")
        return await self._call("PATCH", path, query, body, form)

    async def at_once(
        self, method: str, path: str, body: Mapping[str, Any] | None = None
    ) -> ApiResponse:
        """A call for the Lease: it waits behind no other, and who has no Lease may make it.

        Hundreds of statuses may wait for their turn; a renewal behind them would come too late.
        """
        return await self._call(method, path, {}, body, JSON)

    async def behind_all(
        self, method: str, path: str, body: Mapping[str, Any], *, form: str = JSON
    ) -> ApiResponse:
        """A write that takes only turns that nobody else wants: an event.

        Reads and statuses that come while it waits go before it.
        """
        await self._spare_turn()
        self._check(f"{method} {path}")
        return await self._call(method, path, {}, body, form)

    async def _turn(self) -> None:
        if self._limiter.due(_now()) > self._most_wait:
            raise ApiUnavailable("too many questions wait for the API server; try again")
        await asyncio.sleep(self._limiter.take(_now()))

    async def _spare_turn(self) -> None:
        while (wait := self._limiter.take_spare(_now(), left=SPARE_LEFT)) > 0:
            await asyncio.sleep(wait)

    def _check(self, what: str) -> None:
        """After the turn came, right before the call: the wait may have been a long one."""
        if not self.may_write():
            raise ApiUnavailable(f"{what}: not written, this operator does not hold the Lease")

    async def _call(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: Mapping[str, Any] | None,
        form: str,
    ) -> ApiResponse:
        what = f"{method} {path}"
        began, code = _now(), None
        try:
            async with asyncio.timeout(self._seconds):
                request = await self._request(method, path, query, body, form)
                response = await self._client.call_api(*request, _request_timeout=self._seconds)
                code = int(response.status)
                content = await _read(response.response, what)
        except ApiUnavailable:
            raise
        except TimeoutError as exc:
            raise ApiUnavailable(f"{what}: no response after {self._seconds:.0f} s") from exc
        except (aiohttp.ClientError, OSError) as exc:
            raise ApiUnavailable(f"{what}: {exc}") from exc
        except Exception as exc:  # a plugin that logs in may raise whatever it likes
            _log.debug("%s failed", what, exc_info=exc)
            raise ApiUnavailable(f"{what}: {type(exc).__name__}: {exc}") from exc
        finally:
            self._on_request(RequestDone("", method, path, code, _now() - began))
        return self._judge(what, _answer(what, response.status, content), response.headers)

    async def _request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: Mapping[str, Any] | None,
        form: str,
    ) -> Any:
        """What `call_api` takes, with the token: to read or renew that is a call of its own."""
        return await self._client.param_serialize(
            method,
            path,
            query_params=list(query.items()),
            header_params={"Accept": "application/json", "Content-Type": form},
            body=body,
            auth_settings=["BearerToken"],
        )

    def _judge(self, what: str, answer: ApiResponse, headers: Mapping[str, str]) -> ApiResponse:
        """Raise what no caller can use."""
        if answer.code == 429:
            pause = min(_seconds(headers.get("Retry-After")), LONGEST_HOLD_SECONDS)
            self._limiter.hold(_now(), pause)
            raise ApiUnavailable(f"{what}: {answer.message}", retry_after=pause)
        if answer.code in (401, 403):
            refusal = NamespaceEnding if _is_ending(answer) else AccessDenied
            raise refusal(f"{what}: {answer.message}")
        return answer


def _is_ending(answer: ApiResponse) -> bool:
    """The cause that the admission plugin NamespaceLifecycle gives (apiserver 1.34)."""
    causes = (answer.body.get("details") or {}).get("causes") or ()
    return any(cause.get("reason") == "NamespaceTerminating" for cause in causes)


def success(answer: ApiResponse, what: str) -> Mapping[str, Any]:
    """The body of a 2xx; raises ApiUnavailable for everything else."""
    if not answer.is_success:
        raise ApiUnavailable(f"{what}: {answer.message}")
    return answer.body


async def _lines(
    response: aiohttp.ClientResponse, what: str, idle_seconds: float
) -> AsyncIterator[Mapping[str, Any]]:
    """Whole lines as they come; what stands before a cut is no line."""
    rest = bytearray()
    try:
        while True:
            async with asyncio.timeout(idle_seconds):
                chunk = await response.content.readany()
            if not chunk:
                return
            rest += chunk
            if len(rest) > LARGEST_LINE:
                raise ApiUnavailable(f"{what}: a line is longer than {LARGEST_LINE} bytes")
            *whole, last = rest.split(b"\n")
            for line in whole:
                if line:
                    yield json.loads(line)
            rest = bytearray(last)
    finally:
        response.close()


async def _read(response: aiohttp.ClientResponse, what: str) -> bytes:
    content = bytearray()
    async for chunk in response.content.iter_any():
        content += chunk
        if len(content) > LARGEST:
            response.close()
            raise ApiUnavailable(f"{what}: the response is larger than {LARGEST} bytes")
    return bytes(content)


def _answer(what: str, code: int, content: bytes) -> ApiResponse:
    try:
        body = json.loads(content) if content else {}
    except ValueError as exc:
        if 200 <= code < 300:
            raise ApiUnavailable(f"{what}: the response is not JSON") from exc
        body = {"message": content[:500].decode(errors="replace")}  # a proxy's own page
    return ApiResponse(code, body if isinstance(body, dict) else {})


def _seconds(retry_after: str | None) -> float:
    return float(retry_after) if retry_after and retry_after.isdecimal() else 1.0


def _now() -> float:
    return asyncio.get_running_loop().time()
