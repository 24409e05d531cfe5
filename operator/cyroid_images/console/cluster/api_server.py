"""The Kubernetes API in a few verbs, with a deadline and a bound each; what went wrong is told
with what to do next. Not here: what the objects mean (`objects.py`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode, urlsplit

from cyroid_images.errors import AccessDenied, ApiUnavailable, CyroidError, StatusConflict

ApiObject = dict[str, Any]

CONNECT_SECONDS, READ_SECONDS = 10.0, 60.0
WATCH_SECONDS = 240
"""How long a watch lasts before it is asked for again."""
SILENT_SECONDS = 100.0
"""A watch with bookmarks hears something once a minute; a longer silence is a lost one."""
PAGE = 500
MOST_OBJECTS = 20_000
"""Of one kind; more are not read, and that is said."""
LARGEST_LINE = 8 << 20
LARGEST_ERROR = 64 << 10
AGENT = "kubectl-cyroid"
KINDS = ("rangeimages", "imagecaches")


class NotThere(CyroidError):
    """The object, or the kind, does not exist."""


class WatchExpired(CyroidError):
    """The version that a watch was to start from is too old: list again."""


class ApiServer:
    """One API server, as one user. Not for several threads at once, but for watches."""

    def __init__(self, configuration: Any, pool: Any, namespace: str) -> None:
        self._configuration, self._pool = configuration, pool
        self.namespace = namespace
        """The one that is meant where none is named."""
        self.server = str(configuration.host)
        # Packing takes the API server longer than sending through a loopback.
        self._is_near = urlsplit(self.server).hostname in ("127.0.0.1", "::1", "localhost")

    @property
    def token(self) -> str | None:
        """What its user signs in with; None where that is no bearer token."""
        settings = self._configuration.auth_settings().values()
        values = (str(each["value"]) for each in settings if each["key"] == "authorization")
        found = (value.partition(" ") for value in values)
        return next((token for kind, _, token in found if kind.lower() == "bearer"), None)

    def get(self, path: str, query: Mapping[str, str] | None = None) -> ApiObject:
        """One GET; raises NotThere, AccessDenied or ApiUnavailable."""
        with self._sent("GET", path, query) as answer:
            return _document(answer.read(), path)

    def text(self, path: str, query: Mapping[str, str], most: int) -> bytes:
        """The first bytes of what is no JSON, such as a log."""
        with self._sent("GET", path, query) as answer:
            return bytes(answer.read(most))

    def list(
        self, path: str, query: Mapping[str, str] | None = None
    ) -> tuple[list[ApiObject], str]:
        """All objects of a collection, page by page, and the version of the list."""
        asked = {**(query or {}), "limit": str(PAGE)}
        found: list[ApiObject] = []
        while True:
            page = self.get(path, asked)
            found += page.get("items") or ()
            metadata = page.get("metadata") or {}
            more = metadata.get("continue")
            if not more:
                return found, str(metadata.get("resourceVersion") or "")
            if len(found) >= MOST_OBJECTS:
                raise CyroidError(
                    f"more than {MOST_OBJECTS} objects at {path}: choose some with -n or --event"
                )
            asked["continue"] = more

    def patch(self, path: str, body: Mapping[str, Any]) -> ApiObject:
        """One JSON merge patch; raises StatusConflict where somebody was faster."""
        kind = {"Content-Type": "application/merge-patch+json"}
        with self._sent("PATCH", path, {"fieldManager": AGENT}, body, **kind) as answer:
            return _document(answer.read(), path)

    def create(self, path: str, body: Mapping[str, Any]) -> ApiObject:
        """One POST."""
        with self._sent("POST", path, None, body, **{"Content-Type": "application/json"}) as answer:
            return _document(answer.read(), path)

    def watch(self, path: str, version: str, query: Mapping[str, str]) -> Iterator[ApiObject]:
        """Changes since this version until the server ends it; raises WatchExpired where it is
        too old, ApiUnavailable where the connection breaks.
        """
        asked = {
            **query,
            "watch": "true",
            "resourceVersion": version,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(WATCH_SECONDS),
        }
        with self._sent("GET", path, asked) as answer:
            for line in _lines(answer):
                event = _document(line, path)
                if event.get("type") == "ERROR":
                    raise WatchExpired(str((event.get("object") or {}).get("message")))
                yield event

    @contextmanager
    def _sent(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        **more: str,
    ) -> Iterator[Any]:
        """The response, good or raised; `more` are headers."""
        from urllib3 import Timeout  # noqa: PLC0415 - who only asks for help need not wait for it
        from urllib3.exceptions import HTTPError  # noqa: PLC0415

        headers = {"Accept": "application/json, */*", "User-Agent": AGENT, **more}
        for setting in self._configuration.auth_settings().values():
            headers[setting["key"]] = setting["value"]
        is_watch = bool(query and "watch" in query)
        if not is_watch and not self._is_near:
            headers["Accept-Encoding"] = "gzip"
        silent = SILENT_SECONDS if is_watch else READ_SECONDS
        try:
            answer = self._pool.request(
                method,
                f"{self.server}{path}{'?' + urlencode(query) if query else ''}",
                body=None if body is None else json.dumps(body),
                headers=headers,
                timeout=Timeout(connect=CONNECT_SECONDS, read=silent),
                preload_content=False,
                redirect=False,
            )
            try:
                if answer.status >= 300:
                    raise self._refused(method, path, answer)
                yield answer
            finally:
                if not answer.closed:  # not read to its end
                    answer.close()
        except HTTPError as exc:
            raise ApiUnavailable(self._unreachable(exc)) from exc

    def _unreachable(self, exc: Exception) -> str:
        way = " through the proxy" if type(exc).__name__ == "ProxyError" else ""
        inner = getattr(exc, "original_error", None) or exc
        why = " ".join(str(inner).rpartition(": ")[2].split())[:200] or type(exc).__name__
        return (
            f"no answer from the Kubernetes API at {self.server}{way}: {why};"
            " is it the right context? (kubectl config current-context)"
        )

    def _refused(self, method: str, path: str, answer: Any) -> CyroidError:
        status, said = answer.status, _said(answer.read(LARGEST_ERROR))
        if status == 401:
            return AccessDenied(
                f"the Kubernetes API at {self.server} does not know you (401): sign in again,"
                " and check with: kubectl auth whoami"
            )
        if status == 403:
            return AccessDenied(f"a right is missing: {said or f'{method} {path}'}; {_role(path)}")
        if status == 404:
            return NotThere(said or f"{path} does not exist")
        if status == 409:
            return StatusConflict(said or f"{path} was changed by somebody else")
        if status == 410:
            return WatchExpired(said)
        return ApiUnavailable(f"{method} {path}: the Kubernetes API answers {status}: {said}")


def _role(path: str) -> str:
    if "/imagecaches" in path:
        return "ask for the ClusterRole cyroid-view to look, imagecache-admin to change"
    if "/rangeimages" in path:
        return "ask for the ClusterRole cyroid-view to look, rangeimages-edit to change"
    return "ask your cluster's admin for it"


def _said(content: bytes) -> str:
    """The message of a Status object; its own text for what is none."""
    try:
        return str(json.loads(content)["message"])[:500]
    except (ValueError, KeyError, TypeError):
        return content.decode(errors="replace")[:200]


def _document(content: bytes, path: str) -> ApiObject:
    try:
        found = json.loads(content)
    except ValueError as exc:
        raise ApiUnavailable(f"GET {path}: the response is no JSON") from exc
    if not isinstance(found, dict):
        raise ApiUnavailable(f"GET {path}: the response is no object")
    return found


def _lines(answer: Any) -> Iterator[bytes]:
    rest = b""
    for chunk in answer.stream(1 << 16):
        *whole, rest = (rest + chunk).split(b"\n")
        yield from (line for line in whole if line)
        if len(rest) > LARGEST_LINE:
            raise ApiUnavailable("a watch sent a line that is too long")
