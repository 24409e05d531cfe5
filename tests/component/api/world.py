"""One cache with ranges: what a test of the API acts on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.parts import objects
from tests.parts.apiserver import ApiServerPart, wait_for
from tests.parts.people_api import People, PeopleApiPart, condition, put_status
from tests.parts.registry import RegistryPart

SECONDS = 20.0


@dataclass(slots=True)
class ApiWorld:
    """`name` is that of its namespace and of its cache."""

    name: str
    apiserver: ApiServerPart
    api: PeopleApiPart
    people: People
    registry: RegistryPart
    _made: list[str] = field(default_factory=list)

    @property
    def cache_path(self) -> str:
        return f"{objects.API}/imagecaches/{self.name}"

    def range_path(self, name: str) -> str:
        return f"{objects.API}/namespaces/{self.name}/rangeimages/{name}"

    # -- to be made -------------------------------------------------------------------

    def cache(self, **spec: Any) -> None:
        """A cache over the registry, healthy and with one engine source."""
        engine = {"endpoint": "tcp://127.0.0.1:2375", "insecure": True}
        usual = {
            "registry": {
                "pushURL": f"http://{self.registry.push_host}",
                "pullHost": self.registry.pull_host,
            },
            "aliases": ["127.0.0.1:5000"],
            "sources": [{"name": "builder", "engine": engine}],
        }
        self._make(objects.image_cache(self.name, **{**usual, **spec}))
        self.says()

    def says(self, **status: Any) -> None:
        """The status of the cache: healthy, and what is given."""
        usual = {
            "observedGeneration": 1,
            "conditions": [
                condition("Ready", "True", "AllImagesCached"),
                condition("RegistryAvailable", "True", "Available"),
                condition("SourceAvailable", "True", "Available"),
            ],
        }
        put_status(self.apiserver, self.cache_path, {**usual, **status})
        version = self.version(self.cache_path)
        self.until_seen(version)

    def ranges(self, name: str, *images: str, event: str = "", **status: Any) -> None:
        """A range that wants these images of the cache."""
        body = objects.range_images(
            name,
            self.name,
            imageCacheRef={"name": self.name},
            images=[{"image": image} for image in images],
        )
        if event:
            body["metadata"]["labels"] = {"cyroid.io/event": event}
        self._make(body)
        usual = {"conditions": [condition("Ready", "True", "AllImagesPresent")]}
        put_status(self.apiserver, self.range_path(name), {**usual, **status})
        admin = self.people["admin"]
        wait_for(
            lambda: (
                self.api.call("GET", f"/api/v1/ranges/{self.name}/{name}", admin).status_code == 200
            ),
            f"range {name} to be known",
            SECONDS,
        )

    # -- to be seen -------------------------------------------------------------------

    def spec(self) -> dict[str, Any]:
        """Of the cache, now."""
        spec: dict[str, Any] = self.apiserver.call("GET", self.cache_path)["spec"]
        return spec

    def version(self, path: str) -> str:
        return str(self.apiserver.call("GET", path)["metadata"]["resourceVersion"])

    def call(self, method: str, path: str, role: str = "admin", body: Any = None) -> Any:
        """One call about this cache."""
        joint = "&" if "?" in path else "?"
        return self.api.call(
            method, f"/api/v1{path}{joint}cache={self.name}", self.people[role], body
        )

    def get(self, path: str, role: str = "admin") -> Any:
        """The JSON of a GET that must succeed."""
        answer = self.call("GET", path, role)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text[:500]}"
        return answer.json()

    def until_seen(self, version: str) -> None:
        """The API has been told of the cache as it is now; a fresh list comes from the watch."""
        marker = f"seen {version}"
        body = self.apiserver.call("GET", self.cache_path)
        now = {"message": marker, "observedGeneration": body["metadata"]["generation"]}
        ready = [
            {**each, **now} if each["type"] == "Ready" else each
            for each in body["status"]["conditions"]
        ]
        put_status(self.apiserver, self.cache_path, {"conditions": ready})

        def is_seen() -> bool:
            rows = self.api.get("/api/v1/caches", self.people["admin"])
            return any(row["name"] == self.name and row["message"] == marker for row in rows)

        wait_for(is_seen, "the API to see the cache", SECONDS, self.api.log)

    def until(self, holds: Callable[[], bool]) -> None:
        """Wait for something that others do."""
        wait_for(holds, "what a test waits for", SECONDS, self.api.log)

    def remove_all(self) -> None:
        for path in self._made:
            answer = self.apiserver.request("DELETE", path)
            assert answer.is_success or answer.status_code == 404, answer.text

    def _make(self, body: dict[str, Any]) -> None:
        self._made.append(objects.path_of(body))
        objects.create(self.apiserver, body)
