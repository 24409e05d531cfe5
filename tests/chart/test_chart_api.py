"""The API's workload: stateless, told how to serve, given no more than it needs."""

from __future__ import annotations

import pytest

from cyroid_images.settings import Settings
from tests.chart.rendering import CHART, DEFAULT, Manifest, manifests, one

pytestmark = pytest.mark.slow

SITE = CHART / "ci" / "api-values.yaml"
OUTSIDE = CHART / "ci" / "external-registry-values.yaml"


def pod(found: list[Manifest]) -> Manifest:
    spec: Manifest = one(found, "Deployment", "cyroid-api")["spec"]["template"]["spec"]
    return spec


def container(found: list[Manifest]) -> Manifest:
    (only,) = pod(found)["containers"]
    spec: Manifest = only
    return spec


def mounts(found: list[Manifest]) -> dict[str, tuple[str, bool]]:
    """Volume to its path, and whether it is read-only."""
    return {
        it["name"]: (it["mountPath"], it.get("readOnly", False))
        for it in container(found)["volumeMounts"]
    }


def test_without_it_nothing_of_it_is_made() -> None:
    assert [
        it["metadata"]["name"]
        for it in manifests(DEFAULT, "--set=api.enabled=false")
        if "cyroid-api" in it["metadata"]["name"]
    ] == []


def test_by_default_it_serves_http_on_a_port_of_its_own() -> None:
    found = manifests()
    assert container(found)["args"] == ["api", "--listen=0.0.0.0:8080"]
    (port,) = one(found, "Service", "cyroid-api")["spec"]["ports"]
    assert (port["port"], port["targetPort"]) == (8080, "api")
    assert [it for it in found if it["kind"] == "Ingress"] == []
    assert mounts(found) == {"tmp": ("/tmp", False)}


def test_with_a_certificate_it_serves_tls_and_is_probed_so() -> None:
    found = manifests(SITE)
    spec = container(found)
    assert spec["args"] == [
        "api",
        "--listen=0.0.0.0:8443",
        "--tls-cert=/tls/tls.crt",
        "--tls-key=/tls/tls.key",
    ]
    assert mounts(found)["tls"] == ("/tls", True)
    (port,) = one(found, "Service", "cyroid-api")["spec"]["ports"]
    assert port["port"] == 8443
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert spec[probe]["httpGet"] == {
            "path": "/api/v1/registry/health",
            "port": "api",
            "scheme": "HTTPS",
        }
    assert one(found, "Deployment", "cyroid-api")["spec"]["replicas"] == 2


def test_an_ingress_leads_to_it() -> None:
    spec = one(manifests(SITE), "Ingress", "cyroid-api")["spec"]
    assert spec["ingressClassName"] == "nginx"
    assert spec["tls"] == [
        {"hosts": ["images.ranges.example"], "secretName": "images-ranges-example"}
    ]
    (rule,) = spec["rules"]
    (path,) = rule["http"]["paths"]
    assert path["backend"]["service"] == {"name": "cyroid-api", "port": {"name": "api"}}


def test_uploads_are_written_where_the_operator_reads_them() -> None:
    found = manifests(SITE)
    operator = one(found, "Deployment", "cyroid-operator")["spec"]["template"]["spec"]
    volumes = [
        next(it for it in spec["volumes"] if it["name"] == "archives")
        for spec in (operator, pod(found))
    ]
    assert volumes[0] == volumes[1]
    assert mounts(found)["archives"] == ("/archives", False)
    (place,) = [it["value"] for it in container(found)["env"] if it["name"] == "CYROID_ARCHIVES"]
    assert place == "/archives"


def test_it_trusts_the_authority_of_an_outside_registry_and_reads_no_other_key() -> None:
    found = manifests(OUTSIDE)
    assert "--registry-ca=/registry-ca/ca.crt" in container(found)["args"]
    volume = next(it for it in pod(found)["volumes"] if it["name"] == "registry-ca")
    assert volume["secret"] == {
        "secretName": "harbor-ca",
        "items": [{"key": "ca.crt", "path": "ca.crt"}],
    }


def test_it_knows_every_setting_that_the_chart_gives() -> None:
    given = {it["name"] for it in container(manifests(SITE))["env"]}
    assert given <= {f"CYROID_{name.upper()}" for name in Settings.model_fields}
