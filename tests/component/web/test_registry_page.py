"""The Registry view: push one and all, the offer after a build, tags, deletion, collection."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import expect

from tests.component.web.conftest import StandIn
from tests.parts import page_answers
from tests.parts.page_api import Query, Refusal


def started(_query: Query, body: dict[str, str]) -> dict[str, str]:
    """As the API answers a push; the operation is named after the image, spelt out."""
    name = body["image_tag"]
    return {
        "operation_id": f"op-{name}",
        "image_tag": f"docker.io/{name}",
        "message": "Push started",
    }


def push_of(name: str, status: str, **more: Any) -> dict[str, Any]:
    return page_answers.pushing(
        operation_id=f"op-{name}", image_tag=f"docker.io/{name}", status=status, **more
    )


def test_one_image_is_pushed_and_followed(stand_in: StandIn) -> None:
    stand_in.api.answers["POST registry/push"] = started
    with stand_in.open() as page:
        page.get_by_label("Image of a source").select_option("cyroid/ids-sensor:latest")
        page.get_by_role("button", name="Push to registry").click()
        expect(
            page.get_by_text("docker.io/cyroid/ids-sensor:latest: Push started.")
        ).to_be_visible()
        row = page.get_by_role("listitem").filter(has_text="docker.io/cyroid/ids-sensor")
        now = push_of("cyroid/ids-sensor:latest", "pushing")
        stand_in.api.emit("registry/events", "pushes", [now])
        expect(row).to_contain_text("212 of 450 MB, 48.0 MB/s")
        expect(row.get_by_role("progressbar")).to_have_attribute("value", "212000000")
        failed = {**now, "status": "failed", "reason": "NoSpace", "error_message": "disk full"}
        stand_in.api.emit("registry/events", "pushes", [failed])
        expect(row).to_contain_text("NoSpace: Disk full.")
    asked = [each for each in stand_in.api.asked if each[0] == "POST registry/push"]
    assert asked == [
        (
            "POST registry/push",
            {"cache": "default"},
            {"image_tag": "cyroid/ids-sensor:latest"},
        )
    ]


def test_all_missing_are_pushed_and_counted(stand_in: StandIn) -> None:
    names = [row["image"] for row in page_answers.unpushed()]
    stand_in.api.answers["POST registry/push"] = started
    stand_in.api.answers["GET registry/pushes/active"] = {
        "pushes": [push_of(name, "starting", total_bytes=None) for name in names]
    }
    with stand_in.open() as page:
        page.get_by_role("button", name="Push all missing").click()
        expect(page.get_by_text("0 of 3 in the registry", exact=True)).to_be_visible()
        stand_in.api.emit(
            "registry/events",
            "pushes",
            [
                push_of(names[0], "completed"),
                push_of(names[1], "failed", reason="SourceUnavailable"),
                push_of(names[2], "pushing"),
            ],
        )
        expect(page.get_by_text("1 of 3 in the registry, 1 failed", exact=True)).to_be_visible()


def test_a_push_that_is_refused_says_why(stand_in: StandIn) -> None:
    stand_in.api.answers["POST registry/push"] = Refusal(503, "the registry is not healthy")
    with stand_in.open() as page:
        page.get_by_role("button", name="Push to registry").click()
        expect(page.get_by_text("The registry is not healthy.")).to_be_visible()


def test_a_build_is_offered_once_per_person(stand_in: StandIn) -> None:
    stand_in.api.answers["POST registry/push"] = started
    old = [row for row in page_answers.unpushed() if row["image"] == "cyroid/mail-relay:0.9"]
    stand_in.api.answers["GET registry/unpushed"] = old
    with stand_in.open() as page:
        offer = page.get_by_role("region", name="Image built")
        expect(page.get_by_text("1 image of sources is not in the registry.")).to_be_visible()
        expect(offer).not_to_be_visible()  # it was built two days ago
        stand_in.api.answers["GET registry/unpushed"] = page_answers.unpushed()
        stand_in.api.emit("registry/events", "unpushed", page_answers.unpushed())
        expect(offer).to_contain_text("cyroid/kali-attack:2026.11 was built in builder 3 min ago")
        offer.get_by_role("button", name="Dismiss").click()
        expect(offer).to_contain_text("cyroid/ids-sensor:latest")
        offer.get_by_role("button", name="Push", exact=True).click()
        expect(offer).not_to_be_visible()
        page.reload()
        expect(page.get_by_text("3 images of sources are not in the registry.")).to_be_visible()
        expect(offer).not_to_be_visible()
        # the same name with other content is another build
        again = [{**page_answers.unpushed()[0], "id": page_answers.digest(99)}]
        stand_in.api.emit("registry/events", "unpushed", again)
        expect(offer).to_contain_text("cyroid/kali-attack:2026.11")


def test_deletion_asks_with_the_names_of_ranges_and_tells_a_refusal(stand_in: StandIn) -> None:
    path = "DELETE registry/images/cyroid/samba-dc:latest"
    stand_in.api.answers[path] = Refusal(409, "cyroid/samba-dc:latest is wanted by spring/range-01")
    with stand_in.open() as page:
        page.get_by_role("button", name="Delete cyroid/samba-dc:latest").click()
        dialog = page.get_by_role("dialog", name="Delete cyroid/samba-dc:latest?")
        expect(dialog).to_contain_text("7 ranges want it:")
        expect(dialog).to_contain_text("spring/range-07")
        dialog.get_by_role("button", name="Ask to delete").click()
        expect(dialog.get_by_role("alert")).to_contain_text("is wanted by spring/range-01")
        dialog.get_by_role("button", name="Cancel").click()
        expect(dialog).to_have_count(0)
        page.get_by_role("button", name="Delete cyroid/kali-attack:latest").click()
        dialog = page.get_by_role("dialog", name="Delete cyroid/kali-attack:latest?")
        expect(dialog).to_contain_text("No range wants it.")
        dialog.get_by_role("button", name="Cancel").click()
    assert [each[0] for each in stand_in.api.asked if each[0].startswith("DELETE")] == [path]


def test_tags_are_filtered_and_paged(stand_in: StandIn) -> None:
    page_answers.alive(stand_in.api, tags=2000)
    with stand_in.open() as page:
        expect(page.get_by_text("1 to 50 of 2,000 tags")).to_be_visible()
        page.get_by_role("button", name="Next").click()
        expect(page.get_by_text("51 to 100 of 2,000 tags")).to_be_visible()
        expect(page.get_by_role("cell", name="cyroid/image-012", exact=True).first).to_be_visible()
        page.get_by_label("Filter").fill("image-499")
        expect(page.get_by_text("1 to 4 of 4 tags")).to_be_visible()
        page.get_by_label("Filter").fill("no such image")
        expect(page.get_by_text("No tag is like this.")).to_be_visible()
        page.get_by_label("Filter").fill("")
        page.get_by_label("Unused only").check()
        expect(page.get_by_text("of 667 tags")).to_be_visible()


def test_collection_is_asked_for_and_told(stand_in: StandIn) -> None:
    api, last = stand_in.api, stand_in.api.answers["GET registry/gc"]

    def collect(_query: Query, body: dict[str, bool]) -> dict[str, Any]:
        api.answers["GET registry/gc"] = {
            **last,
            "requested": "dry-run/2",
            "dry_run": body["dry_run"],
            "freed_bytes": 400_000_000,
        }
        return {"success": True, "message": "default: a dry run was asked for"}

    api.answers["POST registry/gc"] = collect
    with stand_in.open() as page:
        expect(page.get_by_text("The last collection freed 1.80 GB in 41 blobs")).to_be_visible()
        page.get_by_role("button", name="Dry run").click()
        expect(page.get_by_text("A collection would free 400 MB in 41 blobs")).to_be_visible()
        page.get_by_role("button", name="Collect", exact=True).click()
        dialog = page.get_by_role("dialog", name="Collect now?")
        dialog.get_by_role("button", name="Collect").click()
        expect(page.get_by_text("The last collection freed 400 MB")).to_be_visible()
    asked = [each[2] for each in api.asked if each[0] == "POST registry/gc"]
    assert asked == [{"dry_run": True}, {"dry_run": False}]
