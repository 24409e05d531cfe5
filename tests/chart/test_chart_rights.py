"""Rights: the rendered RBAC is this list, no more and no less."""

from __future__ import annotations

from pathlib import Path

import pytest

from cyroid_images.kube.rights import needed_by_api
from tests.chart.rendering import CHART, Manifest, helm, manifests, one, pod_specs

pytestmark = pytest.mark.slow

READ = ("get", "list", "watch")
CHANGE = ("get", "list", "patch", "watch")
WRITE = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")

Rule = tuple[str, str, tuple[str, ...], tuple[str, ...]]
"""Group, resource, verbs, names."""

GOLDEN: dict[tuple[str, str], set[Rule]] = {
    ("ClusterRole", "cyroid-operator"): {
        ("cyroid.io", "rangeimages", READ, ()),
        ("cyroid.io", "imagecaches", READ, ()),
        ("cyroid.io", "rangeimages/status", ("patch",), ()),
        ("cyroid.io", "imagecaches/status", ("patch",), ()),
        ("", "pods", READ, ()),
        ("", "namespaces", READ, ()),
        ("", "pods/status", ("patch",), ()),
        ("events.k8s.io", "events", ("create",), ()),
        ("", "events", ("patch",), ()),
        ("authorization.k8s.io", "selfsubjectaccessreviews", ("create",), ()),
    },
    ("Role", "cyroid-operator"): {
        ("", "secrets", ("get",), ("cyroid-docker-client", "cyroid-registry-push")),
        ("coordination.k8s.io", "leases", ("create", "get", "update"), ()),
    },
    ("Role", "cyroid-bootstrap-secrets"): {
        (
            "",
            "secrets",
            ("get",),
            ("cyroid-registry-htpasswd", "cyroid-registry-http", "cyroid-registry-push"),
        ),
        ("", "secrets", ("create",), ()),
    },
    ("ClusterRole", "cyroid-bootstrap-cache"): {
        ("cyroid.io", "imagecaches", ("get", "patch"), ("default",)),
        ("cyroid.io", "imagecaches", ("create",), ()),
    },
    ("ClusterRole", "cyroid-api"): {
        ("cyroid.io", "rangeimages", CHANGE, ()),
        ("cyroid.io", "imagecaches", CHANGE, ()),
        ("authentication.k8s.io", "tokenreviews", ("create",), ()),
        ("authorization.k8s.io", "subjectaccessreviews", ("create",), ()),
    },
    ("ClusterRole", "cyroid-view"): {
        ("cyroid.io", "rangeimages", READ, ()),
        ("cyroid.io", "imagecaches", READ, ()),
    },
    ("Role", "cyroid-api"): {
        ("apps", "deployments", ("list",), ()),
        ("coordination.k8s.io", "leases", ("get",), ("cyroid-operator",)),
    },
    ("ClusterRole", "rangeimages-edit"): {("cyroid.io", "rangeimages", WRITE, ())},
    ("ClusterRole", "imagecache-admin"): {("cyroid.io", "imagecaches", WRITE, ())},
    ("ClusterRole", "cyroid-evaluator"): {
        ("cyroid.io", "rangeimages", READ, ()),
        ("cyroid.io", "imagecaches", READ, ()),
    },
    ("ClusterRole", "cyroid-engineer"): {
        ("cyroid.io", "rangeimages", ("create", *CHANGE), ()),
        ("cyroid.io", "imagecaches", CHANGE, ()),
    },
    ("ClusterRole", "cyroid-admin"): {
        ("cyroid.io", "rangeimages", ("create", "delete", *CHANGE), ()),
        ("cyroid.io", "imagecaches", ("delete", *CHANGE), ()),
    },
}

