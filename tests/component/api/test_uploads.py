"""Bundles come to the archive volume by the real API: whole and checked, or nothing of them."""

from __future__ import annotations

import gzip
import hashlib
import json
import socket
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.component.api.world import ApiWorld
from tests.parts.apiserver import wait_for
from tests.parts.archives import KALI, config_of, layer, old_tar, saved_list
from tests.parts.catalog import FORMS, TRAINING_V2, bundle_members, zip_bundle
from tests.parts.people_api import PeopleApiPart, problem, running_people_api
from tests.parts.save_tars import noise, tar_of

SOURCE = {"name": "bundles", "archive": {"path": "bundles"}}
GOOD = bundle_members(TRAINING_V2.exported(), {KALI: old_tar(KALI)})
UPLOAD_SECONDS = 120.0
MIB = 1024 * 1024


@pytest.fixture
def importing(world: ApiWorld) -> ApiWorld:
    """A world whose cache has an archive source, on an empty volume."""
    for path in left(world.api):
        (world.api.archives / path).unlink()
    world.cache(sources=[SOURCE])
    return world


def left(api: PeopleApiPart) -> list[str]:
    """Every file of the volume."""
    root = api.archives
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def send(
    world: ApiWorld,
    content: Any,
    role: str = "admin",
    path: str = "/bundles",
    api: PeopleApiPart | None = None,
    **query: str,
) -> httpx.Response:
    """One upload, its body raw."""
    return httpx.post(
        f"{(api or world.api).url}/api/v1{path}",
        params={"cache": world.name, **query},
        content=content,
        headers={"authorization": f"Bearer {world.people[role]}"},
        timeout=UPLOAD_SECONDS,
        trust_env=False,
    )


def send_form(world: ApiWorld, content: bytes, path: str, name: str) -> httpx.Response:
    """One upload, as a browser and CYROID's clients send it."""
    return world.api.call(
        "POST",
        f"/api/v1{path}?cache={world.name}",
        world.people["admin"],
        files={"file": (name, content)},
        data={"note": "beside the file"},
    )


def annotation(world: ApiWorld) -> str | None:
    body = world.apiserver.call("GET", world.cache_path)
    found: str | None = (body["metadata"].get("annotations") or {}).get("cyroid.io/reconcile-at")
    return found


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("push", ["true", "false"])
def test_a_bundle_is_on_the_volume_and_its_images_are_told(
    importing: ApiWorld, form: str, push: str
) -> None:
    tars = {KALI: old_tar(KALI, "extra:1"), "cut:1": old_tar("cut:1")[:5000]}
    members = bundle_members(TRAINING_V2.exported(), tars, [KALI, "cut:1"])
    answer = send(importing, FORMS[form](members), push=push, name=f"Lab v2.{form}")
    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert left(importing.api) == [told["name"]]
    assert told["name"].startswith("bundles/Lab-v2-")
    assert told["name"].endswith(form)
    assert told["loaded"] == [KALI]
    assert [each["image"] for each in told["skipped"]] == ["extra:1"]
    assert [each["image"] for each in told["failed"]] == ["cut:1"]
    assert told["pushed"] == ([KALI] if push == "true" else [])
    assert told["message"] is None
    assert told["details"][0]["platform"] == "linux/amd64"
    where = {each["image"]: each["where"] for each in told["blueprint"]["images"]}
    assert where[KALI] == "in the bundle"
    assert len(where) == 5
    listed = [each["image"] for each in importing.spec().get("images", [])]
    assert listed == ([KALI] if push == "true" else [])
    assert annotation(importing) is not None


def test_a_docker_save_archive_is_loaded_as_the_contract_has_it(importing: ApiWorld) -> None:
    content = gzip.compress(old_tar(KALI, "b:1"))
    answer = send_form(importing, content, "/cache/docker-images/upload", "my images.tar.gz")
    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert told.pop("name") == left(importing.api)[0]
    assert told == {
        "status": "loaded",
        "images": [KALI, "b:1"],
        "count": 2,
        "size_bytes": len(content),
        "size_gb": 0.0,
    }
    assert left(importing.api)[0].startswith("bundles/my-images-")
    assert (importing.api.archives / left(importing.api)[0]).read_bytes() == content


def test_a_bundle_is_taken_from_a_form_as_well(importing: ApiWorld) -> None:
    answer = send_form(importing, zip_bundle(GOOD), "/bundles", "../lab.zip")
    assert answer.status_code == 201, answer.text
    assert left(importing.api) == [answer.json()["name"]]


def part(about: str, content: bytes) -> bytes:
    return b"--cut\r\nContent-Disposition: form-data; " + about.encode() + b"\r\n\r\n" + content


