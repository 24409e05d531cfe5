"""Short calls in docker-py's vocabulary, on our own connections.

docker-py knows the paths, parameters and errors of the Engine API, but its transport can
neither check a certificate's name while dialling an address, nor take a key that is no
file, nor bound an answer, nor be cut. So it gets a transport adapter that hands each
request to the same httpx connection that the streams use.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import docker
import docker.errors
import requests
from requests.adapters import BaseAdapter

from cyroid_images.engine.classify import Operation, failure, message_in
from cyroid_images.engine.dialling import Dialler
from cyroid_images.engine.faults import told
from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.reference import Reference
from cyroid_images.scheduling.cancel_scope import CancelScope

LARGEST_ANSWER = 16 * 1024 * 1024
"""Bytes of one answer: a list of 4096 images of two or three platforms has about so many."""

UNASKED_VERSION = "1.41"
"""What docker-py is told before anything is negotiated; "auto" would call in its constructor."""


@dataclass(frozen=True, slots=True)
class SessionTimeouts:
    """Seconds that a session may take: for each answer, and in all."""

    answer: float
    total: float


@contextlib.contextmanager
def session(
    dialler: Dialler,
    cancellation: CancelScope,
    timeouts: SessionTimeouts,
    version: str = UNASKED_VERSION,
) -> Iterator[docker.APIClient]:
    """A docker-py client whose calls all end in time, or with the cancellation.

    Everything that is raised in the block leaves it as a TransferError.
    """
    late = f"{dialler.endpoint}: response not complete after {timeouts.total:g} s"
    with (
        cancellation.within(
            timeouts.total, TransferError(Reason.ENGINE_UNREACHABLE, late)
        ) as deadline,
        told(dialler.endpoint, deadline),
        contextlib.closing(_Adapter(dialler, deadline, timeouts.answer)) as adapter,
    ):
        api = docker.APIClient(base_url="tcp://engine:2375", version=version)
        # The machine's proxies and CA bundles are not the engine's.
        api.trust_env = False
        api.mount("http://", adapter)
        with contextlib.closing(api):
            yield api


@contextlib.contextmanager
def refusals(what: str) -> Iterator[None]:
    """Turn what the engine refuses into a TransferError that tells its words."""
    try:
        yield
    except docker.errors.APIError as exc:
        words = str(exc.explanation or f"status {exc.status_code}")
        raise failure(words, Operation.CONTROL, what=what) from exc


def listed(
    api: docker.APIClient, names: Collection[Reference] = (), *, with_manifests: bool = False
) -> object:
    """The engine's list of images, as docker-py's `images` cannot ask for it: with digests.

    With names, of these alone (`listing.lists_by_name` says whom that may be asked of); with
    manifests, whether all of an image is there (`listing.lists_manifests`).
    """
    url = f"{api.base_url}/v{api.api_version}/images/json"
    params = {"digests": "1"}
    if names:
        params["filters"] = json.dumps({"reference": [_pattern(name) for name in names]})
    if with_manifests:
        params["manifests"] = "1"
    answer = api.get(url, params=params)
    if not answer.ok:
        raise failure(message_in(answer.text), Operation.CONTROL, what="list images")
    content: object = answer.json()
    return content


def _pattern(name: Reference) -> str:
    """What the filter `reference` finds an image by: the name as engines show it.

    A digest is only found in the name of an image that was pulled by it; so all of the
    repository is asked for, and the caller finds the digest among its rows.
    """
    return name.familiar if name.digest else f"{name.familiar}:{name.tag}"


def inspected(api: docker.APIClient, image: Digest) -> Mapping[str, Any] | None:
    """What the engine says of an image; None when it has vanished."""
    try:
        answer: object = api.inspect_image(str(image))  # type: ignore[no-untyped-call]  # stubs
    except docker.errors.NotFound:
        return None
    if not isinstance(answer, dict):
        raise TransferError(
            Reason.PROTOCOL_ERROR, f"inspect {image}: response is not a JSON object"
        )
    return answer


class _Adapter(BaseAdapter):
    """Carries the requests of one docker-py client over one httpx client."""

    def __init__(self, dialler: Dialler, cancellation: CancelScope, seconds: float) -> None:
        super().__init__()
        self._http = dialler.client(seconds)
        self._extensions = dialler.extensions(cancellation)

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        """The whole, bounded answer; a redirect is refused, since engines send none."""
        headers = {**request.headers, "Accept-Encoding": "identity"}
        with self._http.stream(
            request.method or "GET",
            request.path_url,
            headers=headers,
            content=request.body,
            extensions=self._extensions,
        ) as answer:
            if answer.is_redirect:
                raise TransferError(Reason.PROTOCOL_ERROR, "the engine answers with a redirect")
            return _as_requests(request, answer.status_code, _bounded(answer.iter_raw()))

    def close(self) -> None:
        """Close what is still open."""
        self._http.close()


def _bounded(chunks: Iterator[bytes]) -> bytes:
    content = bytearray()
    for chunk in chunks:
        content += chunk
        if len(content) > LARGEST_ANSWER:
            raise TransferError(
                Reason.PROTOCOL_ERROR,
                f"response of the engine is larger than {LARGEST_ANSWER // 2**20} MiB",
            )
    return bytes(content)


def _as_requests(
    request: requests.PreparedRequest, status: int, content: bytes
) -> requests.Response:
    """The answer as docker-py expects it, already read."""
    response = requests.Response()
    response.status_code = status
    response.request = request
    response.url = request.url or ""
    response.encoding = "utf-8"
    response._content = content  # there is no socket left to read
    return response
