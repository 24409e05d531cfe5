"""The objects of a load test: who wants which images in which pods, and how far that is."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from typing import Any

from cyroid_images.model.pod import COMPONENT, COMPONENT_LABEL
from tests.load.stack import Stack
from tests.parts import objects
from tests.parts.conformance import assert_status_conforms
from tests.parts.save_tars import noise
from tests.parts.site import PUSH_SECRET, condition

NAMESPACES = 10
IMAGES_PER_RANGE, PODS_PER_RANGE = 3, 2
CACHE = "load"
LAYER_BYTES = 20_000
"""A scale test counts objects; bytes are the bench's business."""
_RANGE = "cyroid.io/range-id"


class Crowd:
    """Ranges by number, spread over namespaces; each has pods of its own."""

    def __init__(self, stack: Stack, images: int) -> None:
        self._stack = stack
        self._images = images
        self._next_address = 0
        self.made: list[str] = []
        """The paths of all RangeImages."""

    def fill_source(self) -> None:
        """Every image has a layer of its own above one that all of them share."""
        shared = noise(LAYER_BYTES)
        for number in range(self._images):
            own = noise(LAYER_BYTES, zlib.crc32(f"load {number}".encode()))
            self._stack.source.load_image(image(number), ({"base": shared}, {"tool": own}))

    def make_cache(self) -> None:
        """Images are pushed when the first range wants them."""
        for number in range(NAMESPACES):
            self._stack.api.put_namespace(_namespace(number))
        registry = self._stack.registry
        where = {
            "pushURL": f"http://{registry.push_host}",
            "pullHost": registry.pull_host,
            "pushSecretRef": {"name": PUSH_SECRET},
        }
        source = {"endpoint": self._stack.source.endpoint.url, "insecure": True}
        sources = [{"name": "builder", "engine": source}]
        objects.create(self._stack.api, objects.image_cache(CACHE, registry=where, sources=sources))

    def pods_of(self, number: int) -> list[str]:
        """Make the pods of this range on stand-ins; their addresses."""
        addresses = [self.new_address() for _ in range(PODS_PER_RANGE)]
        self.put_pods(number, addresses)
        return addresses

    def put_pods(self, number: int, addresses: Sequence[str]) -> None:
        """Pods of this range whose engines are at these addresses."""
        labels = {COMPONENT_LABEL: COMPONENT, _RANGE: f"r{number}"}
        for at, address in enumerate(addresses):
            name = f"dind-r{number}-{at}"
            self._stack.api.put_pod(name, _namespace(number), labels=labels, ip=address)

    def apply(self, number: int, wanted: Sequence[int] = (), *, port: int | None = None) -> str:
        """Create the RangeImages of this range, with the default interval; its path."""
        first = number * IMAGES_PER_RANGE
        chosen = wanted or [(first + at) % self._images for at in range(IMAGES_PER_RANGE)]
        docker = {"port": port or self._stack.stand_ins.port, "insecure": True}
        body = objects.range_images(
            f"r{number}",
            _namespace(number),
            imageCacheRef={"name": CACHE},
            images=[{"image": image(each)} for each in chosen],
            targets={"selector": {"matchLabels": {_RANGE: f"r{number}"}}, "docker": docker},
        )
        objects.create(self._stack.api, body)
        self.made.append(objects.path_of(body))
        return self.made[-1]

    def new_address(self) -> str:
        """The address of a stand-in that nobody has."""
        self._next_address += 1
        high, low = divmod(self._next_address, 250)
        return f"127.1.{high}.{low + 1}"

    # -- to be seen -------------------------------------------------------------------

    def ready(self) -> int:
        """How many of them are Ready now; each status is checked."""
        return sum(is_ready(body) for body in self.bodies())

    def bodies(self) -> list[dict[str, Any]]:
        """All RangeImages, whose status keeps every rule."""
        found: list[dict[str, Any]] = []
        for number in range(NAMESPACES):
            path = f"{objects.API}/namespaces/{_namespace(number)}/rangeimages"
            found += self._stack.api.call("GET", path)["items"]
        for body in found:
            assert_status_conforms({**body, "kind": "RangeImages"})
        return found

    def events(self) -> int:
        """How many events tell of our objects."""
        items = self._stack.api.call("GET", "/apis/events.k8s.io/v1/events")["items"]
        return sum(each["regarding"].get("kind") == "RangeImages" for each in items)


def image(number: int) -> str:
    """The name of an image in the source."""
    return f"load.example/tools/tool-{number}:1"


def is_ready(body: dict[str, Any]) -> bool:
    """Ready for the generation that it has."""
    found = condition(body, "Ready")
    at = found.get("observedGeneration")
    return found.get("status") == "True" and at == body["metadata"]["generation"]


def status_bytes(body: dict[str, Any]) -> int:
    """The size of a status as the API server stores it."""
    return len(json.dumps(body["status"], separators=(",", ":")).encode())


def _namespace(number: int) -> str:
    return f"load-{number % NAMESPACES}"
