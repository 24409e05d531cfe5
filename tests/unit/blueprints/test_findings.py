"""Where each image of a blueprint is, as a cache's status says; unknown is never missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cyroid_images.archive.window import opened
from cyroid_images.blueprints.checking import BundleContents, looked_into
from cyroid_images.blueprints.findings import report_of
from cyroid_images.blueprints.reading import blueprint_of
from cyroid_images.model.kinds.image_cache import ImageCache
from cyroid_images.overview.blueprints import BlueprintImageRow, Whereabouts
from cyroid_images.scheduling.cancel_scope import NEVER
from tests.parts.archives import KALI, layer, old_tar
from tests.parts.catalog import bundle_members, zip_bundle
from tests.unit.model.names_table import SHA256

BUILDER = {"name": "builder", "engine": {"endpoint": "tcp://b:2375", "insecure": True}}
HUB = {"name": "hub", "upstream": {"hosts": ["docker.io"]}}


def cache(sources: list[dict[str, Any]], **status: Any) -> ImageCache:
    registry = {"pushURL": "https://r.example:5001", "pullHost": "r.example:5000"}
    metadata = {
        "name": "default",
        "uid": "u",
        "generation": 1,
        "resourceVersion": "1",
        "creationTimestamp": "2026-01-01T00:00:00Z",
    }
    spec = {"registry": registry, "sources": sources, "aliases": ["127.0.0.1:5000"]}
    return ImageCache.parse({"metadata": metadata, "spec": spec, "status": status})


def bundle(root: Path) -> BundleContents:
    path = root / "lab.zip"
    path.write_bytes(zip_bundle(bundle_members(None, {KALI: old_tar(KALI)})))
    with opened(path, "lab.zip", NEVER) as window:
        return looked_into(window)


def where(
    image: str, of: ImageCache | None, brought: BundleContents | None = None
) -> BlueprintImageRow:
    machine = {"hostname": "a", "base_image_tag": image, "arch": "x86_64"}
    report = report_of(blueprint_of({"vms": [machine]}, "lab"), brought, of)
    (row,) = report.images
    return row


def test_an_image_is_where_the_status_says_it_is(tmp_path: Path) -> None:
    there = {"image": "localhost:5000/a/b:1", "digest": SHA256, "sizeBytes": 7}
    lacking = {"image": "gone:1", "reason": "ImageNotFound", "message": "no source has gone:1"}
    held = {"image": "built:1", "source": "builder", "id": SHA256, "sizeBytes": 9}
    asked = cache([BUILDER], imageStatuses=[there, lacking], sourceImages=[held])
    brought = bundle(tmp_path)
    rows = {
        name: where(name, asked, brought)
        for name in ("localhost:5000/a/b:1", KALI, "built:1", "gone:1", "never:1")
    }
    assert [(row.where, row.size_bytes) for row in rows.values()] == [
        (Whereabouts.REGISTRY, 7),
        (Whereabouts.BUNDLE, len(layer("a"))),
        (Whereabouts.SOURCE, 9),
        (Whereabouts.MISSING, None),
        (Whereabouts.UNKNOWN, None),
    ]
    assert rows["built:1"].message == "builder has it"
    assert "no source has gone:1" in str(rows["gone:1"].message)
    assert "nobody has asked" in str(rows["never:1"].message)
    assert rows[KALI].platform == "linux/amd64"


def test_an_alias_of_the_registry_is_the_same_image() -> None:
    status = {"image": KALI, "digest": SHA256}
    assert where(KALI, cache([], imageStatuses=[status])).where is Whereabouts.REGISTRY


def test_an_upstream_is_asked_once_somebody_wants_the_image() -> None:
    row = where("alpine:latest", cache([BUILDER, HUB]))
    assert (row.where, row.message) == (
        Whereabouts.SOURCE,
        "hub is asked for it when somebody wants it",
    )
    assert where("lscr.io/x/y:1", cache([HUB])).where is Whereabouts.UNKNOWN


def test_without_a_cluster_nothing_is_missing() -> None:
    row = where(KALI, None)
    assert (row.where, row.message) == (Whereabouts.UNKNOWN, "the cluster was not asked")


def test_the_report_has_what_was_refused_and_what_is_odd() -> None:
    machines = [{"hostname": "fw", "base_image_tag": "iso:https://x"}, {"template_name": "a:1"}]
    report = report_of(blueprint_of({"name": "lab", "version": 2, "vms": machines}, "lab"))
    assert [(row.machine, row.wanted) for row in report.refused] == [("fw", "iso:https://x")]
    assert "template_name" in report.warnings[0]
    assert (report.name, report.version, report.machines) == ("lab", "2", 2)
