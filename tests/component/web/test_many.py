"""A large installation: 500 ranges on the real API, 2,000 tags on a real registry."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.component.api.world import ApiWorld
from tests.component.web.test_real_api import opened
from tests.parts import objects
from tests.parts.apiserver import wait_for
from tests.parts.people_api import condition, put_status

RANGES = 500
REPOSITORIES, TAGS = 40, 50
SINCE_REQUEST = "performance.now()"
"""Milliseconds since the browser was told to open this address."""


def many_ranges(world: ApiWorld) -> None:
    def one(number: int) -> None:
        name = f"range-{number:03}"
        body = objects.range_images(name, world.name, imageCacheRef={"name": world.name})
        objects.create(world.apiserver, body)
        is_ready = number % 10 != 0
        counts = {"desired": 1, "present": int(is_ready)}
        ready = condition("Ready", str(is_ready), "AllImagesPresent" if is_ready else "Pulling")
        put_status(
            world.apiserver, world.range_path(name), {"conditions": [ready], "images": counts}
        )

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(one, range(RANGES)))


def many_tags(world: ApiWorld) -> None:
    """One manifest under many names: what a list costs does not depend on what it names."""
    names = [f"docker.io/{world.name}/image-{number:02}" for number in range(REPOSITORIES)]
    with httpx.Client(base_url=f"http://{world.registry.push_host}", trust_env=False) as client:
        for name in names:
            world.registry.push_image(name, "v00")
            kinds = "application/vnd.oci.image.manifest.v1+json"
            got = client.get(f"/v2/{name}/manifests/v00", headers={"accept": kinds})
            kind = {"content-type": got.headers["content-type"]}
            for number in range(1, TAGS):
                path = f"/v2/{name}/manifests/v{number:02}"
                client.put(path, content=got.content, headers=kind).raise_for_status()


@pytest.mark.slow
def test_many_ranges_and_tags_are_paged_and_soon_there(chromium: Browser, world: ApiWorld) -> None:
    world.cache()
    many_ranges(world)
    many_tags(world)

    def all_known() -> bool:
        answer: Any = world.get(f"/ranges?namespace={world.name}&limit=1")
        return bool(answer["total"] == RANGES)

    wait_for(all_known, "all ranges to be known", 60)
    with opened(chromium, world, "admin") as page:
        total = page.get_by_text(f"1 to 50 of {REPOSITORIES * TAGS:,} tags")
        page.get_by_label("Filter").fill(f"{world.name}/")
        expect(total).to_be_visible()
        took: dict[str, float] = {}
        for path, there in {
            "/registry": "1 to 50 of",
            "/ranges": f"450 of {RANGES} ranges ready",
        }.items():
            page.goto(path)
            expect(page.get_by_text(there).first).to_be_visible()
            took[path] = page.evaluate(SINCE_REQUEST)
        print(f"usable after (ms): {took}")
        expect(page.locator("tbody tr")).to_have_count(60)
        expect(page.locator("tbody tr").first).to_contain_text("Pulling")
        page.get_by_role("button", name="Next").click()
        expect(page.get_by_text(f"61 to 120 of {RANGES} ranges")).to_be_visible()
        expect(page.locator("tbody tr").first).to_contain_text("Ready")
        name = page.locator("tbody tr").first.get_by_role("link").inner_text()
        worse = condition("Ready", "False", "ImageNotFound", "no source has it")
        put_status(world.apiserver, world.range_path(name), {"conditions": [worse]})
        expect(page.get_by_text(f"449 of {RANGES} ranges ready")).to_be_visible()
    world.apiserver.call("DELETE", f"{objects.API}/namespaces/{world.name}/rangeimages")