BOUND = {
    ("ClusterRole", "cyroid-operator", "cyroid-operator"),
    ("Role", "cyroid-operator", "cyroid-operator"),
    ("Role", "cyroid-bootstrap-secrets", "cyroid-bootstrap-secrets"),
    ("ClusterRole", "cyroid-bootstrap-cache", "cyroid-bootstrap-cache"),
    ("ClusterRole", "cyroid-api", "cyroid-api"),
    ("Role", "cyroid-api", "cyroid-api"),
}
"""Role kind, role, service account."""


def rules_of(role: Manifest) -> set[Rule]:
    return {
        (
            group,
            resource,
            tuple(sorted(rule["verbs"])),
            tuple(sorted(rule.get("resourceNames", ()))),
        )
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }


def test_the_rendered_rights_are_the_golden_list() -> None:
    roles = [it for it in manifests() if it["kind"] in {"Role", "ClusterRole"}]
    assert {(it["kind"], it["metadata"]["name"]): rules_of(it) for it in roles} == GOLDEN


def test_the_rights_are_bound_to_these_accounts_only() -> None:
    bindings = [it for it in manifests() if it["kind"].endswith("Binding")]
    bound = {
        (it["roleRef"]["kind"], it["roleRef"]["name"], subject["name"])
        for it in bindings
        for subject in it["subjects"]
    }
    assert bound == BOUND


def test_reading_comes_with_view_range_images_with_edit_and_caches_with_nothing() -> None:
    prefix = "rbac.authorization.k8s.io/aggregate-to-"
    aggregated = {
        it["metadata"]["name"]: {
            label.removeprefix(prefix)
            for label in it["metadata"]["labels"]
            if label.startswith(prefix)
        }
        for it in manifests()
        if it["kind"] == "ClusterRole"
    }
    assert {name: to for name, to in aggregated.items() if to} == {
        "cyroid-view": {"view"},
        "rangeimages-edit": {"edit", "admin"},
    }


def readable_secrets(values: Path) -> set[tuple[str, ...]]:
    role = one(manifests(values), "Role", "cyroid-operator")
    return {names for _, resource, _, names in rules_of(role) if resource == "secrets"}


def test_the_operator_reads_the_secrets_that_values_name() -> None:
    assert readable_secrets(CHART / "ci" / "external-registry-values.yaml") == {
        ("cyroid-docker-client", "harbor-ca", "harbor-robot", "hub-credentials")
    }


def test_the_list_of_readable_secrets_is_never_empty_which_would_mean_all(tmp_path: Path) -> None:
    values = tmp_path / "values.yaml"
    outside = "registry: {enabled: false, external: {pushURL: 'https://r.example', pullHost: r}}"
    values.write_text(outside)
    assert readable_secrets(values) == {("cyroid-docker-client",)}
    done = helm("template", str(CHART), f"--values={values}", "--set=operator.clientTLSSecret=")
    assert done.returncode != 0
    assert "clientTLSSecret" in done.stderr


def test_only_pods_that_talk_to_the_api_get_a_token() -> None:
    tokens = {name for name, spec in pod_specs(manifests()) if spec["automountServiceAccountToken"]}
    jobs = {"cyroid-bootstrap-secrets", "cyroid-bootstrap-cache"}
    assert tokens == {"cyroid-operator", "cyroid-api", *jobs}


def test_the_api_has_the_rights_that_it_says_it_needs() -> None:
    needed = {(each.group, each.resource, each.verb) for each in needed_by_api()}
    role = one(manifests(), "ClusterRole", "cyroid-api")
    given = {
        (group, resource, verb) for group, resource, verbs, _ in rules_of(role) for verb in verbs
    }
    assert given == needed


def test_each_role_of_cyroid_may_what_the_one_before_it_may() -> None:
    def allowed(name: str) -> set[tuple[str, str]]:
        return {
            (resource, verb)
            for _, resource, verbs, _ in GOLDEN["ClusterRole", f"cyroid-{name}"]
            for verb in verbs
        }

    assert allowed("evaluator") < allowed("engineer") < allowed("admin")
