"""The registry's Secrets, made on a real API server with the rights of the hook Job only."""

from __future__ import annotations

import base64
from collections.abc import Callable

import bcrypt
import pytest
from kubernetes.client import CoreV1Api

from cyroid_images.bootstrap.registry_secrets import (
    HTPASSWD_SECRET,
    HTTP_SECRET,
    PUSH_SECRET,
    SecretStore,
    run,
)
from cyroid_images.errors import CyroidError
from tests.chart.rendering import manifests
from tests.component.install.accounts import client
from tests.parts.apiserver import ApiServerPart

pytestmark = pytest.mark.slow

ALL = (PUSH_SECRET, HTPASSWD_SECRET, HTTP_SECRET)


class Namespace:
    """One namespace, seen by an administrator."""

    def __init__(self, api: ApiServerPart, name: str) -> None:
        self._api = api
        self._path = f"/api/v1/namespaces/{name}/secrets"
        self.name = name
        api.put_namespace(name)

    def data(self, name: str) -> dict[str, bytes]:
        found = self._api.call("GET", f"{self._path}/{name}")
        return {key: base64.b64decode(value) for key, value in found["data"].items()}

    def put(self, name: str, **data: str) -> None:
        self._api.call("POST", self._path, {"metadata": {"name": name}, "stringData": data})

    def delete(self, name: str) -> None:
        self._api.call("DELETE", f"{self._path}/{name}")

    def kind(self, name: str) -> str:
        return str(self._api.call("GET", f"{self._path}/{name}")["type"])


def rights_of_the_job(api: ApiServerPart, namespace: str) -> CoreV1Api:
    """A client that may do what the chart's Role for the bootstrap allows, and nothing else."""
    role = next(
        it
        for it in manifests()
        if it["kind"] == "Role" and it["metadata"]["name"] == "cyroid-bootstrap-secrets"
    )
    base = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}"
    name = role["metadata"]["name"]
    api.call("POST", f"{base}/roles", {"metadata": {"name": name}, "rules": role["rules"]})
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name}
    subject = {"kind": "ServiceAccount", "name": name, "namespace": namespace}
    binding = {"metadata": {"name": name}, "roleRef": reference, "subjects": [subject]}
    api.call("POST", f"{base}/rolebindings", binding)
    kubeconfig = api.kubeconfig_for(name, namespace)
    return CoreV1Api(client(kubeconfig))


Make = Callable[[str], tuple[Namespace, SecretStore]]


@pytest.fixture
def make(apiserver: ApiServerPart) -> Make:
    """A namespace of this name, and the bootstrap's own look at it."""

    def namespace(name: str) -> tuple[Namespace, SecretStore]:
        seen = Namespace(apiserver, name)
        return seen, SecretStore(rights_of_the_job(apiserver, name), name)

    return namespace


def matches(namespace: Namespace, *, push_secret: str = PUSH_SECRET) -> bool:
    """Does the htpasswd let exactly the stored user in?"""
    stored = namespace.data(push_secret)
    user, _, digest = namespace.data(HTPASSWD_SECRET)["htpasswd"].strip().partition(b":")
    return user == stored["username"] and bcrypt.checkpw(stored["password"], digest)


def test_the_first_run_makes_all_three(make: Make) -> None:
    namespace, store = make("boot-first")
    assert run(store) == ALL
    assert namespace.kind(PUSH_SECRET) == "kubernetes.io/basic-auth"
    assert matches(namespace)
    secrets = namespace.data(HTTP_SECRET)
    assert secrets.keys() == {"pull", "push"}
    assert secrets["pull"] != secrets["push"]


def test_a_second_run_changes_nothing(make: Make) -> None:
    namespace, store = make("boot-second")
    run(store)
    before = [namespace.data(name) for name in ALL]
    assert run(store) == ()
    assert [namespace.data(name) for name in ALL] == before


def test_a_run_that_was_cut_is_completed_from_the_stored_password(make: Make) -> None:
    namespace, store = make("boot-cut")
    namespace.put(PUSH_SECRET, username="robot", password="chosen")
    assert run(store) == (HTPASSWD_SECRET, HTTP_SECRET)
    assert namespace.data(PUSH_SECRET)["password"] == b"chosen"
    assert matches(namespace)


def test_a_deleted_password_and_htpasswd_are_made_anew_and_fit_each_other(make: Make) -> None:
    namespace, store = make("boot-rotate")
    run(store)
    old = namespace.data(PUSH_SECRET)["password"]
    namespace.delete(PUSH_SECRET)
    namespace.delete(HTPASSWD_SECRET)
    assert run(store) == (PUSH_SECRET, HTPASSWD_SECRET)
    assert namespace.data(PUSH_SECRET)["password"] != old
    assert matches(namespace)


def test_a_secret_named_as_existing_is_never_made(make: Make) -> None:
    namespace, store = make("boot-named")
    with pytest.raises(CyroidError, match=f"{PUSH_SECRET} is configured as existing"):
        run(store, push_must_exist=True)
    namespace.put(PUSH_SECRET, username="robot", password="chosen")
    run(store, push_must_exist=True)
    assert matches(namespace)


def test_a_right_that_is_missing_is_named_and_not_taken_for_absence(make: Make) -> None:
    """The Role allows to read three names, so a fourth is 403 and not 404."""
    _, store = make("boot-denied")
    with pytest.raises(CyroidError, match="get Secret boot-denied/other: 403 Forbidden"):
        run(store, push_secret="other")


@pytest.mark.parametrize(
    "data",
    [
        pytest.param({"username": "u"}, id="no-password"),
        pytest.param({"username": "a:b", "password": "canary"}, id="colon-in-the-user"),
        pytest.param({"username": "a\nb", "password": "canary"}, id="newline-in-the-user"),
        pytest.param({"username": "u", "password": ""}, id="empty-password"),
        pytest.param({"username": "u", "password": "canary" * 13}, id="longer-than-bcrypt-reads"),
    ],
)
def test_a_push_secret_that_no_htpasswd_can_hold_is_refused_without_showing_it(
    make: Make, data: dict[str, str], request: pytest.FixtureRequest
) -> None:
    name = f"boot-bad-{request.node.callspec.id}"
    namespace, store = make(name)
    namespace.put(PUSH_SECRET, **data)
    with pytest.raises(CyroidError, match=PUSH_SECRET) as refused:
        run(store)
    assert "canary" not in str(refused.value)


def test_no_answer_is_no_absence(make: Make, apiserver: ApiServerPart) -> None:
    _, store = make("boot-down")
    apiserver.stop()
    try:
        with pytest.raises(CyroidError, match="no answer"):
            run(store)
    finally:
        apiserver.start()
