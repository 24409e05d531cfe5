"""The rights that our programs need: the tables of their ClusterRoles and Roles, as questions.

The chart's RBAC must grant exactly these; the test of the chart compares the two.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from cyroid_images.kube.resources import GROUP

_READ = ("get", "list", "watch")
_CLUSTER = (
    (GROUP, "rangeimages", _READ),
    (GROUP, "imagecaches", _READ),
    (GROUP, "rangeimages/status", ("patch",)),
    (GROUP, "imagecaches/status", ("patch",)),
    ("", "pods", _READ),
    ("", "namespaces", _READ),
    ("", "pods/status", ("patch",)),
    ("events.k8s.io", "events", ("create",)),
    ("", "events", ("patch",)),  # only there may a message change
)
_API_CLUSTER = (
    (GROUP, "rangeimages", (*_READ, "patch")),
    (GROUP, "imagecaches", (*_READ, "patch")),
    ("authentication.k8s.io", "tokenreviews", ("create",)),
    ("authorization.k8s.io", "subjectaccessreviews", ("create",)),
)
"""Of the REST API: it reads and writes for people, each of whom it asks about before."""
_OWN_NAMESPACE = (("coordination.k8s.io", "leases", ("get", "create", "update")),)


@dataclass(frozen=True, slots=True)
class Right:
    """One verb on one resource; without a namespace, in all of them."""

    verb: str
    group: str
    resource: str
    namespace: str = ""
    name: str = ""

    def question(self) -> dict[str, Any]:
        """The body of a SelfSubjectAccessReview."""
        return {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": self.attributes()},
        }

    def attributes(self) -> dict[str, str]:
        """As reviews of access name them."""
        resource, _, subresource = self.resource.partition("/")
        return {
            "verb": self.verb,
            "group": self.group,
            "resource": resource,
            "subresource": subresource,
            "namespace": self.namespace,
            "name": self.name,
        }

    def __str__(self) -> str:
        name = f"/{self.name}" if self.name else ""
        return f"{self.verb} {self.resource}{name}"


def needed(namespace: str, secrets: Sequence[str] = ()) -> Iterator[Right]:
    """Every right of the operator; `secrets` are the names that its Role lists."""
    for group, resource, verbs in _CLUSTER:
        yield from (Right(verb, group, resource) for verb in verbs)
    for group, resource, verbs in _OWN_NAMESPACE:
        yield from (Right(verb, group, resource, namespace) for verb in verbs)
    for name in secrets:
        yield Right("get", "", "secrets", namespace, name)


def needed_by_api() -> Iterator[Right]:
    """Every right of the REST API's own account."""
    for group, resource, verbs in _API_CLUSTER:
        yield from (Right(verb, group, resource) for verb in verbs)
