"""Every sample is taken by a real API server, and the blueprint's images are all there."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.parts.apiserver import ApiServerPart

pytestmark = pytest.mark.slow

SAMPLES = Path(__file__).parents[3] / "manifests" / "samples"
FILES = sorted(SAMPLES.glob("*.yaml"))


@pytest.fixture(scope="module")
def with_kinds(apiserver: ApiServerPart) -> ApiServerPart:
    """The API server, serving both kinds and with the namespace of the samples."""
    apiserver.install_crds()
    apiserver.apply((SAMPLES / "namespace.yaml").read_text())
    return apiserver


@pytest.mark.parametrize("sample", FILES, ids=lambda path: path.stem)
def test_the_api_server_takes_the_sample(with_kinds: ApiServerPart, sample: Path) -> None:
    done = with_kinds.kubectl("apply", "--dry-run=server", "--validate=strict", "-f", str(sample))
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr


def test_the_sample_range_lists_the_images_of_its_blueprint() -> None:
    names = {
        it["image"]
        for it in yaml.safe_load((SAMPLES / "range-images.yaml").read_text())["spec"]["images"]
    }
    wanted = ("kali-attack", "redteam-lab-wordpress", "redteam-lab-fileserver")
    assert names == {
        f"127.0.0.1:5000/cyroid/{name}:latest"
        for name in (*wanted, "redteam-lab-workstation", "samba-dc")
    }


def test_the_sample_pod_is_a_target_of_the_sample_range() -> None:
    spec = yaml.safe_load((SAMPLES / "range-images.yaml").read_text())["spec"]
    _, pod = yaml.safe_load_all((SAMPLES / "range-pod.yaml").read_text())
    assert spec["targets"]["selector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()
    assert pod["metadata"]["labels"]["cyroid.io/component"] == "dind"
    ports = [it["containerPort"] for it in pod["spec"]["containers"][0]["ports"]]
    assert spec["targets"]["docker"]["port"] in ports
