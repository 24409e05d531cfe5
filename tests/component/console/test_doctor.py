"""`kubectl cyroid doctor` and `support-bundle`: what is read, and by whose rights."""

from __future__ import annotations

import base64
import json
import subprocess
import tarfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.component.console.conftest import Town, condition, status
from tests.parts.identity import OWN_NAMESPACE

pytestmark = pytest.mark.slow

LEASES = f"/apis/coordination.k8s.io/v1/namespaces/{OWN_NAMESPACE}/leases"
SECRETS = f"/api/v1/namespaces/{OWN_NAMESPACE}/secrets"


def rows(town: Town, *arguments: str) -> dict[str, dict[str, str]]:
    done = town.console.run("doctor", *arguments, "-o", "json")
    return {row["check"]: row for row in json.loads(done.stdout)}


def a_lease(town: Town) -> None:
    """An operator that renewed it just now."""
    town.api.put_namespace(OWN_NAMESPACE)
    town.api.request("DELETE", f"{LEASES}/cyroid-operator")
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    spec = {"holderIdentity": "pod-1", "leaseDurationSeconds": 35, "renewTime": now}
    town.api.call("POST", LEASES, {"metadata": {"name": "cyroid-operator"}, "spec": spec})


def a_certificate(folder: Path, days: str) -> str:
    """PEM of one that is good for so many days."""
    made = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    files = ["-keyout", str(folder / "key"), "-out", str(folder / "crt"), "-days", days]
    subprocess.run(
        ["openssl", *made, *files, "-subj", "/CN=x"], check=True, capture_output=True, timeout=30
    )
    return (folder / "crt").read_text()


def put_secret(town: Town, name: str, **texts: str) -> None:
    town.api.put_namespace(OWN_NAMESPACE)
    town.api.request("DELETE", f"{SECRETS}/{name}")
    data = {key: base64.b64encode(text.encode()).decode() for key, text in texts.items()}
    town.api.call("POST", SECRETS, {"metadata": {"name": name}, "data": data})


def a_sound_cache(town: Town, **spec: Any) -> None:
    good = [
        condition(kind, "True", "Available") for kind in ("RegistryAvailable", "SourceAvailable")
    ]
    town.cache({"conditions": good}, **spec)


def test_a_sound_installation_is_well(town: Town) -> None:
    a_lease(town)
    a_sound_cache(town)
    town.ranges("a", status(1, 1))
    found = rows(town, f"{town.name}/a")
    for check in (
        "custom resources installed",
        "custom resources fit this version",
        "operator active",
        f"registry answers (cache {town.name})",
        f"sources answer (cache {town.name})",
        "ranges ready",
        "range engines trust the registry",
        "readiness gates",
    ):
        assert found[check]["result"] == "ok", found[check]


def test_what_is_wrong_is_named_with_what_to_do_and_ends_with_1(town: Town) -> None:
    town.api.put_namespace(OWN_NAMESPACE)
    town.api.request("DELETE", f"{LEASES}/cyroid-operator")
    bad = condition("RegistryAvailable", "False", "RegistryUnreachable", "connection refused")
    source = {"name": "builder", "engine": {"endpoint": "tcp://b.c:2375", "insecure": True}}
    town.cache(
        {"conditions": [bad]}, sources=[source], allowedNamespaces={"matchLabels": {"x": "y"}}
    )
    tar = condition("TarFallback", "True", "RegistryNotTrusted", "x509: unknown authority")
    stalled = condition("Stalled", "True", "ImageNotFound", "no source has it")
    town.ranges("a", status(1, 1, tar))
    town.ranges("b", status(0, 1, stalled))
    done = town.console.run("doctor", f"{town.name}/a", f"{town.name}/b")
    assert done.returncode == 1
    lines = {line.partition("  ")[0]: line for line in done.stdout.splitlines()}
    assert " no " in lines["operator active"]
    assert "connection refused" in lines[f"registry answers (cache {town.name})"]
    assert "mount the ConfigMap cyroid-range-engine" in lines["range engines trust the registry"]
    assert f"{town.name}/a" in lines["range engines trust the registry"]
    assert "kubectl label namespace" in lines["namespaces may use their cache"]
    assert " warn " in lines[f"engines and registry by TLS (cache {town.name})"]
    assert "ImageNotFound: no source has it" in lines[f"range {town.name}/b"]


def test_certificates_are_read_where_one_may(town: Town) -> None:
    put_secret(town, "cyroid-docker-client", **{"tls.crt": a_certificate(town.home, "12")})
    a_sound_cache(town)
    assert rows(town)["certificates"]["result"] == "warn"
    put_secret(town, "cyroid-docker-client", **{"tls.crt": a_certificate(town.home, "99")})
    found = rows(town)["certificates"]
    assert (found["result"], found["what"][:18]) == ("ok", "1, the first expir")


