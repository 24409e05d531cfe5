"""Collections over a real registry: what they free, and what they let alone meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from cyroid_images.collect.sweeping import ASIDE
from cyroid_images.errors import TransferError
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.manifest import OCI_INDEX, OCI_MANIFEST
from cyroid_images.registry.client import RegistryClient
from tests.component.collect.pulling import pull
from tests.parts.apiserver import wait_for
from tests.parts.collected_registry import AUTH, CollectedRegistry
from tests.parts.images import TinyImage, index_of, tiny_image
from tests.parts.save_tars import noise
from tests.parts.waiting import A_WHILE

pytestmark = pytest.mark.slow

FOLDERS = 256 * 4096
"""Bytes of the folders that blobs are spread over: they stay."""


def test_what_no_tag_needs_is_freed_as_du_says(collected: CollectedRegistry) -> None:
    base, large = {"base": noise(300_000, 1)}, {"large": noise(20_000_000, 2)}
    collected.push_image("kept/deep", "1", layers=(base, {"own": noise(100_000, 3)}))
    collected.push_image("dropped", "1", layers=(base, large))
    collected.push_image("dropped", "2", layers=({"small": b"x"},))
    collected.age()
    assert collected.collected()["blobs"] == 0
    collected.drop_tag("dropped", "1")
    told, before = collected.collected(dry_run=True), collected.used()
    assert (told["blobs"], told["manifests"]) == (3, 1)  # the base is shared
    assert told["freed_bytes"] > 20_000_000
    assert collected.used() == before
    done = collected.collected(id="mine")
    assert (done["id"], done["error"], done["kept"]) == ("mine", None, [])
    assert done["freed_bytes"] == told["freed_bytes"]
    assert 0 <= before - collected.used() - done["freed_bytes"] < 100_000  # and their folders
    assert pull(collected, "dropped", "2")
    assert pull(collected, "kept/deep", "1")


def test_pulls_go_on_and_pushes_wait_and_both_end_whole(collected: CollectedRegistry) -> None:
    large = tiny_image(({"large": noise(20_000_000, 2)},))
    collected.push_image("kept", "1", layers=({"own": noise(2_000_000, 3)},))
    collected.push("dropped", "1", large)
    collected.age()
    before = collected.used()
    with RegistryClient(collected.push_endpoint) as registry:
        registry.delete_manifest("dropped", large.digest)
    with pulling(collected, "kept", "1") as pulled, pushing(collected) as pushed:
        wait_for(lambda: bool(pushed) and bool(pulled), "a first pull and push", A_WHILE)
        done = collected.collected()
        pushes, pulls = len(pushed), len(pulled)
        wait_for(lambda: len(pushed) > pushes + 1, "pushes to go on", A_WHILE)
        wait_for(lambda: len(pulled) > pulls + 1, "pulls to go on", A_WHILE)
    assert done["error"] is None
    assert done["freed_bytes"] > 20_000_000
    assert set(pulled) == {"whole"}
    for number, image in enumerate(pushed):
        assert pull(collected, "pushed", f"t{number}")
        assert pull(collected, "pushed", image.digest)
    new = [collected.blob_file(each.descriptor.digest) for i in pushed for each in i.layers]
    new += [collected.blob_file(each) for i in pushed for each in (i.digest, Digest.of(i.config))]
    added = collected.used(collected.repository("pushed"), *{each.parent for each in new})
    assert before + added + FOLDERS - collected.used() >= done["freed_bytes"]


def test_an_image_that_was_collected_can_be_pushed_again(collected: CollectedRegistry) -> None:
    """The registry may not say that it has a layer whose file is gone."""
    image = tiny_image(({"a": noise(1000, 1)}, {"b": noise(1000, 2)}))
    collected.push("again", "1", image)
    collected.push("other", "1", tiny_image(({"c": b"c"},)))
    with RegistryClient(collected.push_endpoint) as registry:
        registry.mount("other", image.layers[0].descriptor.digest, "again")
    for _ in range(2):
        collected.age()
        collected.drop_tag("again", "1")
        assert collected.collected()["blobs"] == 4
        with RegistryClient(collected.push_endpoint) as registry:
            for name in ("again", "other"):
                assert registry.blob_size(name, image.layers[0].descriptor.digest) is None
            mounted = registry.mount("other", image.layers[1].descriptor.digest, "again")
            assert not mounted
        collected.push("again", "1", image)
        assert pull(collected, "again", "1")


def test_children_of_an_index_and_what_ranges_want_stay(collected: CollectedRegistry) -> None:
    children = {a: tiny_image(({"a": a.encode()},), architecture=a) for a in ("amd64", "arm64")}
    for each in children.values():
        collected.push("multi", "built", each)
    wanted = tiny_image(({"w": b"w"},))
    collected.push("multi", "moved", wanted)
    collected.push("multi", "moved", tiny_image(({"n": b"n"},)))
    index = index_of(children)
    with RegistryClient(collected.push_endpoint) as registry:
        registry.put_manifest("multi", "1", index, OCI_INDEX)
    collected.drop_tag("multi", "built")
    collected.age()
    assert collected.collected(keep=(wanted.digest,))["blobs"] == 0
    for image in (*children.values(), wanted):
        assert pull(collected, "multi", image.digest)
    collected.drop_tag("multi", "1")
    assert collected.collected(keep=(wanted.digest,))["manifests"] == 3
    assert pull(collected, "multi", wanted.digest)


def test_a_push_that_has_sent_a_layer_before_the_pause_ends_after_it(
    collected: CollectedRegistry,
) -> None:
    image = tiny_image(({"a": noise(5000, 1)}, {"b": noise(5000, 2)}))
    collected.push_image("old", "1")
    collected.age()
    collected.drop_tag("old", "1")
    with RegistryClient(collected.push_endpoint) as registry:
        registry.upload_blob("slow", image.layers[0].descriptor, [image.layers[0].blob])
        assert collected.collected()["blobs"] > 0
        wait_for(lambda: answers(registry), "the push listener", A_WHILE)
        registry.upload_blob("slow", image.layers[1].descriptor, [image.layers[1].blob])
        registry.upload_stream("slow", [image.config], "application/x")
        registry.put_manifest("slow", "1", image.manifest, OCI_MANIFEST)
    assert pull(collected, "slow", "1")


@pytest.mark.parametrize("auth", [None, ("cyroid", "wrong"), ("somebody", AUTH[1])])
def test_nobody_else_may_ask(collected: CollectedRegistry, auth: tuple[str, str] | None) -> None:
    for method in ("GET", "POST"):
        url = f"{collected.collector_url}/collect"
        answer = httpx.request(method, url, auth=auth, json={"dry_run": False}, trust_env=False)
        assert answer.status_code == 401
    assert collected.told() == {"phase": "idle"}


BAD = [
    b"",
    b"[]",
    b"{}",
    b"nonsense",
    b'{"dry_run": "yes"}',
    b'{"dry_run": false, "keep": ["sha256:../.."]}',
    b'{"dry_run": false, "keep": 7}',
    b'{"dry_run": false, "id": 7}',
    b'{"dry_run": false, "force": true}',
    b"[" * 100_000,
]


def test_a_question_that_is_not_understood_begins_nothing(collected: CollectedRegistry) -> None:
    url = f"{collected.collector_url}/collect"
    for body in BAD:
        answer = httpx.post(url, content=body, auth=AUTH, trust_env=False)
        assert answer.status_code == 400, body
        assert "not understood" in answer.json()["error"]
    answer = httpx.post(url, content=b" " * 2_000_000, auth=AUTH, trust_env=False)
    assert answer.status_code == 413
    assert collected.told() == {"phase": "idle"}


def answers(registry: RegistryClient) -> bool:
    try:
        registry.ping()
    except TransferError:
        return False
    return True


@contextmanager
def pulling(part: CollectedRegistry, repository: str, tag: str) -> Iterator[list[str]]:
    """Pulls again and again until the end, and tells how each came."""
    over = threading.Event()
    told: list[str] = []

    def work() -> None:
        while not over.is_set():
            try:
                pull(part, repository, tag)
                told.append("whole")
            except (TransferError, AssertionError) as exc:
                told.append(str(exc))

    with _beside(threading.Thread(target=work), over):
        yield told


@contextmanager
def pushing(part: CollectedRegistry) -> Iterator[list[TinyImage]]:
    """Pushes one image after the other; those that the registry has taken, as t0, t1, ...

    A push that meets the pause is tried again until it succeeds, as engines and we do.
    """
    over = threading.Event()
    taken: list[TinyImage] = []

    def work() -> None:
        while not over.is_set():
            number = len(taken)
            image = tiny_image(({"a": noise(20_000, number)}, {"b": b"%d" % number}))
            try:
                part.push("pushed", f"t{number}", image)
            except TransferError:
                over.wait(0.02)
            else:
                taken.append(image)

    with _beside(threading.Thread(target=work), over):
        yield taken


@contextmanager
def _beside(thread: threading.Thread, over: threading.Event) -> Iterator[None]:
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(A_WHILE)
    assert not thread.is_alive()


def test_nothing_is_left_aside(collected: CollectedRegistry) -> None:
    collected.push_image("old", "1")
    collected.age()
    collected.drop_tag("old", "1")
    assert collected.collected()["blobs"] == 4
    assert not (collected.data_root / ASIDE).exists()
