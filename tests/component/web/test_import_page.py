"""The Import view: a file is chosen or dropped, sent, and what came of it is listed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from tests.component.web.conftest import StandIn
from tests.parts.page_api import Query, Refusal

ANSWER: dict[str, Any] = {
    "name": "bundles/lab-1a2b3c4d.zip",
    "size_bytes": 300_000,
    "loaded": ["cyroid/kali:1", "cyroid/dc:2"],
    "skipped": [{"image": "evil/miner:1", "why": "its list does not name it"}],
    "failed": [{"image": "cyroid/web:3", "why": "a layer is missing"}],
    "pushed": ["cyroid/kali:1"],
    "details": [{"image": "cyroid/kali:1", "platform": "linux/amd64", "size_bytes": 250_000}],
    "blueprint": {
        "name": "Lab",
        "version": "4.0",
        "machines": 3,
        "images": [
            {
                "image": "cyroid/kali:1",
                "machines": 2,
                "where": "in the bundle",
                "size_bytes": 250_000,
                "message": None,
            }
        ],
        "refused": [{"machine": "fw", "wanted": "iso:pfsense", "why": "an ISO is no image"}],
        "warnings": [],
    },
    "message": None,
}


def choose(page: Page, tmp_path: Path, size: int = 300_000) -> Path:
    file = tmp_path / "lab.zip"
    file.write_bytes(b"x" * size)
    page.goto("/import")
    page.get_by_label("Bundle").set_input_files(file)
    expect(page.get_by_text(f"lab.zip, {size // 1000} kB", exact=True)).to_be_visible()
    return file


def test_a_bundle_is_sent_as_it_is_and_listed(stand_in: StandIn, tmp_path: Path) -> None:
    sent: list[tuple[Query, bytes]] = []

    def take(query: Query, body: bytes) -> dict[str, Any]:
        sent.append((query, body))
        return ANSWER

    stand_in.api.answers["POST bundles"] = take
    with stand_in.open() as page:
        file = choose(page, tmp_path)
        page.get_by_label("Push its images to the registry now").check()
        page.get_by_role("button", name="Import").click()
        expect(page.get_by_text("2 images loaded, 1 skipped, 1 failed.")).to_be_visible()
        table = page.get_by_role("region", name="Images of the bundle")
        expect(table.get_by_role("row", name="cyroid/kali:1")).to_contain_text("is pushed now")
        expect(table.get_by_role("row", name="cyroid/dc:2")).to_contain_text("when a range asks")
        expect(table.get_by_role("row", name="evil/miner:1")).to_contain_text("skipped")
        expect(table.get_by_role("row", name="cyroid/web:3")).to_contain_text("a layer is missing")
        expect(page.get_by_text("fw (iso:pfsense): an ISO is no image")).to_be_visible()
    assert sent == [
        ({"cache": "default", "push": "true", "name": "lab.zip"}, file.read_bytes()),
    ]


def test_a_refused_bundle_says_why(stand_in: StandIn, tmp_path: Path) -> None:
    stand_in.api.answers["POST bundles"] = Refusal(413, "it has more than 20 GB")
    with stand_in.open() as page:
        choose(page, tmp_path)
        page.get_by_role("button", name="Import").click()
        expect(page.get_by_text("It has more than 20 GB.")).to_be_visible()
        expect(page.get_by_role("button", name="Stop")).not_to_be_visible()


def test_nothing_is_sent_before_a_file_is_chosen(stand_in: StandIn) -> None:
    with stand_in.open() as page:
        page.goto("/import")
        page.get_by_role("button", name="Import").click()
        expect(page.get_by_text("Choose a bundle first.")).to_be_visible()
    assert not [each for each in stand_in.api.asked if each[0].startswith("POST")]


def test_a_file_can_be_dropped(stand_in: StandIn) -> None:
    stand_in.api.answers["POST bundles"] = ANSWER
    with stand_in.open() as page:
        page.goto("/import")
        page.get_by_label("Bundle").wait_for()
        page.evaluate("""() => {
            const data = new DataTransfer();
            data.items.add(new File(["abc"], "dropped.tar.gz"));
            const drop = (name) => document.querySelector(".drop")
                .dispatchEvent(new DragEvent(name, {dataTransfer: data, bubbles: true}));
            drop("dragover");
            drop("drop");
        }""")
        expect(page.get_by_text("dropped.tar.gz, 3 bytes", exact=True)).to_be_visible()
        page.get_by_role("button", name="Import").click()
        expect(page.get_by_text("2 images loaded")).to_be_visible()
