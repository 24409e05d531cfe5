"""`kubectl cyroid blueprint` and `import`, as real processes on real parts."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.component.console.conftest import DIGEST, Town, cached
from tests.parts.apiserver import ApiServerPart, wait_for
from tests.parts.archives import KALI, old_tar
from tests.parts.catalog import ICS, TRAINING_V2, bundle_members, zip_bundle
from tests.parts.console import Console
from tests.parts.people_api import (
    People,
    PeopleApiPart,
    api_account,
    people,
    running_people_api,
)

pytestmark = pytest.mark.slow

SAMBA = "127.0.0.1:5000/cyroid/samba-dc:latest"


@pytest.fixture(scope="module")
def api(apiserver: ApiServerPart) -> Iterator[PeopleApiPart]:
    with running_people_api(api_account(apiserver)) as part:
        yield part


@pytest.fixture(scope="module")
def accounts(apiserver: ApiServerPart) -> People:
    return people(apiserver)


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    """A bundle of the lab v2 with two of its images, one more, and one that is cut."""
    tars = {KALI: old_tar(KALI, "extra:1"), "cut:1": old_tar("cut:1")[:5000]}
    path = tmp_path / "lab v2.zip"
    path.write_bytes(zip_bundle(bundle_members(TRAINING_V2.exported(), tars, [KALI, "cut:1"])))
    return path


def run(console: Console, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command that must succeed."""
    done = console.run(*arguments)
    assert done.returncode == 0, done
    assert "Traceback" not in done.stderr
    return done


def test_a_folder_of_the_catalog_becomes_yaml_that_is_applied(town: Town) -> None:
    held = {"image": SAMBA, "source": "builder", "id": DIGEST, "sizeBytes": 450_000_000}
    town.cache(
        {"imageStatuses": [cached(KALI)], "sourceImages": [held]}, aliases=["127.0.0.1:5000"]
    )
    folder = ICS.put(town.home)
    options = ("--event", "spring", "-n", town.name, "--range-id", "r01", "--cache", town.name)
    done = run(town.console, "blueprint", str(folder), *options)
    kinds = [each["kind"] for each in yaml.safe_load_all(done.stdout)]
    assert kinds == ["ImageCache", "RangeImages"]
    applied = town.api.kubectl(
        "apply", "--server-side", "--field-manager=lab", "-f", "-", stdin=done.stdout
    )
    assert applied.returncode == 0, applied.stderr
    stored = town.api.call("GET", town.path("ics-power-grid-defense-lab"))
    assert [each["image"] for each in stored["spec"]["images"]] == list(ICS.images)
    told = " ".join(done.stderr.split())
    assert "23 VMs, 10 images" in told
    assert f"{KALI} - 6 170 MB in the registry" in told
    assert f"{SAMBA} - 1 450 MB at a source builder has it" in told


def test_a_bundle_is_reported_without_a_cluster(town: Town, lab: Path) -> None:
    nobody = Console(None, town.home)
    done = run(nobody, "blueprint", str(lab), "-o", "report", "--offline")
    report = json.loads(done.stdout)
    where = {row["image"]: row["where"] for row in report["images"]}
    assert where[KALI] == "in the bundle"
    assert where[SAMBA] == "not asked"
    assert "the cluster was not asked" in run(nobody, "blueprint", str(lab)).stderr


def test_what_is_refused_is_told_and_the_rest_is_written(town: Town) -> None:
    vms = [
        {"hostname": "fw", "base_image_tag": "iso:https://example.org/pfSense.iso"},
        {"hostname": "web", "base_image_tag": "nginx"},
    ]
    path = town.home / "blueprint.yaml"
    path.write_text(yaml.safe_dump({"name": "Mixed", "vms": vms}))
    done = run(town.console, "blueprint", str(path), "--offline", "-l", "a=b", "-l", "c=d")
    (ranges,) = yaml.safe_load_all(done.stdout)
    assert ranges["spec"]["images"] == [{"image": "nginx:latest"}]
    assert ranges["spec"]["targets"]["selector"]["matchLabels"] == {"a": "b", "c": "d"}
    assert "refused fw: iso:https://example.org/pfSense.iso: an ISO is a disk" in done.stderr


