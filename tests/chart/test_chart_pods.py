"""Pods: restricted where they can be, and configured as the engines and registries need it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from cyroid_images.cli import _parser
from cyroid_images.settings import Settings
from tests.chart.rendering import (
    CASES,
    CHART,
    DEFAULT,
    LAB,
    ROOT,
    Manifest,
    manifests,
    one,
    pod_specs,
)

pytestmark = pytest.mark.slow


def registry_containers(*arguments: str) -> dict[str, Manifest]:
    """By name."""
    found = one(manifests(DEFAULT, *arguments), "Deployment", "cyroid-registry")
    return {each["name"]: each for each in found["spec"]["template"]["spec"]["containers"]}


def registry_files() -> dict[str, Manifest]:
    data = one(manifests(), "ConfigMap", "cyroid-registry")["data"]
    return {name: yaml.safe_load(text) for name, text in data.items() if name.endswith(".yml")}


def test_every_pod_but_the_builder_is_restricted() -> None:
    for name, spec in pod_specs(manifests(LAB)):
        if name == "cyroid-builder":
            continue
        assert spec["securityContext"]["runAsNonRoot"], name
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        for container in spec["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }, name


def test_no_pod_gets_service_links() -> None:
    assert all(spec["enableServiceLinks"] is False for _, spec in pod_specs(manifests(LAB)))


def test_the_pull_listener_cannot_write_and_keeps_no_uploads() -> None:
    pull = registry_files()["pull.yml"]
    assert pull["storage"]["maintenance"]["readonly"] == {"enabled": True}
    assert "delete" not in pull["storage"]
    mounts = {
        container["name"]: mount.get("readOnly", False)
        for container in registry_containers().values()
        for mount in container["volumeMounts"]
        if mount["name"] == "data"
    }
    assert mounts == {"pull": True, "push": False, "collector": False}


def test_the_push_listener_asks_for_a_password() -> None:
    push = registry_files()["push.yml"]
    assert push["auth"]["htpasswd"]["path"] == "/etc/cyroid-registry-htpasswd/htpasswd"
    assert push["storage"]["delete"] == {"enabled": True}


def test_neither_listener_caches_blob_descriptors() -> None:
    assert all("cache" not in file["storage"] for file in registry_files().values())


def test_each_listener_has_its_own_http_secret() -> None:
    containers = registry_containers()
    keys = {
        name: containers[name]["env"][0]["valueFrom"]["secretKeyRef"]["key"]
        for name in ("pull", "push")
    }
    assert keys == {"pull": "pull", "push": "push"}


def test_the_collector_is_told_what_its_own_command_line_knows() -> None:
    """And it sees the gate of the push listener, which nobody else can open or close."""
    containers = registry_containers()
    parsed = _parser().parse_args(containers["collector"]["args"])
    mounts = {
        name: {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
        for name, container in containers.items()
    }
    assert (str(parsed.root), parsed.listen) == (mounts["collector"]["data"], ("0.0.0.0", 5002))
    assert str(parsed.gate) == mounts["collector"]["gate"] == mounts["push"]["gate"]
    assert "gate" not in mounts["pull"]
    assert parsed.htpasswd.parent == Path(mounts["push"]["htpasswd"])
    assert parsed.grace == 3600
    assert "env" not in containers["collector"]


def test_the_push_listener_runs_under_the_script_that_can_stop_it() -> None:
    push = registry_containers()["push"]
    assert push["command"] == ["/bin/sh", "/etc/cyroid-registry/push.sh", "/gate", "registry"]
    script = one(manifests(), "ConfigMap", "cyroid-registry")["data"]["push.sh"]
    assert script.strip() == (CHART / "files/registry/push.sh").read_text().strip()


def test_without_the_collector_the_registry_is_as_it_would_be_alone() -> None:
    arguments = "--set=registry.collector.enabled=false"
    containers = registry_containers(arguments)
    assert list(containers) == ["pull", "push"]
    assert containers["push"]["command"] == ["registry"]
    assert containers["push"]["livenessProbe"]["tcpSocket"] == {"port": "push"}
    found = manifests(DEFAULT, arguments)
    volumes = one(found, "Deployment", "cyroid-registry")["spec"]["template"]["spec"]["volumes"]
    assert "gate" not in {each["name"] for each in volumes}
    assert (
        "collectorURL"
        not in one(found, "ConfigMap", "cyroid-default-cache")["data"]["image-cache.yaml"]
    )


def test_the_default_cache_collects_as_the_values_say() -> None:
    def spec(*arguments: str) -> Manifest:
        found = one(manifests(DEFAULT, *arguments), "ConfigMap", "cyroid-default-cache")
        read: Manifest = yaml.safe_load(found["data"]["image-cache.yaml"])["spec"]
        return read

    assert spec()["registry"]["collectorURL"] == "http://cyroid-registry.cyroid.svc:5002"
    assert spec()["retention"] == {"collectEvery": "24h"}
    both = spec("--set=defaultCache.retention.unused=168h")
    assert both["retention"] == {"collectEvery": "24h", "unused": "168h"}
    assert "retention" not in spec("--set=defaultCache.retention.collectEvery=null")


def daemon_files() -> dict[str, Manifest]:
    documents = [
        *manifests(LAB),
        *yaml.safe_load_all((ROOT / "manifests/samples/range-pod.yaml").read_text()),
    ]
    return {
        it["metadata"]["name"]: json.loads(it["data"]["daemon.json"])
        for it in documents
        if it["kind"] == "ConfigMap" and "daemon.json" in it["data"]
    }


def test_no_engine_configuration_stops_the_engine() -> None:
    """`hosts` beside -H arguments does; the others break a pod more quietly."""
    assert daemon_files().keys() == {"cyroid-builder", "range-engine"}
    for daemon in daemon_files().values():
        assert not {"hosts", "live-restore", "storage-driver"} & daemon.keys()


def test_engines_trust_exactly_the_listeners_they_need() -> None:
    trusted = {name: daemon["insecure-registries"] for name, daemon in daemon_files().items()}
    host = "cyroid-registry.cyroid.svc"
    assert trusted == {
        "cyroid-builder": [f"{host}:5000", f"{host}:5001"],
        "range-engine": [f"{host}:5000"],
    }


def test_a_digest_wins_over_a_tag_and_the_site_registry_over_each_image() -> None:
    images = {
        container["image"]
        for _, spec in pod_specs(manifests(CHART / "ci" / "air-gap-values.yaml"))
        for container in spec["containers"]
    }
    version = yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"]
    site = "registry.site.example:5000"
    digest = "0123456789abcdef" * 4
    assert images == {
        f"{site}/cyroid/cyroid-images:{version}",
        f"{site}/library/registry@sha256:{digest}",
    }


def test_every_object_carries_the_common_labels() -> None:
    found = manifests(CHART / "ci" / "external-registry-values.yaml")
    assert {it["metadata"]["labels"].get("team") for it in found} == {"ranges"}


def environment(*arguments: str) -> dict[str, str | None]:
    """What the operator's container is told."""
    pod = one(manifests(DEFAULT, *arguments), "Deployment", "cyroid-operator")
    container = pod["spec"]["template"]["spec"]["containers"][0]
    return {it["name"]: it.get("value") for it in container["env"]}