FILE = part('name="file"; filename="lab.zip"', zip_bundle(GOOD) + b"\r\n")
FORMS_THAT_ARE_NONE: dict[str, tuple[bytes, int, str]] = {
    "no file": (part('name="note"', b"x\r\n") + b"--cut--\r\n", 422, "no file"),
    "two files": (FILE + FILE + b"--cut--\r\n", 422, "more than one file"),
    "no end": (FILE[:-40], 400, "breaks off"),
    "no form": (b"x" * 100, 422, "cannot be read"),
    "too much beside": (part('name="note"', bytes(100_000)) + b"\r\n--cut--", 413, "beside its"),
    "many parts": (part('name="note"', b"\r\n") * 20 + b"--cut--\r\n", 422, "parts"),
    "a long head": (part("x" * 100_000, b"\r\n--cut--\r\n"), 422, "cannot be read"),
}


@pytest.mark.parametrize("what", FORMS_THAT_ARE_NONE)
def test_a_form_that_is_none_leaves_nothing(importing: ApiWorld, what: str) -> None:
    body, status, why = FORMS_THAT_ARE_NONE[what]
    answer = importing.api.call(
        "POST",
        f"/api/v1/bundles?cache={importing.name}",
        importing.people["admin"],
        content=body,
        headers={"content-type": "multipart/form-data; boundary=cut"},
    )
    problem(answer, status, why)
    assert left(importing.api) == []


def test_a_bundle_that_is_sent_as_docker_images_is_told_where_to_go(importing: ApiWorld) -> None:
    answer = send(importing, zip_bundle(GOOD), path="/cache/docker-images/upload")
    problem(answer, 422, "/api/v1/bundles")
    assert left(importing.api) == []


@pytest.mark.parametrize("role", ["none", "evaluator", "engineer"])
@pytest.mark.parametrize("path", ["/bundles", "/cache/docker-images/upload"])
def test_only_an_admin_brings_images(importing: ApiWorld, role: str, path: str) -> None:
    problem(send(importing, zip_bundle(GOOD), role, path), 403, "delete imagecaches")
    answer = httpx.post(f"{importing.api.url}/api/v1{path}", content=b"x", trust_env=False)
    problem(answer, 401)
    assert left(importing.api) == []


