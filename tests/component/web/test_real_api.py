"""The page on the real API, API server and registry, as people of each role see it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.component.api.world import ApiWorld
from tests.parts.apiserver import ApiServerPart
from tests.parts.browser import new_page
from tests.parts.people_api import People, PeopleApiPart, condition, put_status, running_people_api
from tests.parts.registry import RegistryPart

ID = "sha256:" + "a" * 64


@contextmanager
def opened(
    chromium: Browser, world: ApiWorld, role: str, path: str = "/registry"
) -> Iterator[Page]:
    """The page of somebody of this role, who looks at the cache of this world."""
    with new_page(chromium, world.api.url) as page:
        page.add_init_script(f"localStorage.setItem('cyroid.cache', '{world.name}')")
        page.goto(path)
        page.get_by_label("Token").fill(world.people[role])
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("navigation").wait_for()
        yield page


def at_source(world: ApiWorld, name: str) -> dict[str, Any]:
    return {
        "image": f"{world.name}/{name}",
        "source": "builder",
        "id": ID,
        "sizeBytes": 452_000_000,
        "created": "2026-11-01T10:00:00Z",
        "inRegistry": False,
    }


def cached(world: ApiWorld, name: str) -> dict[str, Any]:
    repository = f"docker.io/{world.name}/{name.partition(':')[0]}"
    return {
        "image": f"{world.name}/{name}",
        "repository": repository,
        "digest": ID,
        "sizeBytes": 5,
    }


def test_an_engineer_pushes_one_image_and_sees_it_arrive(
    chromium: Browser, world: ApiWorld
) -> None:
    world.cache()
    world.says(sourceImages=[at_source(world, "kali:1"), at_source(world, "dc:1")])
    with opened(chromium, world, "engineer") as page:
        expect(page.get_by_text("Healthy", exact=True)).to_be_visible()
        expect(page.locator(".live")).to_have_text("Live")
        page.get_by_label("Image of a source").select_option(f"{world.name}/kali:1")
        page.get_by_role("button", name="Push to registry").click()
        expect(page.get_by_text(f"{world.name}/kali:1: Push started.")).to_be_visible()
        row = page.get_by_role("list", name="Pushes").get_by_role("listitem")
        expect(row).to_contain_text("starting")
        moving = {"image": f"{world.name}/kali:1", "route": "Registry", "doneBytes": 212_000_000}
        world.says(transfers=[{**moving, "totalBytes": 450_000_000, "bytesPerSecond": 48_000_000}])
        expect(row).to_contain_text("212 of 450 MB, 48.0 MB/s")
        world.registry.push_image(f"docker.io/{world.name}/kali", "1")
        world.says(
            transfers=[],
            imageStatuses=[cached(world, "kali:1")],
            sourceImages=[at_source(world, "dc:1")],
        )
        expect(row).to_have_count(0)
        expect(page.get_by_text("1 image of sources is not in the registry.")).to_be_visible()
        page.get_by_label("Filter").fill(world.name)
        expect(page.get_by_role("cell", name=f"{world.name}/kali", exact=True)).to_be_visible()
    assert [row["image"] for row in world.spec()["images"]] == [f"{world.name}/kali:1"]


def test_all_missing_are_pushed(chromium: Browser, world: ApiWorld) -> None:
    world.cache()
    names = [f"lab-{number}:1" for number in range(3)]
    world.says(sourceImages=[at_source(world, name) for name in names])
    with opened(chromium, world, "engineer") as page:
        page.get_by_role("button", name="Push all missing").click()
        expect(page.get_by_text("0 of 3 in the registry", exact=True)).to_be_visible()
        world.says(imageStatuses=[cached(world, name) for name in names[:2]])
        expect(page.get_by_text("2 of 3 in the registry", exact=True)).to_be_visible()
        world.says(imageStatuses=[cached(world, name) for name in names])
        expect(page.get_by_text("3 of 3 in the registry", exact=True)).to_be_visible()
    assert len(world.spec()["images"]) == 3


def test_an_admin_deletes_what_no_range_wants(chromium: Browser, world: ApiWorld) -> None:
    for name in ("wanted", "free"):
        world.registry.push_image(f"docker.io/{world.name}/{name}", "1")
    free = f"{world.name}/free:1"
    world.cache(images=[{"image": free}])
    world.ranges("range-01", f"{world.name}/wanted:1")
    with opened(chromium, world, "admin") as page:
        page.get_by_label("Filter").fill(f"{world.name}/")
        page.get_by_role("button", name=f"Delete {world.name}/wanted:1").click()
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("1 range wants it:")
        expect(dialog).to_contain_text(f"{world.name}/range-01")
        dialog.get_by_role("button", name="Ask to delete").click()
        expect(dialog.get_by_role("alert")).to_contain_text("take it off their spec.images first")
        page.keyboard.press("Escape")
        page.get_by_role("button", name=f"Delete {free}").click()
        expect(dialog).to_contain_text("No range wants it.")
        dialog.get_by_role("button", name="Delete", exact=True).click()
        world.until(lambda: "removedImages" in world.spec())
        world.says(removedImages=[{"image": free, "isRemoved": True}])  # as the operator would
        expect(page.get_by_text(f"Removed {free}.")).to_be_visible()
    assert world.spec().get("images") is None
    assert world.spec()["removedImages"] == [{"image": free}]


def test_an_evaluator_looks_and_no_more(chromium: Browser, world: ApiWorld) -> None:
    world.registry.push_image(f"docker.io/{world.name}/kali", "1")
    world.cache()
    world.says(sourceImages=[at_source(world, "dc:1")])
    with opened(chromium, world, "evaluator") as page:
        expect(page.get_by_text("1 image of sources is not in the registry.")).to_be_visible()
        page.get_by_label("Filter").fill(f"{world.name}/")
        expect(page.get_by_role("cell", name=f"{world.name}/kali", exact=True)).to_be_visible()
        for name in ("Push to registry", "Push all missing", "Collect", "Dry run", "Delete"):
            expect(page.get_by_role("button", name=name)).to_have_count(0)


def test_somebody_without_a_role_is_told_so(chromium: Browser, world: ApiWorld) -> None:
    world.cache()
    with opened(chromium, world, "none") as page:
        expect(page.get_by_role("heading", name="You may not read this")).to_be_visible()


def test_ranges_are_followed_as_they_change(chromium: Browser, world: ApiWorld) -> None:
    world.cache()
    world.ranges("range-01", "nginx:1", event=world.name)
    missing = {"image": "nginx:1", "reason": "ImageNotFound", "message": "no source has it"}
    world.ranges(
        "range-02",
        "nginx:1",
        event=world.name,
        images={"desired": 1, "failed": 1},
        missing=[{**missing, "pods": 1, "firstPod": "dind-0"}],
        conditions=[condition("Ready", "False", "ImageNotFound", "no source has it")],
    )
    with opened(chromium, world, "engineer", f"/events/{world.name}") as page:
        expect(page.get_by_text("1 of 2 ranges ready", exact=True)).to_be_visible()
        expect(page).to_have_title(f"(1/2) Event {world.name} · cyroid-images")
        worst = page.locator(".tile").first
        expect(worst).to_contain_text("range-02")
        expect(worst).to_contain_text("ImageNotFound")
        worst.get_by_role("link").click()
        expect(page.get_by_role("row", name="nginx:1")).to_contain_text("no source has it")
        page.get_by_role("button", name="Suspend").click()
        expect(page.get_by_text("nothing is transferred any more")).to_be_visible()
        expect(page.get_by_role("button", name="Resume")).to_be_visible()
        assert world.apiserver.call("GET", world.range_path("range-02"))["spec"]["suspend"] is True
        page.get_by_role("button", name="Resume").click()
        expect(page.get_by_role("button", name="Suspend")).to_be_visible()
        page.get_by_text("YAML", exact=True).click()
        expect(page.locator("pre")).to_contain_text("kind: RangeImages")
        page.go_back()
        expect(page.get_by_text("1 of 2 ranges ready", exact=True)).to_be_visible()
        whole = condition("Ready", "True", "AllImagesPresent", generation=3)
        put_status(
            world.apiserver,
            world.range_path("range-02"),
            {"images": {"desired": 1, "present": 1, "failed": 0}, "conditions": [whole]},
        )
        began = time.monotonic()
        expect(page.get_by_text("2 of 2 ranges ready", exact=True)).to_be_visible()
        print(f"a change is seen after {time.monotonic() - began:.2f} s")


@pytest.fixture
def own_api(account: Path) -> Iterator[PeopleApiPart]:
    with running_people_api(account) as part:
        yield part


def test_a_page_left_open_over_a_restart_of_the_api_goes_on(
    chromium: Browser,
    apiserver: ApiServerPart,
    own_api: PeopleApiPart,
    accounts: People,
    registry: RegistryPart,
) -> None:
    world = ApiWorld("web-restart", apiserver, own_api, accounts, registry)
    apiserver.put_namespace(world.name)
    world.cache()
    with opened(chromium, world, "admin") as page:
        expect(page.locator(".live")).to_have_text("Live")
        own_api.kill()
        expect(page.locator(".live")).to_contain_text("Reconnecting since")
        page.locator(".card").first.get_by_role("button").click()
        expect(page.locator(".card").first).to_contain_text("Unknown")
        own_api.start()
        expect(page.locator(".live")).to_have_text("Live", timeout=60_000)
        expect(page.locator(".card").first).to_contain_text("Healthy")
        world.says(sourceImages=[at_source(world, "new:1")])
        expect(page.get_by_text("1 image of sources is not in the registry.")).to_be_visible()
    world.remove_all()
