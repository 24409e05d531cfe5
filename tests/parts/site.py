"""One user's part of a cluster: a namespace, a cache, ranges with pods, and what is seen there.

Everything has names of its own, so that sites share API server, operator and engines. Each
read of an object checks its status (`conformance.py`).
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cyroid_images.model.images.reference import Reference
from cyroid_images.model.pod import COMPONENT, COMPONENT_LABEL
from tests.parts import objects
from tests.parts.apiserver import ApiServerPart, wait_for
from tests.parts.conformance import assert_status_conforms
from tests.parts.engines import EnginePart
from tests.parts.operator import OperatorPart
from tests.parts.proxy import FaultProxy
from tests.parts.registry import RegistryPart
from tests.parts.save_tars import SavedImage, noise

PUSH_SECRET = "loop-registry-push"
"""The Secret with the password of the push listener, in the operator's namespace."""

SECONDS = 30.0
"""Small images are there within two seconds; a busy machine gets the benefit of the doubt."""

MERGE = {"content_type": "application/merge-patch+json"}


@dataclass(slots=True)
class Site:
    """What a test acts on; `name` is that of its namespace and of its cache."""

    name: str
    api: ApiServerPart
    operator: OperatorPart
    source: EnginePart
    _made: list[str] = field(default_factory=list)

    # -- to be made -------------------------------------------------------------------

    def image(self, name: str, seed: int = 1, **config: Any) -> str:
        """A small image of its own in the source engine; its full name."""
        full = f"{self.name}.example/{name}"
        self.fill(full, seed, **config)
        return full

    def fill(self, full: str, seed: int, **config: Any) -> SavedImage:
        """Put content of that seed under this name into the source engine."""
        content = noise(100_000, zlib.crc32(f"{self.name} {seed}".encode()))
        about = {"about": f"{full} {seed}".encode()}
        return self.source.load_image(full, ({"noise": content}, about), {"Cmd": ["/x"], **config})

    def cache(self, over: RegistryPart, /, **spec: Any) -> None:
        """The cache of this site over a registry, with the source engine."""
        where = {
            "pushURL": f"http://{over.push_host}",
            "pullHost": over.pull_host,
            "pushSecretRef": {"name": PUSH_SECRET},
            **spec.pop("registry", {}),
        }
        engine = {"endpoint": self.source.endpoint.url, "insecure": True}
        usual = {
            "sources": [{"name": "builder", "engine": engine}],
            "refresh": {"interval": "1s"},
        }
        self._make(objects.image_cache(self.name, registry=where, **{**usual, **spec}))

    def cache_behind(self, way: FaultProxy, registry: RegistryPart, image: str) -> None:
        """The cache holds the image already; engines pull it through the proxy."""
        self.cache(registry, images=[{"image": image}], registry={"pullHost": way.host})
        self.until_cache(Ready="True")

    def ranges(self, name: str, port: int, images: Sequence[str], **spec: Any) -> None:
        """A RangeImages for the pods of this range whose engines listen on that port."""
        targets = {
            "selector": {"matchLabels": {"cyroid.io/range-id": name}},
            "docker": {"port": port, "insecure": True},
        }
        usual = {
            "targets": targets,
            "imageCacheRef": {"name": self.name},
            "images": [{"image": image} for image in images],
            "interval": "1s",
        }
        self._make(objects.range_images(name, self.name, **{**usual, **spec}))

    def pod(self, ranges: str, ip: str = "127.0.0.1", suffix: str = "", **more: Any) -> str:
        """A running pod of that range; its uid."""
        labels = {COMPONENT_LABEL: COMPONENT, "cyroid.io/range-id": ranges}
        wanted = {"labels": labels, **more}
        made = self.api.put_pod(f"dind-{ranges}{suffix}", self.name, ip=ip, **wanted)
        return str(made["metadata"]["uid"])

    def serve(self, name: str, engine: EnginePart, images: Sequence[str], **spec: Any) -> None:
        """A range with one pod, whose engine is this one."""
        self.pod(name, engine.address)
        self.ranges(name, engine.port, images, **spec)

    # -- to be changed ----------------------------------------------------------------

    def edit(self, name: str, **spec: Any) -> dict[str, Any]:
        """Change the spec of a RangeImages (null takes a field away)."""
        return self.api.call("PATCH", self.path(name), {"spec": spec}, **MERGE)

    def edit_cache(self, **spec: Any) -> dict[str, Any]:
        """Change the spec of the cache."""
        return self.api.call("PATCH", self.cache_path, {"spec": spec}, **MERGE)

    def reconcile_now(self, token: str, *paths: str) -> None:
        """Ask for a pass of these objects."""
        body = {"metadata": {"annotations": {"cyroid.io/reconcile-at": token}}}
        for path in paths:
            self.api.call("PATCH", path, body, **MERGE)

    def delete(self, name: str) -> None:
        """Delete a RangeImages."""
        self.api.call("DELETE", self.path(name))

    def remove_all(self) -> None:
        """Delete what this site made."""
        for path in self._made:
            answer = self.api.request("DELETE", path)
            assert answer.is_success or answer.status_code == 404, answer.text
        pods = f"/api/v1/namespaces/{self.name}/pods"
        for pod in self.api.call("GET", pods)["items"]:
            self.api.delete_pod(pod["metadata"]["name"], self.name)

    # -- to be seen -------------------------------------------------------------------

    @property
    def cache_path(self) -> str:
        return f"{objects.API}/imagecaches/{self.name}"

    def path(self, name: str) -> str:
        return f"{objects.API}/namespaces/{self.name}/rangeimages/{name}"

    def read(self, path: str) -> dict[str, Any]:
        """An object whose status keeps every rule."""
        body = self.api.call("GET", path)
        assert_status_conforms(body)
        return body

    def until(
        self,
        name: str,
        *,
        seconds: float = SECONDS,
        at: Callable[[Mapping[str, Any]], bool] = lambda _: True,
        **wanted: str,
    ) -> dict[str, Any]:
        """A RangeImages once its conditions are so: `Ready="True"`, `Ready="False/NoTargets"`.

        `at` is asked about the whole object besides. "absent" is the absence of a condition.
        """
        return self._until(self.path(name), seconds, wanted, at)

    def until_cache(
        self, *, seconds: float = SECONDS, on_demand: int = 0, **wanted: str
    ) -> dict[str, Any]:
        """The cache once its conditions are so; a Ready one also holds what ranges ask for.

        `on_demand`: and once it counts so many of those, which comes some seconds later.
        """
        is_whole = wanted.get("Ready", "").startswith("True")

        def counts(body: Mapping[str, Any]) -> bool:
            told = body["status"].get("onDemand", {})
            is_missing = is_whole and bool(told.get("missing"))
            return not is_missing and int(told.get("cached", 0)) >= on_demand

        return self._until(self.cache_path, seconds, wanted, counts)

    def until_bytes_come(self, way: FaultProxy, target: str) -> None:
        """Some thousands of an answer to a GET of that target have come through the proxy."""
        wait_for(
            lambda: any(each.down > 10_000 for each in way.seen("GET", target)),
            "bytes to move",
            15,
            self.operator.log,
        )

    def events(self, reason: str, about: str | None = None) -> list[dict[str, Any]]:
        """Events with this reason on our objects, by default on all of this site."""
        found = []
        for namespace in (self.name, "default"):  # of the cluster-wide kind in `default`
            items = self.api.call("GET", f"/apis/events.k8s.io/v1/namespaces/{namespace}/events")
            found += [each for each in items["items"] if each.get("reason") == reason]
        names = {about} if about else {path.rpartition("/")[2] for path in self._made}
        return [each for each in found if each["regarding"]["name"] in names]

    def tells_of(self, reason: str, about: str, *words: str) -> bool:
        """Does an event of this reason on that object name each of these words?"""
        notes = [event["note"] for event in self.events(reason, about)]
        return all(any(word in note for note in notes) for word in words)

    def _until(
        self,
        path: str,
        seconds: float,
        wanted: Mapping[str, str],
        at: Callable[[Mapping[str, Any]], bool],
    ) -> dict[str, Any]:
        seen: dict[str, Any] = {}

        def is_so() -> bool:
            seen.update(self.read(path))
            return all(_says(seen, kind, text) for kind, text in wanted.items()) and at(seen)

        def evidence() -> str:
            shown = json.dumps(self.api.call("GET", path).get("status"), indent=1)
            return f"{shown}\n{self.operator.log()[-6000:]}"

        wait_for(is_so, f"{path.rpartition('/')[2]} to say {dict(wanted)}", seconds, evidence)
        return seen

    def _make(self, body: Mapping[str, Any]) -> None:
        self._made.append(objects.path_of(body))
        objects.create(self.api, body)


def condition(body: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    """One condition of an object; empty where it has none of that type."""
    conditions = (body.get("status") or {}).get("conditions") or []
    return next((each for each in conditions if each["type"] == kind), {})


def holds(engine: EnginePart, *names: str) -> bool:
    """Does the engine list all of these names?"""
    images = engine.engine.view(engine.engine.info(), {}).images
    return all(Reference.parse(name) in images for name in names)


def _says(body: Mapping[str, Any], kind: str, text: str) -> bool:
    found = condition(body, kind)
    if body.get("metadata", {}).get("generation", 0) != found.get("observedGeneration", 0):
        return text == "absent" and not found
    status, _, reason = text.partition("/")
    return found["status"] == status and reason in ("", found["reason"])
