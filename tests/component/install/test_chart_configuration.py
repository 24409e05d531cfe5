"""The configuration files that the chart renders, given to the programs that read them."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest
import yaml

from cyroid_images.bootstrap.registry_secrets import RegistryLogin
from tests.chart.rendering import LAB, ROOT, manifests, one, pod_specs
from tests.lab import docker, tools
from tests.parts.apiserver import free_ports, wait_for

pytestmark = pytest.mark.slow

CREDENTIALS = RegistryLogin("cyroid", "a password")
BASIC = base64.b64encode(b"cyroid:a password").decode()
EMPTY_UPLOAD = "/v2/a/b/blobs/uploads/"


@pytest.fixture(scope="module")
def listeners(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, httpx.Client]]:
    """Both listeners of the chart's registry over one folder, by name."""
    folder = tmp_path_factory.mktemp("registry")
    (folder / "htpasswd").write_bytes(CREDENTIALS.htpasswd())
    data = one(manifests(), "ConfigMap", "cyroid-registry")["data"]
    ports = dict(zip((5000, 5001), free_ports(2), strict=True))
    with ExitStack() as running:
        clients = {}
        for name, inside in (("pull", 5000), ("push", 5001)):
            text = (
                data[f"{name}.yml"]
                .replace("/etc/cyroid-registry-htpasswd", str(folder))
                .replace("/var/lib/registry", str(folder / "data"))
                .replace(f":{inside}", f"127.0.0.1:{ports[inside]}")
            )
            file = folder / f"{name}.yml"
            clients[name] = running.enter_context(serve(file, text, ports[inside]))
        yield clients


@contextmanager
def serve(file: Path, text: str, port: int) -> Iterator[httpx.Client]:
    """One registry process with this configuration, and a client for it."""
    file.write_text(text)
    process = subprocess.Popen(
        [
            "setpriv",
            "--pdeathsig",
            "KILL",
            str(tools.ensure("docker-registry")),
            "serve",
            str(file),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={"REGISTRY_HTTP_SECRET": "s", "OTEL_TRACES_EXPORTER": "none"},
    )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            wait_for(lambda: answers(client), "the registry", 30)
            yield client
    finally:
        process.kill()
        process.wait(timeout=10)


def answers(client: httpx.Client) -> bool:
    try:
        return client.get("/v2/").status_code in {200, 401}
    except httpx.HTTPError:
        return False


def test_the_push_listener_takes_the_user_of_the_bootstrap(
    listeners: dict[str, httpx.Client],
) -> None:
    user = {"authorization": f"Basic {BASIC}"}
    assert listeners["push"].post(EMPTY_UPLOAD, headers=user).status_code == 202


def test_the_push_listener_takes_nobody_else(listeners: dict[str, httpx.Client]) -> None:
    assert listeners["push"].post(EMPTY_UPLOAD).status_code == 401
    wrong = base64.b64encode(b"cyroid:wrong").decode()
    answer = listeners["push"].post(EMPTY_UPLOAD, headers={"authorization": f"Basic {wrong}"})
    assert answer.status_code == 401


def test_the_pull_listener_is_open_and_takes_nothing(listeners: dict[str, httpx.Client]) -> None:
    assert listeners["pull"].get("/v2/").status_code == 200
    assert listeners["pull"].post(EMPTY_UPLOAD).status_code == 405
    assert listeners["pull"].delete("/v2/a/b/manifests/latest").status_code == 405


def engine_configurations() -> dict[str, tuple[list[str], str]]:
    """Arguments and daemon.json of the chart's builder and of the sample range."""
    rendered = manifests(LAB)
    builder = dict(pod_specs(rendered))["cyroid-builder"]["containers"][0]["args"]
    sample = ROOT / "manifests/samples/range-pod.yaml"
    settings, pod = yaml.safe_load_all(sample.read_text())
    return {
        "builder": (builder, one(rendered, "ConfigMap", "cyroid-builder")["data"]["daemon.json"]),
        "sample-range": (pod["spec"]["containers"][0]["args"], settings["data"]["daemon.json"]),
    }


@pytest.mark.parametrize("name", ["builder", "sample-range"])
def test_docker_takes_the_arguments_together_with_the_file(name: str, tmp_path: Path) -> None:
    arguments, daemon = engine_configurations()[name]
    done = validate(arguments, daemon, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "configuration OK" in done.stderr + done.stdout


def test_docker_refuses_hosts_in_the_file_beside_them_in_the_arguments(tmp_path: Path) -> None:
    """Why there are none; it also shows that the check above can fail."""
    arguments, daemon = engine_configurations()["builder"]
    hosts = json.dumps({**json.loads(daemon), "hosts": ["unix:///var/run/docker.sock"]})
    done = validate(arguments, hosts, tmp_path)
    assert done.returncode != 0
    assert "hosts" in done.stderr


def validate(arguments: list[str], daemon: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """`dockerd --validate` of Docker 26, which starts nothing."""
    (trixie,) = docker.layers("26")
    (folder / "daemon.json").write_text(daemon)
    lend = f'mount --bind {folder} {trixie}/mnt && exec chroot {trixie} "$@"'
    command = [*arguments, "--validate", "--config-file=/mnt/daemon.json"]
    return subprocess.run(
        ["unshare", "--mount", "sh", "-c", lend, "sh", *command],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