def test_a_limit_is_the_operators_own_until_one_is_given() -> None:
    assert "CYROID_MAX_TRANSFERS" not in environment()
    assert environment("--set=operator.settings.maxTransfers=4")["CYROID_MAX_TRANSFERS"] == "4"


def test_the_operator_knows_every_setting_that_the_chart_can_give() -> None:
    limits = (
        "maxTransfers",
        "maxTransfersPerEngine",
        "maxPushesPerSource",
        "maxFillsPerRegistry",
        "maxStallSeconds",
        "maxTotalSeconds",
        "minIntervalSeconds",
        "sweepSeconds",
    )
    given = environment(
        *(f"--set=operator.settings.{name}=7" for name in limits),
        "--set=operator.archives.persistentVolumeClaim.claimName=bundles",
    )
    known = {f"CYROID_{name.upper()}" for name in Settings.model_fields}
    assert len(given) == 14
    assert given.keys() <= known
    Settings.model_validate(
        {name.removeprefix("CYROID_").lower(): value for name, value in given.items() if value}
    )


def test_archives_are_mounted_read_only_where_the_operator_looks_for_them() -> None:
    arguments = "--set=operator.archives.persistentVolumeClaim.claimName=bundles"
    pod = one(manifests(DEFAULT, arguments), "Deployment", "cyroid-operator")["spec"]["template"]
    volume = next(it for it in pod["spec"]["volumes"] if it["name"] == "archives")
    assert volume["persistentVolumeClaim"] == {"claimName": "bundles"}
    mounts = pod["spec"]["containers"][0]["volumeMounts"]
    mount = next(it for it in mounts if it["name"] == "archives")
    assert mount["readOnly"] is True
    assert environment(arguments)["CYROID_ARCHIVES"] == mount["mountPath"]
    assert "CYROID_ARCHIVES" not in environment()


@pytest.mark.parametrize("values", CASES, ids=lambda path: path.stem)
def test_each_selector_finds_the_pods_of_its_own_workload(values: object) -> None:
    found = manifests(values)  # type: ignore[arg-type]
    for it in found:
        if it["kind"] == "Service":
            workload = one(found, "Deployment", it["metadata"]["name"])
            labels = workload["spec"]["template"]["metadata"]["labels"]
            assert it["spec"]["selector"].items() <= labels.items()