def test_a_right_that_is_missing_is_unknown_and_named_never_ok(town: Town) -> None:
    a_sound_cache(town)
    town.ranges("a", status(1, 1))
    read = ["get", "list"]
    viewer = town.as_user(
        "viewer", ("cyroid.io", "rangeimages", read), ("cyroid.io", "imagecaches", read)
    )
    done = viewer.run("doctor", f"{town.name}/a", "-o", "json", "--operator-namespace", "cyroid")
    found = {row["check"]: row for row in json.loads(done.stdout)}
    for check, right in (
        ("operator active", "get leases in namespace cyroid"),
        ("operator's version", "list deployments in namespace cyroid"),
        ("certificates", "get secrets in namespace cyroid"),
        ("readiness gates", "list pods in all namespaces"),
        ("network policies let ranges pull", "list networkpolicies in namespace cyroid"),
        ("namespaces may use their cache", "list namespaces"),
    ):
        assert found[check]["result"] == "unknown", found[check]
        assert right in f"{found[check]['what']} {found[check]['todo']}", found[check]
    assert found["custom resources fit this version"]["result"] == "ok"
    nobody = town.as_user("nobody").run("doctor", "-o", "json")
    told = {row["check"]: row["result"] for row in json.loads(nobody.stdout)}
    assert told["image caches"] == told["ranges"] == "unknown"
    assert nobody.returncode == 0  # nothing is known to be wrong


def test_an_engine_pod_whose_gate_is_never_answered_is_named(town: Town) -> None:
    a_sound_cache(town)
    town.ranges("a", status(1, 1))
    gate = {"readinessGates": [{"conditionType": "cyroid.io/images-ready"}]}
    town.api.put_pod("dind", town.name, labels={"cyroid.io/component": "dind"}, spec=gate)
    try:
        found = rows(town, f"{town.name}/a")["readiness gates"]
        assert found["result"] == "no"
        assert f"{town.name}/dind" in found["what"]
    finally:
        town.api.delete_pod("dind", town.name)


def test_on_a_terminal_what_to_do_stands_on_a_line_of_its_own(town: Town) -> None:
    town.cache({})
    with town.console.on_terminal("doctor", columns=90) as begun:
        begun.end()
    assert "    -> is it active?" in begun.text
    assert all(len(line) <= 90 for line in begun.text.splitlines() if "->" not in line)


def packed(path: Path) -> dict[str, bytes]:
    """The files of a bundle."""
    with tarfile.open(path) as bundle:
        files = ((member.name, bundle.extractfile(member)) for member in bundle)
        return {name.partition("/")[2]: file.read() for name, file in files if file is not None}


def test_a_support_bundle_holds_what_helps_and_no_secret(town: Town) -> None:
    hidden = "hunter2-hunter2"
    put_secret(town, "push-password", password=hidden)
    a_sound_cache(town)
    town.ranges("a", status(1, 1))
    note = {"metadata": {"annotations": {"note": f"see https://me:{hidden}@host/x"}}}
    merge = {"content_type": "application/merge-patch+json"}
    town.api.call("PATCH", town.path("a"), note, **merge)
    said = town.console.says("support-bundle", "--file", "b.tar.gz")
    assert said.startswith("b.tar.gz (")
    texts = packed(town.home / "b.tar.gz")
    assert {"rangeimages.json", "imagecaches.json", "events.json", "doctor.json"} <= set(texts)
    assert {"version.json", "operator.log", "deployments.json", "missing.txt"} <= set(texts)
    assert f'"name": "{town.name}"'.encode() in texts["imagecaches.json"]
    assert b"https://me:" not in texts["rangeimages.json"]
    everything = b"".join(texts.values())
    assert hidden.encode() not in everything
    assert base64.b64encode(hidden.encode()) not in everything
    assert b"managedFields" not in everything
    line = town.console.complains("support-bundle", "--file", "b.tar.gz")
    assert "is there already" in line
    assert "cannot be written" in town.console.complains("support-bundle", "-f", "/none/b.tar.gz")


def test_a_bundle_of_somebody_without_rights_names_what_is_missing(town: Town) -> None:
    done = town.as_user("nobody").run("support-bundle", "--file", "b.tar.gz")
    assert done.returncode == 0
    assert "left out rangeimages.json: a right is missing" in done.stderr
    missing = packed(town.home / "b.tar.gz")["missing.txt"]
    assert b"events.json: a right is missing" in missing
