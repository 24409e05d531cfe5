"""The kinds that we read or write, and where the API serves them."""

from __future__ import annotations

from dataclasses import dataclass

GROUP = "cyroid.io"
VERSION = "v1alpha1"


@dataclass(frozen=True, slots=True)
class Resource:
    """One kind: its API version (`group/version`, `v1` for the core) and its plural."""

    api_version: str
    plural: str
    selector: str = ""
    """A label selector that every list of it carries."""

    def path(self, namespace: str | None = None, name: str | None = None) -> str:
        """The path of one object, or of the whole list without a name."""
        root = "/apis" if "/" in self.api_version else "/api"
        place = f"/namespaces/{namespace}" if namespace else ""
        item = f"/{name}" if name else ""
        return f"{root}/{self.api_version}{place}/{self.plural}{item}"


RESOURCES = {
    "RangeImages": Resource(f"{GROUP}/{VERSION}", "rangeimages"),
    "ImageCache": Resource(f"{GROUP}/{VERSION}", "imagecaches"),
    "Pod": Resource("v1", "pods", selector="cyroid.io/component=dind"),
    "Namespace": Resource("v1", "namespaces"),
    "Secret": Resource("v1", "secrets"),
    "Lease": Resource("coordination.k8s.io/v1", "leases"),
    "Event": Resource("events.k8s.io/v1", "events"),
    "CoreEvent": Resource("v1", "events"),
    "SelfSubjectAccessReview": Resource("authorization.k8s.io/v1", "selfsubjectaccessreviews"),
    "SubjectAccessReview": Resource("authorization.k8s.io/v1", "subjectaccessreviews"),
    "TokenReview": Resource("authentication.k8s.io/v1", "tokenreviews"),
}
OWN_KINDS = ("RangeImages", "ImageCache")
"""The kinds of our CRDs: those with a status of ours."""
