"""From a bundle to a range: a blueprint is uploaded, converted and delivered; no engine, no net."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from cyroid_images.blueprints.conversion import ConversionOptions, as_yaml, documents
from cyroid_images.blueprints.opening import open_blueprint
from cyroid_images.client import Client
from tests.parts.apiserver import ApiServerPart, wait_for
from tests.parts.catalog import TRAINING_V2, bundle_members, zip_bundle
from tests.parts.engines import EnginePart
from tests.parts.people_api import (
    People,
    PeopleApiPart,
    api_account,
    people,
    running_people_api,
)
from tests.parts.registry import RegistryPart
from tests.parts.save_tars import noise, saved_image
from tests.parts.site import Site, condition, holds

pytestmark = pytest.mark.slow

INTRUDER = "alpine:3.19"
"""What a tar of the bundle brings as well, and its list does not name."""


@pytest.fixture(scope="module")
def api(apiserver: ApiServerPart) -> Iterator[PeopleApiPart]:
    """The REST API beside the operator."""
    apiserver.install_crds()
    with running_people_api(api_account(apiserver)) as part:
        yield part


@pytest.fixture(scope="module")
def accounts(apiserver: ApiServerPart) -> People:
    return people(apiserver)


def saved(name: str) -> bytes:
    return saved_image(name, ({"noise": noise(50_000, sum(name.encode()))},)).tar


def bundle() -> bytes:
    """The lab v2 as CYROID exports it: five images, and one that it does not list."""
    tars = {image: saved(image) for image in TRAINING_V2.images}
    members = bundle_members(TRAINING_V2.exported(), tars)
    members["images/more.tar"] = saved(INTRUDER)
    return zip_bundle(members)


Import = Callable[[Path], dict[str, Any]]


@pytest.fixture
def imported(api: PeopleApiPart, accounts: People, site: Site) -> Iterator[Import]:
    """Imports a bundle by the API, which mounts the volume of the operator: here one folder."""
    api.kill()
    api.settings = {"CYROID_ARCHIVES": str(site.operator.archives)}
    api.start()
    token = accounts["admin"]

    def knows() -> bool:
        rows = api.call("GET", "/api/v1/caches", token)
        return rows.status_code == 200 and any(row["name"] == site.name for row in rows.json())

    def upload(lab: Path) -> dict[str, Any]:
        wait_for(knows, "the API to know the cache", 20, api.log)
        with Client(api.url, token) as client, lab.open("rb") as file:
            chunks = iter(partial(file.read, 65536), b"")
            told = client.import_bundle(chunks, name=lab.name, push=True, cache=site.name)
        return told.model_dump()

    yield upload
    for path in (site.operator.archives / site.name).glob("*"):
        path.unlink()


def test_a_blueprint_is_delivered_from_its_bundle(
    site: Site,
    registry: RegistryPart,
    containerd_engine: EnginePart,
    imported: Import,
    tmp_path: Path,
) -> None:
    """The sources are looked at once an hour here: only the import makes the operator look."""
    bundles = {"name": "bundles", "archive": {"path": site.name}}
    aliases = ["127.0.0.1:5000"]
    site.cache(registry, sources=[bundles], aliases=aliases, refresh={"interval": "1h"})
    site.pod("lab", containerd_engine.address)
    lab = tmp_path / "lab.zip"
    lab.write_bytes(bundle())
    options = ConversionOptions(range_id="lab", name="lab", namespace=site.name, cache=site.name)
    text = as_yaml(documents(open_blueprint(lab).blueprint, options))
    _, ranges = yaml.safe_load_all(text)
    site.ranges("lab", containerd_engine.port, [each["image"] for each in ranges["spec"]["images"]])
    body = site.until("lab", Ready="False")
    assert body["status"]["summary"]["images"] == "0/5"
    told = imported(lab)
    assert list(told["loaded"]) == list(told["pushed"]) == sorted(TRAINING_V2.images)
    assert [each["image"] for each in told["skipped"]] == [INTRUDER]
    body = site.until("lab", Ready="True/AllImagesPresent", TarFallback="False/NotNeeded")
    assert body["status"]["summary"] == {"images": "5/5", "targets": "1/1"}
    assert holds(containerd_engine, *TRAINING_V2.images)
    cached = site.until_cache(Ready="True/AllImagesCached")
    assert cached["status"]["images"]["cached"] == 5
    assert cached["status"]["lastHandledReconcileAt"]  # of the API, after the upload
    site.edit("lab", images=[{"image": TRAINING_V2.images[0]}, {"image": INTRUDER}])
    body = site.until("lab", Ready="False/ImageNotFound")
    assert INTRUDER in condition(body, "Ready")["message"]
    assert not holds(containerd_engine, INTRUDER)
