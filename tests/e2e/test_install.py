"""What the README says about installation, done in its own words."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.demo.cluster import Cluster, until
from tests.e2e.conftest import ROOT, readme_commands
from tests.parts.conformance import assert_status_conforms


def test_the_default_cache_is_ready_after_helm_install(cluster: Cluster) -> None:
    until("cic/default is Ready", lambda: _is_ready(cluster), seconds=60)
    cache = cluster.read("imagecache", "default")
    assert_status_conforms(cache)


def test_the_samples_of_the_readme_come_to_what_they_say(
    cluster: Cluster, images: list[str], tmp_path: Path
) -> None:
    assert len(images) == 5
    for command in readme_commands()[1:]:
        assert command[0] == "kubectl"
        cluster.kubectl(*(_here(cluster, word, tmp_path) for word in command[1:]))
    where = ("--all", "--namespace=range-01", "--timeout=60s")
    cluster.kubectl("wait", "rimg", "--for=condition=Ready", *where, timeout=90)
    for found in cluster.read("rimg", "--namespace=range-01")["items"]:
        assert_status_conforms(found)
    # The sample pod lists the gate cyroid.io/images-ready: the kubelet joins it into Ready.
    cluster.kubectl("wait", "pods", "--for=condition=Ready", *where, timeout=90)
    cluster.kubectl("delete", "namespace", "range-01", "--timeout=60s", timeout=90)


@pytest.mark.parametrize("port", ["5000", "5001"])
def test_a_registry_listener_refuses_who_may_not_write(cluster: Cluster, port: str) -> None:
    # From a pod inside the cluster, as an engine of a range would send it.
    pod = cluster.kubectl(
        "get", "pods", "--namespace=cyroid", "--selector=app.kubernetes.io/component=operator",
        "--output=name",
    ).strip()  # fmt: skip
    script = (
        "import http.client as h; c = h.HTTPConnection('cyroid-registry.cyroid.svc', "
        f"{port}, timeout=5); c.request('POST', '/v2/x/blobs/uploads/'); "
        "print(c.getresponse().status)"
    )
    words = ("exec", "--namespace=cyroid", pod, "--", "/opt/venv/bin/python", "-c", script)
    assert cluster.kubectl(*words).strip() == {"5000": "405", "5001": "401"}[port]


def _is_ready(cluster: Cluster) -> bool:
    return "True" in cluster.kubectl("get", "cic", "default", "--ignore-not-found")


def _here(cluster: Cluster, word: str, folder: Path) -> str:
    """A path of the README as seen from here; the lab has its own image of an engine."""
    if not word.startswith("manifests/"):
        return word
    text = (ROOT / word).read_text()
    own = f"imagePullPolicy: {cluster.engine_pull_policy}\n      image: {cluster.engine_image}"
    text = text.replace("image: docker.io/library/docker:29-dind", own)
    copy = folder / Path(word).name
    copy.write_text(text)
    return str(copy)
