"""The builder: the engine in which a site's images are born, first source of the cache."""

import json
import os
import re
import select
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import httpx

from tests.demo.archive import Archive, Content, Image
from tests.demo.cluster import OPERATOR, Cluster
from tests.demo.errors import DemoError

SERVICE = "svc/cyroid-builder"
_PORT = 2375
_PATIENCE = httpx.Timeout(120, connect=10)  # seconds; 230 MB are unpacked in about 5
_FORWARDING = re.compile(rb"127\.0\.0\.1:(\d+) ->")


def fill_builder(
    cluster: Cluster, make: Callable[[str], Sequence[Image]]
) -> tuple[dict[str, Content], int]:
    """Loads images into the builder: what each one is, and how many bytes were sent.

    `make` gets the engine's architecture, such as `amd64`. Images that are there
    already stay as they are; a name with other content moves.
    """
    with forwarded(cluster, SERVICE, _PORT) as url, _client(url) as client:
        architecture = client.get("/version").raise_for_status().json()["Arch"]
        archive = Archive(make(architecture), architecture, {})
        _load(client, archive)
    return archive.contents, archive.size


@contextmanager
def forwarded(cluster: Cluster, what: str, port: int) -> Iterator[str]:
    """The URL at which a service of the operator's namespace is reached from here."""
    words = ("port-forward", f"--namespace={OPERATOR}", "--address=127.0.0.1", what, f":{port}")
    with cluster.start_kubectl(*words) as process:
        try:
            yield f"http://127.0.0.1:{_own_port(process, what)}"
        finally:
            process.terminate()


def _client(url: str) -> httpx.Client:
    # trust_env=False: a proxy knows nothing of a port on this machine.
    return httpx.Client(base_url=url, timeout=_PATIENCE, trust_env=False)


def _own_port(process: subprocess.Popen[bytes], what: str) -> int:
    assert process.stdout is not None
    said, deadline = b"", time.monotonic() + 30
    while (left := deadline - time.monotonic()) > 0:
        ready, _, _ = select.select([process.stdout], [], [], left)
        more = os.read(process.stdout.fileno(), 4096) if ready else b""
        said += more
        if found := _FORWARDING.search(said):
            return int(found[1])
        if not more:
            break
    raise DemoError(f"kubectl port-forward {what} gives no port: {said.decode(errors='replace')}")


def _load(client: httpx.Client, archive: Archive) -> None:
    headers = {"Content-Type": "application/x-tar"}
    question = client.build_request(
        "POST", "/images/load?quiet=1", content=archive.stream(), headers=headers
    )
    try:
        response = client.send(question, stream=True)
        response.read()
    except httpx.HTTPError as exc:
        raise DemoError(f"the builder did not take the images: {exc!r}") from exc
    for line in response.text.splitlines():
        answer = json.loads(line)
        if response.is_error or "error" in answer:
            raise DemoError(f"the builder refused the images: {line}")
