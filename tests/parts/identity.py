"""Service accounts with chosen rights, as the chart's RBAC would give them."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from pathlib import Path

from cyroid_images.kube import rights
from cyroid_images.kube.rights import Right
from tests.parts.apiserver import ApiServerPart
from tests.parts.registry import CREDENTIALS
from tests.parts.site import PUSH_SECRET

OWN_NAMESPACE = "cyroid"
"""Where the operator lives in component tests."""

_RBAC = "/apis/rbac.authorization.k8s.io/v1"


def grant(part: ApiServerPart, account: str, allowed: Iterable[Right]) -> Path:
    """Make this service account of OWN_NAMESPACE, with these rights; its kubeconfig."""
    part.put_namespace(OWN_NAMESPACE)
    kubeconfig = part.kubeconfig_for(account, OWN_NAMESPACE)
    for number, right in enumerate(allowed):
        _bind(part, account, f"{account}-{number}", right)
    return kubeconfig


def operator_account(part: ApiServerPart, account: str) -> Path:
    """As `grant`, with exactly the rights of the operator, and its push password in place."""
    kubeconfig = grant(
        part, account, rights.needed(OWN_NAMESPACE, [PUSH_SECRET, "cyroid-docker-client"])
    )
    texts = {"username": CREDENTIALS.username, "password": CREDENTIALS.password}
    encoded = {key: base64.b64encode(text.encode()).decode() for key, text in texts.items()}
    secret = {"metadata": {"name": PUSH_SECRET}, "data": encoded}
    part.call("POST", f"/api/v1/namespaces/{OWN_NAMESPACE}/secrets", secret)
    return kubeconfig


def _bind(part: ApiServerPart, account: str, name: str, right: Right) -> None:
    kind = "Role" if right.namespace else "ClusterRole"
    place = f"{_RBAC}/namespaces/{right.namespace}" if right.namespace else _RBAC
    rule = {"apiGroups": [right.group], "resources": [right.resource], "verbs": [right.verb]}
    names = {"resourceNames": [right.name]} if right.name else {}
    role = {"metadata": {"name": name}, "rules": [rule | names]}
    part.call("POST", f"{place}/{kind.lower()}s", role)
    who = {"kind": "ServiceAccount", "name": account, "namespace": OWN_NAMESPACE}
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name}
    binding = {"metadata": {"name": name}, "subjects": [who], "roleRef": reference}
    part.call("POST", f"{place}/{kind.lower()}bindings", binding)
