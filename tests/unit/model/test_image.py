"""What an image is, whoever tells of it."""

from __future__ import annotations

import gc
import json
import weakref
from dataclasses import replace
from typing import Any

import pytest

from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.image import (
    ImageContent,
    canonical_setup,
    canonical_time,
    content_of_config,
    kept_once,
)
from cyroid_images.model.images.platform import Platform

LAYER, OTHER_LAYER, CONFIG, MANIFEST, INDEX = (Digest.of(bytes([n])) for n in range(5))
CONTENT = ImageContent(
    platform=Platform.parse("linux/amd64"),
    diff_ids=(LAYER,),
    created="2026-01-01T00:00:00",
    setup=canonical_setup({"Cmd": ["sh"]}),
    config=CONFIG,
    manifest=MANIFEST,
)


def config(**more: Any) -> bytes:
    document = {
        "os": "linux",
        "architecture": "amd64",
        "created": "2026-01-01T00:00:00.500Z",
        "config": {"Cmd": ["sh"]},
        "rootfs": {"diff_ids": [str(LAYER)]},
    }
    return json.dumps({**document, **more}).encode()


def test_the_same_content_by_another_id_is_the_same() -> None:
    loaded = replace(CONTENT, config=None, manifest=None, aliases=frozenset({INDEX}))
    assert CONTENT.is_same(loaded)


def test_a_shared_digest_stands_in_for_the_setup() -> None:
    told_otherwise = replace(CONTENT, setup="{}", created="", manifest=None)
    assert CONTENT.is_same(told_otherwise)


def test_equal_layers_with_another_command_are_another_image() -> None:
    other = replace(
        CONTENT, setup=canonical_setup({"Cmd": ["bash"]}), config=INDEX, manifest=OTHER_LAYER
    )
    assert not CONTENT.is_same(other)


@pytest.mark.parametrize(
    "other",
    [
        replace(CONTENT, diff_ids=(OTHER_LAYER,)),
        replace(CONTENT, diff_ids=(LAYER, LAYER)),
        replace(CONTENT, diff_ids=()),
        replace(CONTENT, platform=Platform.parse("linux/arm64")),
    ],
    ids=["other-layer", "one-layer-more", "no-layers", "other-platform"],
)
def test_an_equal_digest_does_not_excuse_other_content(other: ImageContent) -> None:
    assert not CONTENT.is_same(other)


def test_its_layers_are_the_same_digits_whoever_tells_of_it() -> None:
    """It stands in statuses: what it is made from must not change."""
    told_otherwise = replace(CONTENT, setup="{}", created="", config=None, manifest=INDEX)
    assert CONTENT.layers == told_otherwise.layers
    assert CONTENT.layers == Digest.of(f"linux/amd64\n{LAYER}".encode()).hex[:8]


@pytest.mark.parametrize(
    "other",
    [
        replace(CONTENT, diff_ids=(OTHER_LAYER,)),
        replace(CONTENT, diff_ids=(LAYER, OTHER_LAYER)),
        replace(CONTENT, diff_ids=()),
        replace(CONTENT, platform=Platform.parse("linux/arm64")),
        replace(CONTENT, platform=Platform.parse("linux/arm/v7")),
    ],
)
def test_other_layers_or_another_platform_are_other_content(other: ImageContent) -> None:
    assert other.layers != CONTENT.layers
    assert not other.is_same(CONTENT)


def test_its_identity_is_the_manifest_else_the_config_else_the_id_of_the_source() -> None:
    source = replace(CONTENT, config=None, manifest=None, aliases=frozenset({INDEX}))
    assert CONTENT.identity == MANIFEST
    assert replace(CONTENT, manifest=None).identity == CONFIG
    assert source.identity == INDEX


def test_a_config_is_read_with_the_digest_of_its_bytes() -> None:
    content = content_of_config(config(), manifest=MANIFEST)
    assert content.config == Digest.of(config())
    assert content.diff_ids == (LAYER,)
    assert content.created == "2026-01-01T00:00:00.5"
    assert content.identities == {Digest.of(config()), MANIFEST}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"null",
        b"[" * 100_000,
        config(os=5),
        config(created=5),
        config(config=["Cmd"]),
        config(rootfs={"diff_ids": ["sha256:abc"]}),
        config(rootfs={"diff_ids": [5]}),
        config(rootfs={}),
    ],
)
def test_what_is_no_config_is_a_protocol_error(content: bytes) -> None:
    with pytest.raises(TransferError) as refused:
        content_of_config(content, manifest=None)
    assert refused.value.reason == Reason.PROTOCOL_ERROR


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("2026-01-01T00:00:00.500Z", "2026-01-01T00:00:00.5Z"),
        ("2026-01-01T00:00:00.000000000Z", "2026-01-01T00:00:00Z"),
        ("2026-01-01T02:00:00.10+02:00", "2026-01-01T00:00:00.1Z"),
        ("0001-01-01T00:00:00Z", None),
        ("", None),
    ],
)
def test_one_moment_has_one_text(one: str, other: str | None) -> None:
    assert canonical_time(one) == canonical_time(other)


def test_different_moments_have_different_texts() -> None:
    texts = ["2026-01-01T00:00:00.123456789Z", "2026-01-01T00:00:00.123456788Z", "", "yesterday"]
    assert len({canonical_time(text) for text in texts}) == len(texts)


def test_a_moment_that_cannot_be_stays_as_it_is() -> None:
    assert canonical_time("2026-02-31T00:00:00Z") == "2026-02-31T00:00:00Z"


def test_empty_settings_do_not_count() -> None:
    assert canonical_setup({"Cmd": None, "Env": [], "Hostname": "x"}) == canonical_setup(None)
    assert canonical_setup({"Cmd": ["a"]}) != canonical_setup({"Entrypoint": ["a"]})


def test_b3_a_content_is_kept_once_and_only_as_long_as_somebody_holds_it() -> None:
    """B3: a weak dictionary whose value is its key kept every content of every engine for good."""
    first = kept_once(replace(CONTENT, created="b3"))
    assert kept_once(replace(CONTENT, created="b3")) is first
    held = weakref.ref(first)
    del first
    gc.collect()
    assert held() is None
    again = kept_once(replace(CONTENT, created="b3"))
    assert kept_once(replace(CONTENT, created="b3")) is again


def test_b3_memory_does_not_grow_with_the_contents_that_were_seen() -> None:
    """A builder makes new images for months."""

    def see(first: int) -> int:
        for number in range(first, first + 2_000):
            kept_once(replace(CONTENT, created=f"b3-{number}"))
        gc.collect()
        return sum(isinstance(thing, ImageContent) for thing in gc.get_objects())

    before = see(0)
    assert see(10_000) - before < 100
