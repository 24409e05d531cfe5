"""People of a cluster: a token with one of CYROID's roles, a way to the API, and the console."""

import os
import re
import select
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from cyroid_images.client import Client, ClientError
from tests.demo.cluster import OPERATOR, Cluster
from tests.demo.errors import DemoError
from tests.lab.errors import LabError
from tests.lab.shell import run

TRIES = "cyroid-demo"
"""Who tries the page of the demo."""
SERVICE = "svc/cyroid-api"
PORT = 8080
"""Of the API where the chart was given no certificate."""
_PROGRAM = Path(__file__).parents[2] / "operator"
_CONSOLE = "from cyroid_images.console.program import main; main()"
"""What the entry point `kubectl-cyroid` does."""
_WHERE = f"--namespace={OPERATOR}"
_FORWARDED = re.compile(rb"Forwarding from (127\.0\.0\.1:\d+)")
_SECONDS = 60.0


def token(cluster: Cluster, person: str, role: str) -> str:
    """A token of a service account of this name, which has the role in the whole cluster."""
    account = {"apiVersion": "v1", "kind": "ServiceAccount"}
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": person},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        "subjects": [{"kind": "ServiceAccount", "name": person, "namespace": OPERATOR}],
    }
    cluster.apply({**account, "metadata": {"name": person, "namespace": OPERATOR}}, binding)
    return cluster.kubectl("create", "token", person, _WHERE, "--duration=8h").strip()


def take_back(cluster: Cluster, person: str) -> None:
    """The person is gone, and with it every token."""
    cluster.kubectl("delete", "clusterrolebinding", person, "--ignore-not-found")
    cluster.kubectl("delete", "serviceaccount", person, _WHERE, "--ignore-not-found")


def console(cluster: Cluster, *words: str) -> str:
    """What `kubectl cyroid` answers, in plain lines; DemoError with its words if it fails."""
    path = os.pathsep.join(filter(None, [str(_PROGRAM), os.environ.get("PYTHONPATH")]))
    env = {**os.environ, **cluster.environment, "PYTHONPATH": path}
    try:
        return run([sys.executable, "-c", _CONSOLE, *words], env=env, timeout=60)
    except LabError as exc:
        raise DemoError(f"kubectl cyroid {' '.join(words)}: {exc}") from exc


def look_at_page(url: str, token: str) -> None:
    """The page is served, and the token opens what it shows; DemoError if not."""
    try:
        page = httpx.get(url, timeout=_SECONDS, trust_env=False)
        with Client(url, token) as client:
            rights = client.me().rights
    except (httpx.HTTPError, ClientError) as exc:
        raise DemoError(f"the API is not as it should be: {exc}") from exc
    if "text/html" not in page.headers.get("content-type", "") or not rights.push:
        raise DemoError(f"the page answers {page.status_code}, the token may push: {rights.push}")


@contextmanager
def reached(cluster: Cluster) -> Iterator[str]:
    """The URL of the API as seen from this machine, as long as the block lasts."""
    cluster.kubectl(
        "rollout", "status", "deploy/cyroid-api", _WHERE, f"--timeout={_SECONDS:.0f}s", timeout=90
    )
    forwarding = cluster.start_kubectl("port-forward", _WHERE, SERVICE, f":{PORT}")
    with forwarding:
        try:
            assert forwarding.stdout is not None
            yield f"http://{_address(forwarding.stdout.fileno())}"
        finally:
            forwarding.terminate()


def _address(descriptor: int) -> str:
    """What kubectl says that it listens at; DemoError with its words if it does not."""
    deadline, said = time.monotonic() + _SECONDS, b""
    while (left := deadline - time.monotonic()) > 0:
        ready, _, _ = select.select([descriptor], [], [], left)
        more = os.read(descriptor, 4096) if ready else b""
        said += more
        if found := _FORWARDED.search(said):
            return found[1].decode()
        if ready and not more:
            break
    raise DemoError(f"no way to {SERVICE}: {said.decode(errors='replace')}")
