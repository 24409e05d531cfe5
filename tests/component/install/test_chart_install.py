"""The chart, installed by the real Helm on a real API server.

No kubelet runs there, so the tests play it for the hook Jobs: they run the arguments of a Job
with the token of its own service account, then report it complete.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes.client import CoreV1Api, CustomObjectsApi

from cyroid_images.bootstrap import command, default_cache, registry_secrets, steps
from tests.chart.rendering import CHART, LAB
from tests.component.install.accounts import client
from tests.lab import tools
from tests.parts.apiserver import ApiServerPart, wait_for

pytestmark = pytest.mark.slow

RELEASE_SECONDS = 120
CACHE = "/apis/cyroid.io/v1alpha1/imagecaches/default"
DEFINITION = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/imagecaches.cyroid.io"


class Site:
    """A namespace, Helm in it, and a kubelet for Jobs."""

    def __init__(self, api: ApiServerPart, namespace: str) -> None:
        self.api = api
        self.namespace = namespace
        self.ran: list[list[str]] = []
        api.put_namespace(namespace)

    def helm(self, *arguments: str) -> str:
        """One Helm command to its end, running the Jobs it waits for; returns its output."""
        common = [str(tools.ensure("helm")), f"--kubeconfig={self.api.kubeconfig}"]
        with tempfile.TemporaryFile("w+") as output:
            process = subprocess.Popen(
                [*common, f"--namespace={self.namespace}", *arguments],
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, "KUBECACHEDIR": str(self.api.kubeconfig.parent / "cache")},
            )
            try:
                wait_for(lambda: self._step(process), "helm to end", RELEASE_SECONDS)
            finally:
                process.kill()
                process.wait(timeout=10)
            output.seek(0)
            said = output.read()
        assert process.returncode == 0, said
        return said

    def install(self, *arguments: str) -> str:
        return self.helm("upgrade", "--install", "cyroid-images", str(CHART), *arguments)

    def get(self, path: str) -> dict[str, Any] | None:
        answer = self.api.request("GET", path)
        return None if answer.status_code == 404 else dict(answer.json())

    def secret(self, name: str) -> dict[str, Any] | None:
        return self.get(f"/api/v1/namespaces/{self.namespace}/secrets/{name}")

    def _step(self, process: subprocess.Popen[bytes]) -> bool:
        for job in self.api.call("GET", self._jobs())["items"]:
            if not job.get("status", {}).get("completionTime"):
                self._run(job)
        return process.poll() is not None

    def _run(self, job: dict[str, Any]) -> None:
        pod = job["spec"]["template"]["spec"]
        subcommand, *arguments = pod["containers"][0]["args"]
        assert subcommand == "bootstrap"
        self.ran.append(arguments)
        with self._mounted(pod) as arguments_on_this_machine:
            account = self.api.kubeconfig_for(pod["serviceAccountName"], self.namespace)
            act(arguments_on_this_machine(arguments), account)
        name = job["metadata"]["name"]
        done = {"type": "Complete", "status": "True"}
        now = job["metadata"]["creationTimestamp"]
        status = {
            "startTime": now,
            "completionTime": now,
            "succeeded": 1,
            "conditions": [{"type": "SuccessCriteriaMet", "status": "True"}, done],
        }
        merge = {"content_type": "application/merge-patch+json"}
        self.api.call("PATCH", f"{self._jobs()}/{name}/status", {"status": status}, **merge)

    @contextmanager
    def _mounted(self, pod: dict[str, Any]) -> Iterator[Callable[[list[str]], list[str]]]:
        """The ConfigMap that a Job mounts at /etc/cyroid, as files of this machine."""
        with tempfile.TemporaryDirectory() as folder:
            for volume in pod.get("volumes", ()):
                path = f"/api/v1/namespaces/{self.namespace}/configmaps/"
                found = self.api.call("GET", path + volume["configMap"]["name"])
                for name, text in found["data"].items():
                    (Path(folder) / name).write_text(text)
            yield lambda arguments: [it.replace("/etc/cyroid", folder) for it in arguments]

    def _jobs(self) -> str:
        return f"/apis/batch/v1/namespaces/{self.namespace}/jobs"


def act(arguments: list[str], kubeconfig: Path) -> None:
    """What `cyroid-images bootstrap ...` does, as this account."""
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    parsed = parser.parse_args(arguments)
    account = client(kubeconfig)
    steps.act(parsed, CoreV1Api(account), CustomObjectsApi(account))


@pytest.fixture(scope="module")
def site(apiserver: ApiServerPart) -> Site:
    """One site for the whole file; each test leaves no release behind."""
    return Site(apiserver, "cyroid-install")


@pytest.fixture(autouse=True)
def clean(site: Site) -> Iterator[None]:
    """No release, no cache, no definitions, whatever a test left."""
    yield
    site.helm("uninstall", "cyroid-images", "--ignore-not-found", "--no-hooks")
    for kind in ("imagecaches", "rangeimages"):
        name = f"{kind}.cyroid.io"
        site.api.kubectl("delete", "customresourcedefinition", name, "--ignore-not-found")


def edit(site: Site, spec: dict[str, Any]) -> None:
    merge = {"content_type": "application/merge-patch+json"}
    site.api.call("PATCH", f"{CACHE}?fieldManager=a-person", {"spec": spec}, **merge)


def cache_spec(site: Site) -> dict[str, Any]:
    spec: dict[str, Any] = site.api.call("GET", CACHE)["spec"]
    return spec


def test_one_install_brings_secrets_kinds_and_the_default_cache(site: Site) -> None:
    said = site.install(f"--values={LAB}")
    assert all(site.secret(name) for name in registry_secrets_names())
    registry = cache_spec(site)["registry"]
    assert registry["pullHost"] == "cyroid-registry.cyroid-install.svc:5000"
    assert cache_spec(site)["sources"][0]["engine"]["insecure"] is True
    assert [arguments[0] for arguments in site.ran] == ["secrets", "cache"]
    for insecure in ("the registry speaks http", "plain TCP without authentication", "are lost"):
        assert insecure in said


def test_an_upgrade_keeps_the_password_and_follows_the_values(site: Site) -> None:
    site.install(f"--values={LAB}")
    before = site.secret(registry_secrets.PUSH_SECRET)
    site.install(f"--values={LAB}", "--set=defaultCache.refresh.interval=30m")
    after = site.secret(registry_secrets.PUSH_SECRET)
    assert before is not None
    assert after is not None
    assert after["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]
    assert cache_spec(site)["refresh"]["interval"] == "30m"


def test_an_upgrade_leaves_alone_what_a_person_edited(site: Site) -> None:
    site.install(f"--values={LAB}")
    uid = site.api.call("GET", CACHE)["metadata"]["uid"]
    edit(site, {"refresh": {"policy": "Pin", "interval": "1h"}})
    site.install(f"--values={LAB}")
    assert cache_spec(site)["refresh"] == {"policy": "Pin", "interval": "1h"}
    assert site.api.call("GET", CACHE)["metadata"]["uid"] == uid


def test_uninstall_keeps_kinds_caches_and_secrets_and_a_new_install_takes_them(site: Site) -> None:
    site.install(f"--values={LAB}")
    uid = site.api.call("GET", CACHE)["metadata"]["uid"]
    edit(site, {"aliases": ["127.0.0.1:5000", "mine:5000"]})
    site.helm("uninstall", "cyroid-images")
    assert site.get(DEFINITION) is not None
    assert site.secret(registry_secrets.PUSH_SECRET) is not None
    deployment = f"/apis/apps/v1/namespaces/{site.namespace}/deployments/cyroid-operator"
    assert site.get(deployment) is None
    site.install(f"--values={LAB}")
    assert site.api.call("GET", CACHE)["metadata"]["uid"] == uid
    assert "mine:5000" in cache_spec(site)["aliases"]


def test_uninstall_without_keep_takes_the_kinds_along(site: Site) -> None:
    site.install(f"--values={LAB}", "--set=crds.keep=false")
    site.helm("uninstall", "cyroid-images")
    wait_for(lambda: site.get(DEFINITION) is None, "the definition to go", 30)


def test_the_plain_manifests_apply_with_one_command_and_again(site: Site) -> None:
    """Hooks are ordinary objects to kubectl: the cache's Job waits for the kind by itself."""
    install = CHART.parents[1] / "manifests" / "install.yaml"
    for _ in range(2):
        done = site.api.kubectl("apply", "--server-side", "-f", str(install))
        assert done.returncode == 0, done.stderr
    done = site.api.kubectl("delete", "--wait=false", "-f", str(install))
    assert done.returncode == 0, done.stderr


def test_a_cache_whose_kind_comes_late_is_applied_when_it_comes(site: Site) -> None:
    """`helm install` ends before a slow API server serves a new kind."""
    custom = CustomObjectsApi(client(site.api.kubeconfig))
    document = yaml.safe_load((CHART.parents[1] / "manifests/samples/image-cache.yaml").read_text())
    later = Later(site.api.install_crds)
    assert default_cache.apply(custom, document, pause=later) == "applied"
    assert later.calls >= 1


class Later:
    """Between two tries, not a pause but the event that is waited for."""

    def __init__(self, event: Callable[[], None]) -> None:
        self._event = event
        self.calls = 0

    def __call__(self) -> None:
        self.calls += 1
        self._event()


def registry_secrets_names() -> tuple[str, ...]:
    return (
        registry_secrets.PUSH_SECRET,
        registry_secrets.HTPASSWD_SECRET,
        registry_secrets.HTTP_SECRET,
    )
