"""A real API server with both kinds, statuses as an operator writes them, and the tool."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.parts import objects
from tests.parts.apiserver import ApiServerPart, running_api_server
from tests.parts.console import Console

MERGE = {"content_type": "application/merge-patch+json"}
MOMENT = "2026-01-02T03:04:05Z"
DIGEST = "sha256:" + "ab" * 32

_numbers = count(1)


@pytest.fixture(scope="session")
def apiserver() -> Iterator[ApiServerPart]:
    """One of our own: these tests look at all objects of a cluster."""
    with running_api_server() as part:
        part.install_crds()
        yield part


@dataclass(frozen=True, slots=True)
class Town:
    """A namespace and a cache of its own, and who looks at them."""

    name: str
    api: ApiServerPart
    console: Console
    home: Path

    def cache(self, status: Mapping[str, Any] | None = None, /, **spec: Any) -> str:
        """The cache of this town, with this status."""
        objects.create(self.api, objects.image_cache(self.name, **spec))
        if status is not None:
            self.tell_cache(status)
        return self.name

    def ranges(
        self, name: str, status: Mapping[str, Any] | None = None, /, event: str = "", **spec: Any
    ) -> str:
        """A range of this town, with this status; `NAMESPACE/NAME`."""
        body = objects.range_images(name, self.name, imageCacheRef={"name": self.name}, **spec)
        if event:
            body["metadata"]["labels"] = {"cyroid.io/event": event}
        objects.create(self.api, body)
        if status is not None:
            self.tell(name, status)
        return f"{self.name}/{name}"

    def tell(self, name: str, status: Mapping[str, Any]) -> None:
        """Write the status of a range, as an operator does."""
        self.api.call("PATCH", f"{self.path(name)}/status", {"status": status}, **MERGE)

    def tell_cache(self, status: Mapping[str, Any]) -> None:
        self.api.call("PATCH", f"{self.cache_path}/status", {"status": status}, **MERGE)

    def path(self, name: str) -> str:
        return f"{objects.API}/namespaces/{self.name}/rangeimages/{name}"

    @property
    def cache_path(self) -> str:
        return f"{objects.API}/imagecaches/{self.name}"

    def as_user(self, account: str, *roles: tuple[str, str, list[str]]) -> Console:
        """The tool as a service account with these rights: (group, resource, verbs)."""
        kubeconfig = self.api.kubeconfig_for(f"{account}-{self.name}")
        rules = [
            {"apiGroups": [group], "resources": [resource], "verbs": verbs}
            for group, resource, verbs in roles
        ]
        rbac, name = "/apis/rbac.authorization.k8s.io/v1", f"{account}-{self.name}"
        self.api.call("POST", f"{rbac}/clusterroles", {"metadata": {"name": name}, "rules": rules})
        subject = {"kind": "ServiceAccount", "name": name, "namespace": "default"}
        role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name}
        binding = {"metadata": {"name": name}, "subjects": [subject], "roleRef": role}
        self.api.call("POST", f"{rbac}/clusterrolebindings", binding)
        return Console(kubeconfig, self.home)


@pytest.fixture
def town(apiserver: ApiServerPart, tmp_path: Path) -> Iterator[Town]:
    """Names that no other test uses; what was made is gone afterwards."""
    name = f"town-{next(_numbers)}"
    apiserver.put_namespace(name)
    yield Town(name, apiserver, Console(apiserver.kubeconfig, tmp_path), tmp_path)
    apiserver.call("DELETE", f"{objects.API}/namespaces/{name}/rangeimages")
    apiserver.request("DELETE", f"{objects.API}/imagecaches/{name}")


def condition(kind: str, status: str, reason: str, message: str = "said so") -> dict[str, Any]:
    """Of the first generation."""
    return {
        "type": kind,
        "status": status,
        "reason": reason,
        "message": message,
        "observedGeneration": 1,
        "lastTransitionTime": MOMENT,
    }


def status(
    present: int,
    desired: int,
    *conditions: dict[str, Any],
    ready: tuple[str, str] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """Of a range with one target."""
    is_ready = present == desired
    first = ready or (("True", "AllImagesPresent") if is_ready else ("False", "Progressing"))
    images = {"desired": desired, "present": present, **more.pop("images", {})}
    return {
        "observedGeneration": 1,
        "images": images,
        "targets": {"matched": 1, "ready": int(is_ready)},
        "conditions": [condition("Ready", *first), *conditions],
        **more,
    }


def cached(image: str, **more: Any) -> dict[str, Any]:
    """A row of imageStatuses of what is in the registry."""
    return {"image": image, "digest": DIGEST, "sizeBytes": 170_000_000, **more}