HOSTILE = {
    "no archive": b"GIF89a" + bytes(100_000),
    "empty": b"",
    "cut zip": zip_bundle(GOOD)[:-30],
    "a name that leads out": zip_bundle({**GOOD, "../../etc/cron.d/x": b"x"}),
    "undeclared only": zip_bundle({**GOOD, "manifest.json": b'{"docker_images": ["x:1"]}'}),
    "no list": zip_bundle({**GOOD, "manifest.json": b"{}"}),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_upload_leaves_nothing(importing: ApiWorld, what: str) -> None:
    detail = problem(send(importing, HOSTILE[what]), 422)
    assert detail
    assert left(importing.api) == []
    assert annotation(importing) is None


def test_an_upload_that_is_cut_leaves_nothing(importing: ApiWorld) -> None:
    """The connection breaks after a part of what was announced."""
    content = zip_bundle({**GOOD, "artifacts/big": bytes(3 * MIB)}) + bytes(3 * MIB)
    host, port = importing.api.url.removeprefix("http://").split(":")
    head = (
        f"POST /api/v1/bundles?cache={importing.name} HTTP/1.1\r\nhost: x\r\n"
        f"authorization: Bearer {importing.people['admin']}\r\n"
        f"content-length: {len(content)}\r\n\r\n"
    )
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(head.encode() + content[: 2 * MIB])
        wait_for(lambda: left(importing.api) != [], "the upload to begin", 20, importing.api.log)
    wait_for(lambda: left(importing.api) == [], "nothing to be left", 20, importing.api.log)
    assert "Traceback" not in importing.api.log()
    assert send(importing, zip_bundle(GOOD)).status_code == 201


def test_a_cache_without_an_archive_source_is_told_what_to_add(world: ApiWorld) -> None:
    world.cache()
    problem(send(world, zip_bundle(GOOD)), 409, "archive: {path: bundles}", world.name)


def test_a_list_that_is_full_keeps_the_bundle_and_says_so(importing: ApiWorld) -> None:
    images = [{"image": f"a:{number}"} for number in range(128)]
    importing.apiserver.call(
        "PATCH",
        importing.cache_path,
        {"spec": {"images": images}},
        content_type="application/merge-patch+json",
    )
    told = send(importing, zip_bundle(GOOD), push="true").json()
    assert told["pushed"] == []
    assert "128" in told["message"]
    assert left(importing.api) == [told["name"]]


@pytest.fixture(scope="module")
def other_api(account: Path) -> Iterator[PeopleApiPart]:
    """An API for tests that start it in other ways."""
    with running_people_api(account) as part:
        yield part


@pytest.fixture
def seen(importing: ApiWorld, other_api: PeopleApiPart) -> Iterator[ApiWorld]:
    """The same cache, asked by that API."""
    other_api.kill()
    yield importing
    other_api.kill()
    other_api.settings = {}
    other_api.start()


def begin(api: PeopleApiPart, world: ApiWorld, **settings: str) -> None:
    """Start it so, and wait until it knows the cache."""
    api.settings = settings
    api.start()
    token = world.people["admin"]

    def knows() -> bool:
        rows = api.call("GET", "/api/v1/caches", token)
        return rows.status_code == 200 and any(row["name"] == world.name for row in rows.json())

    wait_for(knows, "the API to know the cache", 20, api.log)


def test_what_is_too_large_leaves_nothing(seen: ApiWorld, other_api: PeopleApiPart) -> None:
    begin(other_api, seen, CYROID_MAX_UPLOAD_BYTES="100000")
    large = zip_bundle(GOOD) + bytes(200_000)
    problem(send(seen, large, api=other_api), 413, "100000")
    pieces = (large[at : at + 10_000] for at in range(0, len(large), 10_000))
    problem(send(seen, pieces, api=other_api), 413, "100000")  # not announced
    assert left(other_api) == []


@pytest.fixture
def small_volume(tmp_path: Path) -> Iterator[Path]:
    """A volume of two megabytes."""
    folder = tmp_path / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_told_and_nothing_is_left(
    small_volume: Path, seen: ApiWorld, other_api: PeopleApiPart
) -> None:
    begin(other_api, seen, CYROID_ARCHIVES=str(small_volume))
    large = zip_bundle(GOOD) + noise(4 * MIB)
    problem(send(seen, large, api=other_api), 507, "is full")
    assert [path for path in small_volume.rglob("*") if path.is_file()] == []
    assert send(seen, zip_bundle(GOOD), api=other_api).status_code == 201
    other_api.kill()


def test_without_a_volume_the_chart_value_is_named(
    seen: ApiWorld, other_api: PeopleApiPart
) -> None:
    begin(other_api, seen, CYROID_ARCHIVES="")
    problem(send(seen, zip_bundle(GOOD), api=other_api), 501, "api.archives", "operator.archives")


def test_what_a_killed_process_left_is_removed_at_the_next_start(
    seen: ApiWorld, other_api: PeopleApiPart
) -> None:
    begin(other_api, seen)
    host, port = other_api.url.removeprefix("http://").split(":")
    head = (
        f"POST /api/v1/bundles?cache={seen.name} HTTP/1.1\r\nhost: x\r\n"
        f"authorization: Bearer {seen.people['admin']}\r\ncontent-length: 9999999\r\n\r\n"
    )
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(head.encode() + zip_bundle(GOOD) + bytes(2 * MIB))
        wait_for(lambda: left(other_api) != [], "the upload to begin", 20, other_api.log)
        other_api.kill()
    assert len(left(other_api)) == 1
    begin(other_api, seen)
    assert left(other_api) == []


def big_bundle(size: int) -> Iterator[bytes]:
    """A bundle (tar) whose image has a layer of so many zeros, a piece at a time."""
    config = config_of([layer("a")])
    name = f"{hashlib.sha256(config).hexdigest()}.json"
    inner = tar_of({name: config, "manifest.json": saved_list(name, ["l/layer.tar"], KALI)})
    inner_files = inner.rstrip(b"\0")
    inner_files += bytes(-len(inner_files) % 512)
    head, padding = header("l/layer.tar", size), bytes(-size % 512)
    whole = len(inner_files) + len(head) + size + len(padding) + 1024
    yield tar_of({"manifest.json": json.dumps({"docker_images": [KALI]}).encode()})[:1024]
    yield header("images/kali.tar", whole)
    yield inner_files + head
    zeros = bytes(MIB)
    for _ in range(size // MIB):
        yield zeros
    yield bytes(size % MIB) + padding + bytes(1024) + bytes(-whole % 512) + bytes(1024)


def header(name: str, size: int) -> bytes:
    member = tarfile.TarInfo(name)
    member.size = size
    return member.tobuf(tarfile.USTAR_FORMAT)


@pytest.mark.slow
def test_a_gigabyte_costs_the_api_at_most_64_mib(importing: ApiWorld) -> None:
    """Measured as the highest resident memory while it comes, above that of the idle API."""
    assert send(importing, zip_bundle(GOOD)).status_code == 201  # what is loaded once is loaded
    before = importing.api.memory_kib()
    status = Path(f"/proc/{importing.api.pid}/status")
    Path(f"/proc/{importing.api.pid}/clear_refs").write_text("5")
    answer = send(importing, big_bundle(1000**3), name="big.tar")
    assert answer.status_code == 201, answer.text
    assert answer.json()["loaded"] == [KALI]
    assert answer.json()["size_bytes"] > 1000**3
    lines = status.read_text().splitlines()
    highest = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    (importing.api.archives / answer.json()["name"]).unlink()
    assert highest - before < 64 * 1024, f"{highest - before} KiB above {before} KiB"


def test_the_same_bundle_twice_is_one_file(importing: ApiWorld) -> None:
    """Nobody fills the disk by repeating."""
    first = send(importing, zip_bundle(GOOD), name="lab.zip").json()["name"]
    again = send(importing, zip_bundle(GOOD), name="lab.zip").json()["name"]
    assert first == again
    assert left(importing.api) == [first]
