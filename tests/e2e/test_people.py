"""What people reach of an installation: page and REST API, with the rights of their role."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest

from cyroid_images.client import Client, Forbidden, Unauthorized
from cyroid_images.overview.operations import PushPhase
from cyroid_images.overview.pages import RangeChanges
from tests.demo import people, ranges
from tests.demo.cluster import Cluster


@pytest.fixture(scope="module")
def url(cluster: Cluster) -> Iterator[str]:
    """Where the API of the installed chart answers."""
    with people.reached(cluster) as address:
        yield address


@pytest.fixture
def evaluator(cluster: Cluster) -> Iterator[str]:
    yield people.token(cluster, "e2e-evaluator", "cyroid-evaluator")
    people.take_back(cluster, "e2e-evaluator")


@pytest.fixture
def engineer(cluster: Cluster) -> Iterator[str]:
    yield people.token(cluster, "e2e-engineer", "cyroid-engineer")
    people.take_back(cluster, "e2e-engineer")


def test_the_page_is_served_and_lets_no_other_host_in(url: str) -> None:
    page = httpx.get(f"{url}/registry", trust_env=False)
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'self'" in page.headers["content-security-policy"]


def test_an_evaluator_sees_ranges_and_may_not_push(
    cluster: Cluster, images: list[str], fresh_namespace: str, url: str, evaluator: str
) -> None:
    asked = ranges.make_range(cluster, "seen", images[:1])
    ranges.wait_ready(cluster, asked, print)
    with Client(url, evaluator) as client:
        rights = client.me().rights
        assert (rights.read, rights.push, rights.delete) == (True, False, False)
        news = next(client.watch_ranges())
        (row,) = client.all_ranges(namespace=fresh_namespace)
        assert (row.name, row.ready, row.images_present) == ("seen", True, 1)
        assert client.range_detail(fresh_namespace, "seen").targets[0].present == 1
        held = {f"{each.name}:{tag}" for each in client.all_images() for tag in each.tags}
        assert images[0] in held
        with pytest.raises(Forbidden, match="patch"):
            client.push(images[1])
        with pytest.raises(Forbidden):
            client.suspend_range(fresh_namespace, "seen")
    assert isinstance(news, RangeChanges)
    assert news.reset


def test_an_engineer_pushes_an_image_and_follows_it_until_it_is_proven(
    images: list[str], url: str, engineer: str
) -> None:
    with Client(url, engineer) as client:
        *_, last = client.push_and_follow(images[1], within=120)
        assert (last.status, last.error_message) == (PushPhase.COMPLETED, None)
        assert last.digest is not None
        assert client.image_status(images[1]).in_registry is True


def test_who_has_no_token_or_none_any_more_is_told_to_sign_in(cluster: Cluster, url: str) -> None:
    with Client(url) as nobody, pytest.raises(Unauthorized):
        nobody.caches()
    ended = people.token(cluster, "e2e-ended", "cyroid-admin")
    people.take_back(cluster, "e2e-ended")
    with Client(url, ended) as nobody, pytest.raises(Unauthorized):
        nobody.caches()


def test_the_account_of_the_api_reads_no_secret_and_writes_no_status(cluster: Cluster) -> None:
    def may(verb: str, group: str, resource: str, subresource: str = "") -> bool:
        asked = {"verb": verb, "group": group, "resource": resource, "subresource": subresource}
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": {
                "user": "system:serviceaccount:cyroid:cyroid-api",
                "groups": ["system:serviceaccounts", "system:authenticated"],
                "resourceAttributes": {**asked, "namespace": "cyroid"},
            },
        }
        words = ("create", "--filename=-", "--output=jsonpath={.status.allowed}")
        return cluster.kubectl(*words, stdin=json.dumps(review)).strip() == "true"

    assert may("patch", "cyroid.io", "imagecaches")
    assert not may("get", "", "secrets")
    assert not may("patch", "cyroid.io", "imagecaches", "status")
    assert not may("delete", "cyroid.io", "rangeimages")
    assert not may("list", "", "pods")