@pytest.mark.parametrize(
    ("content", "why"), [(b"GIF89a", "neither JSON nor YAML|holds no fields"), (b"{}", "no VMs")]
)
def test_what_is_no_blueprint_is_one_line(town: Town, content: bytes, why: str) -> None:
    path = town.home / "x"
    path.write_bytes(content)
    line = town.console.complains("blueprint", str(path), "--offline")
    assert any(words in line for words in why.split("|"))


def imported(
    town: Town, api: PeopleApiPart, token: str, lab: Path, *options: str
) -> subprocess.CompletedProcess[str]:
    """The import into the cache of the town, once the API knows it."""

    def knows() -> bool:
        answer = api.call("GET", "/api/v1/caches", token)
        return answer.status_code == 200 and town.name in answer.text

    wait_for(knows, "the API to know the cache", 20, api.log)
    console = Console(town.api.kubeconfig, town.home, CYROID_TOKEN=token)
    return console.run("import", str(lab), "--api", api.url, "--cache", town.name, *options)


def listed(town: Town) -> list[str]:
    spec: dict[str, Any] = town.api.call("GET", town.cache_path)["spec"]
    return [each["image"] for each in spec.get("images", [])]


@pytest.mark.parametrize("push", [True, False])
def test_an_import_tells_by_name_what_was_loaded(
    town: Town, api: PeopleApiPart, accounts: People, lab: Path, push: bool
) -> None:
    town.cache(sources=[{"name": "bundles", "archive": {"path": "bundles"}}])
    done = imported(town, api, accounts["admin"], lab, "--push" if push else "--no-push")
    assert done.returncode == 1, done  # one image of the bundle failed
    lines = done.stdout.splitlines()
    assert lines[0].startswith(f"loaded {KALI} (10 KB{', push started' if push else ''})")
    assert lines[1].startswith("skipped extra:1: ")
    assert lines[2].startswith("failed cut:1: images/cut_1.tar: ")
    assert "1 image loaded, 1 skipped, 1 failed" in lines[3]
    assert lines[3].startswith("bundles/lab-v2-")
    assert listed(town) == ([KALI] if push else [])


def test_on_a_terminal_a_bar_says_how_far_it_is(
    town: Town, api: PeopleApiPart, accounts: People, lab: Path
) -> None:
    town.cache(sources=[{"name": "bundles", "archive": {"path": "bundles"}}])
    imported(town, api, accounts["admin"], lab)
    console = Console(town.api.kubeconfig, town.home, CYROID_TOKEN=accounts["admin"])
    arguments = ("import", str(lab), "--api", api.url, "--cache", town.name)
    with console.on_terminal(*arguments) as begun:
        begun.until("sending", "━━━━━━━━━━", f"loaded {KALI}", "1 failed")
        assert begun.end() == 1


def test_who_may_not_import_is_told(
    town: Town, api: PeopleApiPart, accounts: People, lab: Path
) -> None:
    town.cache(sources=[{"name": "bundles", "archive": {"path": "bundles"}}])
    done = imported(town, api, accounts["engineer"], lab)
    assert done.returncode == 1
    assert "delete imagecaches" in done.stderr
    assert accounts["engineer"] not in done.stderr + done.stdout


def test_an_import_needs_the_api_and_a_token(town: Town, lab: Path) -> None:
    assert "--api URL" in town.console.complains("import", str(lab), code=2)
    far = ("import", str(lab), "--api", "http://api.example:8080")
    assert "unencrypted" in town.console.complains(*far)
    near = ("import", str(lab), "--api", "http://127.0.0.1:1")
    assert "without a token" in town.console.complains(*near)  # the admin has a certificate
    console = Console(town.api.kubeconfig_for("somebody"), town.home)
    assert "no answer" in console.complains(*near)
    assert "cannot be read" in console.complains("import", "absent.zip", *near[2:])


def test_the_token_of_the_kubeconfig_signs_in(
    town: Town, api: PeopleApiPart, accounts: People, lab: Path
) -> None:
    town.cache(sources=[{"name": "bundles", "archive": {"path": "bundles"}}])
    verbs = ["get", "list", "patch", "delete"]
    admin = town.as_user("importer", ("cyroid.io", "imagecaches", verbs))
    imported(town, api, accounts["admin"], lab)  # waits until the API knows the cache
    options = ("--api", api.url, "--cache", town.name, "-o", "json")
    done = admin.run("import", str(lab), *options)
    assert json.loads(done.stdout)["loaded"] == [KALI]
