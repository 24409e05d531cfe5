"""Images come from archives and from upstream registries as well as from engines."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import zipfile

import pytest

from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.reference import Reference
from tests.component.loop.conftest import UPSTREAM_SECRET, WRONG_SECRET
from tests.parts.apiserver import wait_for
from tests.parts.engines import EnginePart, NewEngine
from tests.parts.images import tiny_image
from tests.parts.registry import NewRegistry, RegistryPart
from tests.parts.save_tars import noise, saved_image, tar_of
from tests.parts.site import Site, condition, holds

pytestmark = pytest.mark.slow


def saved(name: str) -> bytes:
    """An image with layers of its own, as `docker save` writes it."""
    return saved_image(name, ({"noise": noise(50_000, sum(name.encode()))},)).tar


def without_names(tar: bytes) -> bytes:
    """The same tar, whose list gives the image no name: `docker save` of an ID."""
    members = {}
    with tarfile.open(fileobj=io.BytesIO(tar)) as read:
        for member in read:
            content = read.extractfile(member)
            members[member.name] = content.read() if content else b""
    (entry,) = json.loads(members["manifest.json"])
    members["manifest.json"] = json.dumps([{**entry, "RepoTags": None}]).encode()
    return tar_of(members)


@pytest.mark.row("S4")
def test_s7_an_air_gapped_site_is_filled_from_a_bundle_and_a_backup(
    site: Site, registry: RegistryPart, containerd_engine: EnginePart, old_engine: EnginePart
) -> None:
    """A damaged archive costs its own image only, and is named."""
    in_zip, in_backup, extra, damaged = (
        f"{site.name}.example/{name}:1" for name in ("zip", "backup", "extra", "damaged")
    )
    folder = site.operator.archives / site.name
    folder.mkdir()
    with zipfile.ZipFile(folder / "lab.zip", "w") as bundle:
        bundle.writestr("manifest.json", '{"version": "4.0"}')
        bundle.writestr("images/any_name_1.tar", saved(in_zip))
        bundle.writestr("images/other_1.tar", saved(extra))
    (folder / "backup.tar.gz").write_bytes(gzip.compress(saved(in_backup), 1))
    (folder / "damaged.tar").write_bytes(saved(damaged)[:20_000])
    site.cache(
        registry,
        sources=[{"name": "bundles", "archive": {"path": site.name}}],
        registry={"compression": "Gzip"},
    )
    site.serve("one", containerd_engine, [in_zip, in_backup])
    site.serve("two", old_engine, [in_zip, damaged])
    site.until("one", Ready="True/AllImagesPresent", TarFallback="False/NotNeeded")
    body = site.until("two", Ready="False/ArchiveInvalid", Stalled="True/ArchiveInvalid")
    told = condition(body, "Ready")["message"]
    assert damaged in told
    assert "damaged.tar" in told
    assert holds(containerd_engine, in_zip, in_backup)
    assert holds(old_engine, in_zip)
    assert not holds(containerd_engine, extra)  # P-X4: only what was asked for
    assert len(site.events("ImagePushed")) == 2


def test_an_archive_gives_the_tar_while_the_registry_is_away(
    site: Site, new_registry: NewRegistry, containerd_engine: EnginePart
) -> None:
    image = f"{site.name}.example/tool:1"
    (site.operator.archives / f"{site.name}.tar").write_bytes(saved(image))
    over = new_registry()
    site.cache(over, sources=[{"name": "bundles", "archive": {"path": f"{site.name}.tar"}}])
    over.stop()
    site.serve("dark", containerd_engine, [image])
    site.until("dark", Ready="True", TarFallback="True/RegistryUnreachable")
    assert holds(containerd_engine, image)


def put_upstream(upstream: RegistryPart, name: str, seed: int) -> Digest:
    """An image of a registry elsewhere; its manifest's digest."""
    image, where = tiny_image([{"noise": noise(60_000, seed)}]), Reference.parse(name)
    return upstream.push(where.path, where.tag or "latest", image).digest


def upstream_source(upstream: RegistryPart, secret: str) -> dict[str, object]:
    hosts = {"hosts": [upstream.push_host], "insecure": True, "secretRef": {"name": secret}}
    return {"name": "elsewhere", "upstream": hosts}


def test_s8_an_upstream_with_a_password_is_copied_as_it_is(
    site: Site, registry: RegistryPart, new_registry: NewRegistry, containerd_engine: EnginePart
) -> None:
    """The digest upstream is the digest in status; a wrong password causes no storm."""
    upstream = new_registry()
    image = f"{upstream.push_host}/{site.name}/tool:1"
    digest = put_upstream(upstream, image, sum(site.name.encode()))
    wrong = [upstream_source(upstream, WRONG_SECRET)]
    site.cache(registry, sources=wrong, images=[{"image": image}])
    site.serve("dind", containerd_engine, [image])
    site.until_cache(Ready="False/Unauthorized", Stalled="True/Unauthorized")
    site.until("dind", Ready="False/Unauthorized")
    assert len(site.events("ImagePushed")) == 0
    site.edit_cache(sources=[upstream_source(upstream, UPSTREAM_SECRET)])
    site.until("dind", Ready="True", TarFallback="False/NotNeeded")
    cached = site.until_cache(Ready="True")
    (row,) = cached["status"]["imageStatuses"]
    assert (row["digest"], row["source"]) == (str(digest), "elsewhere")
    assert holds(containerd_engine, image)
    moved = put_upstream(upstream, image, 1 + sum(site.name.encode()))
    assert moved != digest
    wait_for(lambda: bool(site.events("NewDigest")), "the tag that moved upstream to be seen", 30)
    site.until("dind", Ready="True", seconds=60)
    wait_for(
        lambda: (
            site.until_cache(Ready="True")["status"]["imageStatuses"][0]["digest"] == str(moved)
        ),
        "the new digest in status",
        30,
    )


def test_p_s8_an_untagged_and_a_twice_tagged_image_end_by_tar_under_the_wanted_name_alone(
    site: Site, registry: RegistryPart, new_engine: NewEngine
) -> None:
    """A backup set names what its tars do not; other names of an image stay behind."""
    untagged, wanted, other = (f"{site.name}.example/{name}:1" for name in ("un", "two", "twin"))
    folder = site.operator.archives / site.name
    folder.mkdir()
    (folder / "un.tar.gz").write_bytes(gzip.compress(without_names(saved(untagged)), 1))
    (folder / "manifest.txt").write_text(f"{untagged}|un.tar.gz\n")
    site.source.load(saved(wanted))
    site.source.docker("tag", wanted, other)
    engine = {"endpoint": site.source.endpoint.url, "insecure": True}
    bundles = {"name": "bundles", "archive": {"path": site.name}}
    site.cache(registry, sources=[{"name": "builder", "engine": engine}, bundles])
    target = new_engine()
    site.serve("dind", target, [untagged, wanted], delivery="TarOnly")
    site.until("dind", Ready="True", TarFallback="True/ForcedBySpec")
    listed = target.docker("images", "--all", "--format", "{{.Repository}}:{{.Tag}}")
    assert sorted(listed.split()) == sorted([untagged, wanted])
