"""Ranges: a Docker engine in a pod, and the RangeImages that says what it must hold.

Both are the files of manifests/samples, with the names and the image of the demo.
"""

import copy
import json
import os
import select
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.demo.cluster import Cluster, until
from tests.demo.errors import DemoError

NAMESPACE = "cyroid-demo"
_SAMPLES = Path(__file__).parents[2] / "manifests" / "samples"
_MARK = {"cyroid.io/demo": "true"}  # so that only a namespace of the demo is ever removed
_LABELS = {"cyroid.io/ranges": "true", "pod-security.kubernetes.io/enforce": "privileged"}
_COLUMNS = {
    "READY": '.status.conditions[?(@.type=="Ready")].status',
    "IMAGES": ".status.summary.images",
    "FALLBACK": '.status.conditions[?(@.type=="TarFallback")].status',
    "MESSAGE": '.status.conditions[?(@.type=="Ready")].message',
}

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Range:
    """A range of the demo, by its short name."""

    name: str

    @property
    def rimg(self) -> str:
        """Its RangeImages, as kubectl takes it."""
        return f"rimg/{self.name}"

    @property
    def pod(self) -> str:
        """Its engine, as kubectl takes it."""
        return f"pod/dind-{self.name}"


def make_namespace(cluster: Cluster) -> None:
    """An empty namespace in which ranges are allowed; one of an earlier demo is removed."""
    remove_namespace(cluster)
    metadata = {"name": NAMESPACE, "labels": {**_LABELS, **_MARK}}
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
    # A pod that comes before its service account is refused.
    until(
        f"namespace {NAMESPACE} has its default service account",
        lambda: "default" in cluster.kubectl("get", "sa", f"--namespace={NAMESPACE}"),
        seconds=30,
    )


def remove_namespace(cluster: Cluster) -> None:
    """Removes the ranges of an earlier demo with their namespace, if it is there."""
    found = cluster.kubectl("get", "namespace", NAMESPACE, "--ignore-not-found", "--output=json")
    if not found:
        return
    if not json.loads(found)["metadata"].get("labels", {}).items() & _MARK.items():
        raise DemoError(f"namespace {NAMESPACE} exists and is not of this demo")
    cluster.kubectl("delete", "namespace", NAMESPACE, "--timeout=90s", timeout=120)


def documents(cluster: Cluster, name: str, images: Sequence[str]) -> list[Document]:
    """The objects of one range: its engine's settings, its pod, its RangeImages."""
    text = "---\n".join(
        (_SAMPLES / file).read_text() for file in ("range-pod.yaml", "range-images.yaml")
    )
    settings, pod, wanted = (copy.deepcopy(each) for each in yaml.safe_load_all(text))
    for each in (settings, pod, wanted):
        each["metadata"]["namespace"] = NAMESPACE
    pod["metadata"]["name"] = f"dind-{name}"
    pod["metadata"]["labels"]["cyroid.io/range-id"] = name
    container = pod["spec"]["containers"][0]
    container |= {"image": cluster.engine_image, "imagePullPolicy": cluster.engine_pull_policy}
    pod["spec"]["terminationGracePeriodSeconds"] = 2  # nothing in it is worth a longer wait
    wanted["metadata"]["name"] = name
    wanted["spec"]["targets"]["selector"] = {"matchLabels": {"cyroid.io/range-id": name}}
    wanted["spec"]["images"] = [{"image": image} for image in images]
    return [settings, pod, wanted]


def make_range(cluster: Cluster, name: str, images: Sequence[str]) -> Range:
    """Asks for a range: engine and images in one `kubectl apply`."""
    cluster.apply(*documents(cluster, name, images))
    return Range(name)


def wait_ready(
    cluster: Cluster, waited: Range, show: Callable[[str], None], *, seconds: float = 180
) -> float:
    """Shows how the RangeImages changes until it is Ready; how many seconds that took."""
    columns = ",".join(f"{name}:{path}" for name, path in _COLUMNS.items())
    where = f"--namespace={NAMESPACE}"
    watching = cluster.start_kubectl(
        "get", waited.rimg, where, "--watch", f"--output=custom-columns={columns}"
    )
    started = time.monotonic()
    with watching:
        try:
            _follow(watching, started, show, seconds=seconds)
        finally:
            watching.terminate()
    spent = time.monotonic() - started
    cluster.kubectl("wait", "--for=condition=Ready", waited.rimg, where, "--timeout=10s")
    return spent


def _follow(
    watching: subprocess.Popen[bytes],
    started: float,
    show: Callable[[str], None],
    *,
    seconds: float,
) -> None:
    assert watching.stdout is not None
    rest, before = b"", ""
    while (left := started + seconds - time.monotonic()) > 0:
        ready, _, _ = select.select([watching.stdout], [], [], left)
        more = os.read(watching.stdout.fileno(), 1 << 16) if ready else b""
        if not more:
            break
        *lines, rest = (rest + more).split(b"\n")
        for line in (raw.decode(errors="replace").rstrip() for raw in lines):
            if line.split() != before.split():
                show(f"{time.monotonic() - started:5.1f} s  {line}")
            before = line
            if line.startswith("True"):
                return
    raise DemoError(f"the RangeImages is not Ready after {time.monotonic() - started:.0f} s")
