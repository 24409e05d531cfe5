"""What is in an engine, asked by its own docker command inside its pod."""

import json
from dataclasses import dataclass

from tests.demo.cluster import OPERATOR, Cluster
from tests.demo.ranges import NAMESPACE, Range

_NAMELESS = "<none>:<none>"
"""What had a name until newer content took it; a range keeps it, containers may use it."""


@dataclass(frozen=True, slots=True)
class Held:
    """An image in an engine."""

    id: str
    """Digest of its config or of its manifest: that is the image store's choice."""
    layers: tuple[str, ...]


def docker(cluster: Cluster, asked: Range, *words: str, timeout: float = 60) -> str:
    """What docker answers inside a range's engine."""
    where = ("exec", f"--namespace={NAMESPACE}", asked.pod, "--container=docker", "--")
    return cluster.kubectl(*where, "docker", *words, timeout=timeout)


def names(cluster: Cluster, asked: Range) -> list[str]:
    """Every name in the engine, with its tag."""
    found = docker(cluster, asked, "images", "--format={{.Repository}}:{{.Tag}}").split()
    return [name for name in found if name != _NAMELESS]


def held(cluster: Cluster, asked: Range, reference: str) -> Held:
    """The image of this name in a range's engine."""
    return _read(docker(cluster, asked, "image", "inspect", reference))


def built(cluster: Cluster, reference: str) -> Held:
    """The image of this name in the builder."""
    where = ("exec", f"--namespace={OPERATOR}", "deploy/cyroid-builder", "--")
    return _read(cluster.kubectl(*where, "docker", "image", "inspect", reference))


def _read(answer: str) -> Held:
    (image,) = json.loads(answer)
    return Held(image["Id"], tuple(image["RootFS"]["Layers"]))
