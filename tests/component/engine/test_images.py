"""What real engines of four versions hold is seen alike: info, view, tag, untag, load, save."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from cyroid_images.engine import Engine
from cyroid_images.errors import Mark, Reason, TransferError
from cyroid_images.model.engine import EngineView, ImageStore
from cyroid_images.model.images.image import EngineImage, content_of_config
from cyroid_images.model.images.platform import Platform
from cyroid_images.model.images.reference import Reference
from cyroid_images.model.telemetry.progress import Progress, ignore
from cyroid_images.scheduling.cancel_scope import NEVER
from tests.parts.engines import EnginePart, NewEngine
from tests.parts.range_engine import LIMITS, RangeEngine
from tests.parts.save_tars import busybox, saved_image

pytestmark = pytest.mark.slow


def seen(part: RangeEngine) -> EngineView:
    return part.engine.view(part.engine.info(), {})


def image_called(part: RangeEngine, name: str) -> EngineImage:
    return seen(part).images[Reference.parse(name)]


@pytest.mark.parametrize(
    ("fixture", "version", "api", "store"),
    [
        ("old_engine", "20.10", (1, 41), ImageStore.CLASSIC),
        ("classic_engine", "26.1", (1, 45), ImageStore.CLASSIC),
        ("containerd_engine", "26.1", (1, 45), ImageStore.CONTAINERD),
        ("docker28_engine", "2", (1, 48), ImageStore.CONTAINERD),  # forky moves on
        ("docker29_engine", "29.0", (1, 48), ImageStore.CONTAINERD),
    ],
)
def test_an_engine_says_who_it_is(
    request: pytest.FixtureRequest,
    fixture: str,
    version: str,
    api: tuple[int, int],
    store: ImageStore,
) -> None:
    part: EnginePart = request.getfixturevalue(fixture)
    info = part.engine.info()
    assert info.version.startswith(version)
    assert (info.api, info.store) == (api, store)
    assert info.platform.os == "linux"
    assert info.id == part.docker("info", "--format", "{{.ID}}")


def test_a_loaded_image_is_listed_with_its_content(range_engine: RangeEngine) -> None:
    saved = range_engine.load_image("images/listed:1", config={"Cmd": ["/hello"], "Env": ["A=b"]})
    wanted = content_of_config(saved.config, manifest=None)
    image = image_called(range_engine, "images/listed:1")
    assert image.holds(wanted)
    assert image.content.setup == wanted.setup
    assert image.content.created == wanted.created


def test_a_second_view_inspects_nothing_that_is_known(range_engine: RangeEngine) -> None:
    range_engine.load_image("images/known:1")
    info = range_engine.engine.info()
    first = range_engine.engine.view(info, {})
    known = {image.id: replace(image.content, setup="as cached") for image in first.images.values()}
    again = range_engine.engine.view(info, known)
    assert {image.content.setup for image in again.images.values()} == {"as cached"}


def test_a_rebuild_that_changes_only_cmd_is_another_image(range_engine: RangeEngine) -> None:
    """The layers agree; only the configuration tells them apart."""
    before = range_engine.load_image("images/rebuilt:1", config={"Cmd": ["/old"]})
    after = range_engine.load_image("images/rebuilt:1", config={"Cmd": ["/new"]})
    image = image_called(range_engine, "images/rebuilt:1")
    assert before.diff_ids == after.diff_ids
    assert image.holds(content_of_config(after.config, manifest=None))
    assert not image.holds(content_of_config(before.config, manifest=None))


SAME: dict[str, dict[str, Any]] = {
    "nanoseconds": {"created": "2024-01-02T03:04:05.123456789Z"},
    "trailing-zeros": {"created": "2024-01-02T03:04:05.120000000Z"},
    "time-zone": {"created": "2024-01-02T03:04:05.5+02:00"},
    "no-time": {"created": None},
    "zero-time": {"created": "0001-01-01T00:00:00Z"},
    "variant": {"architecture": "arm64", "variant": "v8"},
    "other-architecture": {"architecture": "arm", "variant": "v6"},
    "no-setup": {"config": {}},
    "nulls": {"config": {"Env": None, "Labels": None, "Entrypoint": []}},
    "ports": {"config": {"ExposedPorts": {"80": {}, "81/tcp": {}, "90-92/udp": {}}}},
    "health": {"config": {"Healthcheck": {"Test": ["CMD", "x"], "Interval": 0, "Retries": 3}}},
    "start-interval": {"config": {"Healthcheck": {"Test": ["NONE"], "StartInterval": 5 * 10**9}}},
    "unknown-fields": {"config": {"Odd": 1, "Memory": 5, "Hostname": "h", "Cmd": ["<&>\u2028"]}},
    "everything": {
        "config": {
            "Cmd": ["/c"], "Entrypoint": ["/e"], "Env": ["B=1", "A=2"], "User": "1:2",
            "Labels": {"x": "y"}, "OnBuild": ["RUN x"], "Shell": ["/sh"], "StopSignal": "SIGINT",
            "Volumes": {"/v": {}}, "WorkingDir": "/w", "ArgsEscaped": True,
        }
    },
}  # fmt: skip


@pytest.mark.parametrize("others", SAME.values(), ids=SAME.keys())
def test_one_tar_is_the_same_image_in_every_engine(
    others: Mapping[str, Any],
    old_engine: EnginePart,
    classic_engine: EnginePart,
    containerd_engine: EnginePart,
    request: pytest.FixtureRequest,
) -> None:
    """By content: the containerd store makes up a manifest of its own for it."""
    case = request.node.callspec.id
    saved = saved_image(f"same/{case}:1", ({"hello": case.encode()},), **others)
    contents = [content_of_config(saved.config, manifest=None)]
    for part in (old_engine, classic_engine, containerd_engine):
        part.load(saved.tar)
        contents.append(image_called(part, f"same/{case}:1").content)
    assert all(one.is_same(other) for one in contents for other in contents)


def test_another_platform_is_loaded_without_an_error_and_seen_as_such(
    range_engine: RangeEngine,
) -> None:
    saved = saved_image("images/arm:1", ({"x": b"arm"},), architecture="arm64")
    range_engine.load(saved.tar)
    assert image_called(range_engine, "images/arm:1").content.platform == Platform("linux", "arm64")


def test_a_tag_moves_and_a_taken_name_is_fine(range_engine: RangeEngine) -> None:
    range_engine.load_image("images/one:1", ({"x": b"one"},))
    range_engine.load_image("images/two:1", ({"x": b"two"},))
    name = Reference.parse("localhost:5999/images/name:2")
    range_engine.engine.tag(Reference.parse("images/one:1"), name)
    range_engine.engine.tag(image_called(range_engine, "images/two:1").id, name)
    assert seen(range_engine).images[name].id == image_called(range_engine, "images/two:1").id
    range_engine.engine.untag(name)
    range_engine.engine.untag(name)
    assert name not in seen(range_engine).images
    assert Reference.parse("images/two:1") in seen(range_engine).images


def test_tagging_what_is_not_there_says_so(range_engine: RangeEngine) -> None:
    with pytest.raises(TransferError) as caught:
        range_engine.engine.tag(Reference.parse("images/none:1"), Reference.parse("images/x:1"))
    assert caught.value.reason is Reason.IMAGE_NOT_FOUND


def test_a_saved_image_loads_into_the_next_engine(
    any_engine: EnginePart, old_engine: EnginePart, containerd_engine: EnginePart
) -> None:
    """Save is the body of load, chunk by chunk; names and content arrive."""
    name = f"images/from-{any_engine.port}:1"
    saved = any_engine.load_image(name, ({"a": b"1"}, {"b": b"2"}))
    for part in (old_engine, containerd_engine):
        part.engine.untag(Reference.parse(name)) if part is not any_engine else None
        told: list[Progress] = []
        source = any_engine.engine.save(Reference.parse(name), limits=LIMITS, cancellation=NEVER)
        with source as tar:
            loaded = part.engine.load(tar, told.append, limits=LIMITS, cancellation=NEVER)
        assert name in loaded
        assert image_called(part, name).holds(content_of_config(saved.config, manifest=None))
        assert told[-1].total is None
        assert told[-1].done > 0


def test_a_save_by_id_is_a_tar_with_its_layers(any_engine: EnginePart) -> None:
    any_engine.load_image("images/by-id:1", ({"x": b"by id"},))
    image = image_called(any_engine, "images/by-id:1")
    with any_engine.engine.save(image.id, limits=LIMITS, cancellation=NEVER) as chunks:
        content = b"".join(chunks)
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        (entry,) = json.load(tar.extractfile("manifest.json") or io.BytesIO())
    assert len(entry["Layers"]) == 1


def test_saving_what_is_not_there_says_so(any_engine: EnginePart) -> None:
    missing = Reference.parse("images/none:1")
    with (
        pytest.raises(TransferError) as caught,
        any_engine.engine.save(missing, limits=LIMITS, cancellation=NEVER),
    ):
        pytest.fail("there is nothing to save")
    assert caught.value.reason is Reason.IMAGE_NOT_FOUND


@pytest.mark.parametrize(
    ("tar", "reason"),
    [
        (b"no tar" * 500, Reason.LOAD_FAILED),
        (saved_image("images/cut:1").tar[:1000], Reason.TRANSFER_INTERRUPTED),
        (b"", Reason.LOAD_FAILED),
    ],
    ids=["garbage", "cut", "empty"],
)
def test_p_s4_a_load_that_brings_nothing_fails(
    range_engine: RangeEngine, tar: bytes, reason: Reason
) -> None:
    with pytest.raises(TransferError) as caught:
        range_engine.engine.load(iter([tar]), ignore, limits=LIMITS, cancellation=NEVER)
    assert caught.value.reason in (reason, Reason.LOAD_FAILED)
    assert Reference.parse("images/cut:1") not in seen(range_engine).images


def test_a_container_runs_from_a_loaded_image(any_engine: EnginePart) -> None:
    program = busybox()
    if program is None:
        pytest.skip("no static busybox on this machine")
    any_engine.load_image("images/busybox:1", ({"busybox": program},), {"Cmd": ["/busybox", "id"]})
    said = any_engine.docker("run", "--rm", "--network", "none", "images/busybox:1")
    assert said.startswith("uid=0")


@pytest.mark.parametrize(
    "text", ["found-of-many:1", "one/found:1", "one.example/of-many:1", "127.0.0.1:5000/a/b/c:1"]
)
def test_one_image_is_found_by_its_name_and_by_no_other(
    range_engine: RangeEngine, text: str
) -> None:
    name = Reference.parse(text)
    range_engine.load_image(str(name), ({"x": f"one of many, {text}".encode()},))
    range_engine.engine.tag(name, Reference.parse("another.example/name:1"))
    info = range_engine.engine.info()
    found, shown = range_engine.engine.image(info, name), seen(range_engine).images[name]
    assert found is not None
    assert (found.id, found.content, found.size) == (shown.id, shown.content, shown.size)
    assert range_engine.engine.image(info, replace(name, tag="2")) is None


def test_several_images_are_looked_up_by_name_in_one_request(range_engine: RangeEngine) -> None:
    """By tag and by digest; who is not there is None, and what is known is not inspected."""
    range_engine.load_image("images/several:1", ({"x": b"several"},))
    range_engine.load_image("several.example/other:2", ({"x": b"other"},))
    info, view = range_engine.engine.info(), seen(range_engine)
    missing = Reference.parse("images/several:2")
    names = [*view.images, *view.by_digest, missing]
    asked: list[str] = []
    engine = Engine(range_engine.endpoint, on_request=lambda request: asked.append(request.path))
    engine.info()
    del asked[:]
    found = engine.images_named(info, names, view.contents)
    assert found == {**view.images, **view.by_digest, missing: None}
    assert [path.rpartition("/images")[2] for path in asked] == ["/json"]


def test_a_containerd_store_answers_for_the_named_images_only(
    docker29_engine: EnginePart,
) -> None:
    """Each listed image costs it 12 ms: a look at one must not cost as much as a look at all."""
    for number in range(4):
        docker29_engine.load_image(f"images/many:{number}", ({"x": bytes([number])},))
    asked: list[str] = []
    engine = Engine(docker29_engine.endpoint, on_request=lambda request: asked.append(request.path))
    info = engine.info()
    del asked[:]
    assert engine.image(info, Reference.parse("images/many:2")) is not None
    # The list and one inspect: of the others it said nothing.
    assert len(asked) == 2


def test_an_engine_that_changes_its_store_lacks_its_images_and_is_no_error(
    new_engine: NewEngine,
) -> None:
    """As Docker 29 does with a data root of an older one, under the same ID."""
    part = new_engine(version="29")
    part.load_image("images/before:1")
    info, before = part.engine.info(), seen(part)
    part.stop()
    part.use_store(containerd=True)
    part.start()
    after = part.engine.info()
    assert (after.id, after.store) == (info.id, ImageStore.CONTAINERD)
    view = part.engine.view(after, before.contents)
    assert (dict(view.images), view.half) == ({}, frozenset())
    part.load_image("images/before:1")
    assert set(seen(part).images) == {Reference.parse("images/before:1")}


@pytest.mark.parametrize("ports", ["80-90/tcp", "nonsense", "99999/tcp"])
def test_f3_a_port_that_docker_29_cannot_read_is_final(new_engine: NewEngine, ports: str) -> None:
    """F3: its classic store refuses the image; no other try and no other route helps."""
    part = new_engine(version="29")
    with pytest.raises(TransferError, match="invalid port") as raised:
        part.load_image("images/ports:1", config={"ExposedPorts": {ports: {}}})
    assert raised.value.reason is Reason.IMAGE_REFUSED
    assert raised.value.reason.mark is Mark.TERMINAL
