"""Lists, Secrets and rights: what is there, what is not, and what could not be seen."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from cyroid_images.errors import AccessDenied, ApiUnavailable
from cyroid_images.kube import cluster as cluster_module
from cyroid_images.kube import rights
from cyroid_images.kube.cluster import Cluster
from tests.parts import objects
from tests.parts.apiserver import ApiServerPart
from tests.parts.asking import ask
from tests.parts.waiting import A_WHILE

pytestmark = pytest.mark.slow
SECRETS = "/api/v1/namespaces/{}/secrets"


async def listed(cluster: Cluster, kind: str) -> list[Mapping[str, Any]]:
    """All pages in one."""
    return [item async for page in cluster.pages(kind) for item in page]


def test_a_list_of_more_than_one_page_is_whole(crds: ApiServerPart, operator: Path) -> None:
    wanted = {f"paged-{number}" for number in range(cluster_module.PAGE + 1)}
    for name in wanted:
        objects.create(crds, objects.range_images(name, "kube-public"))
    found = ask(operator, lambda c: listed(c, "RangeImages"))
    names = [item["metadata"]["name"] for item in found]
    assert wanted <= set(names)
    assert len(names) == len(set(names))
    crds.call("DELETE", f"{objects.API}/namespaces/kube-public/rangeimages")


def test_only_pods_with_the_label_of_an_engine_are_listed(
    crds: ApiServerPart, operator: Path
) -> None:
    crds.put_pod("an-engine", labels={"cyroid.io/component": "dind"}, ip="10.1.2.3")
    crds.put_pod("not-an-engine", labels={"app": "web"})
    pods = ask(operator, lambda c: listed(c, "Pod"))
    assert [pod["metadata"]["name"] for pod in pods] == ["an-engine"]
    assert pods[0]["status"]["podIP"] == "10.1.2.3"
    crds.delete_pod("an-engine")
    crds.delete_pod("not-an-engine")


def test_namespaces_are_listed_with_their_labels(crds: ApiServerPart, operator: Path) -> None:
    crds.put_namespace("ranges", {"cyroid.io/ranges": "true"})
    found = ask(operator, lambda c: listed(c, "Namespace"))
    labels = {item["metadata"]["name"]: item["metadata"]["labels"] for item in found}
    assert labels["ranges"]["cyroid.io/ranges"] == "true"


def test_kinds_that_are_not_served_are_unknown_and_not_absent(
    crds: ApiServerPart, operator: Path
) -> None:
    assert ask(operator, lambda c: c.crds_served())
    crds.kubectl("delete", "crd", "imagecaches.cyroid.io")
    try:
        assert not ask(operator, lambda c: c.crds_served())
        with pytest.raises(ApiUnavailable, match="list ImageCache: 404"):
            ask(operator, lambda c: listed(c, "ImageCache"))
    finally:
        crds.install_crds()
    assert ask(operator, lambda c: c.crds_served())


def test_a_secret_is_read_from_the_own_namespace(crds: ApiServerPart, operator: Path) -> None:
    body = {"metadata": {"name": "known"}, "stringData": {"username": "me", "password": "pä"}}
    crds.call("POST", SECRETS.format("cyroid"), body)
    found = ask(operator, lambda c: c.secret("known"))
    assert found == {"username": b"me", "password": "pä".encode()}


def test_a_secret_is_none_only_if_it_is_absent(crds: ApiServerPart, operator: Path) -> None:
    crds.call("POST", SECRETS.format("default"), {"metadata": {"name": "absent"}})
    assert ask(operator, lambda c: c.secret("absent")) is None


def test_a_secret_that_we_may_not_read_is_no_absent_secret(operator: Path) -> None:
    with pytest.raises(AccessDenied, match=r"GET .*/namespaces/cyroid/secrets/foreign"):
        ask(operator, lambda c: c.secret("foreign"))


def test_nothing_is_missing_with_the_rights_that_we_ask_for(operator: Path) -> None:
    assert ask(operator, lambda c: c.missing_rights()) == ()


def test_each_missing_right_is_named(stranger: Path) -> None:
    every = tuple(str(right) for right in rights.needed("cyroid"))
    assert ask(stranger, lambda c: c.missing_rights()) == every
    assert "patch rangeimages/status" in every


def test_an_api_server_that_is_down_answers_nothing(resumed: ApiServerPart, operator: Path) -> None:
    resumed.stop()
    with pytest.raises(ApiUnavailable, match="GET /api/v1/namespaces/cyroid/secrets/absent"):
        ask(operator, lambda c: c.secret("absent"))


def test_an_api_server_that_hangs_is_given_up_after_ten_seconds(
    resumed: ApiServerPart, operator: Path
) -> None:
    resumed.pause()
    started = time.monotonic()
    with pytest.raises(ApiUnavailable, match="no response after 10 s"):
        ask(operator, lambda c: c.secret("absent"))
    assert time.monotonic() - started < A_WHILE


def test_nowhere_to_connect_to_is_said(tmp_path: Path) -> None:
    with pytest.raises(ApiUnavailable, match="cannot find the Kubernetes API"):
        ask(tmp_path / "absent", lambda c: listed(c, "Pod"))
