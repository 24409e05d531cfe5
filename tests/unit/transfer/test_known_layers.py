"""What is remembered of registries: by content, newest first, and never without end."""

from __future__ import annotations

from dataclasses import replace

from cyroid_images.model.engine import EngineEndpoint, EngineInfo, ImageStore
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.image import content_of_config
from cyroid_images.model.images.platform import Platform
from cyroid_images.model.knowledge import HeldByEngine, Stored
from cyroid_images.model.registry import Credentials, RegistryEndpoint
from cyroid_images.transfer.known_layers import (
    MOST_PLACES,
    MOST_PLAIN,
    KnownLayer,
    KnownLayers,
)
from tests.parts.images import TinyImage, tiny_image

HERE = RegistryEndpoint("http://10.0.0.1:5001")
ELSEWHERE = RegistryEndpoint("http://10.0.0.2:5001")
IMAGE = tiny_image()


def stored(repository: str, image: TinyImage = IMAGE) -> Stored:
    return Stored(
        repository, image.parsed, content_of_config(image.config, manifest=image.parsed.digest)
    )


def test_a_layer_is_found_by_its_diff_id_at_its_registry_only() -> None:
    known = KnownLayers()
    known.learn(HERE, stored("a"))
    first = IMAGE.layers[0]
    assert known.of(HERE, first.diff_id) == (KnownLayer("a", first.descriptor),)
    assert known.of(ELSEWHERE, first.diff_id) == ()
    assert known.of(HERE, Digest.of(b"other")) == ()
    with_password = RegistryEndpoint(HERE.url, Credentials("x", "y"))
    assert known.of(with_password, first.diff_id) == known.of(HERE, first.diff_id)


def test_every_repository_of_a_blob_is_told_the_latest_first() -> None:
    known = KnownLayers()
    for repository in ("a", "b", "a"):
        known.learn(HERE, stored(repository))
    for blob in (IMAGE.parsed.config, *IMAGE.parsed.layers):
        assert known.repositories_of(HERE, blob.digest) == ("a", "b")
    assert known.repositories_of(ELSEWHERE, IMAGE.parsed.config.digest) == ()


def test_a_manifest_that_does_not_fit_its_config_teaches_no_diff_ids() -> None:
    known = KnownLayers()
    one = stored("a", tiny_image([{"only": b"one"}]))
    known.learn(HERE, Stored("a", IMAGE.parsed, one.content))
    assert known.of(HERE, one.content.diff_ids[0]) == ()
    assert known.repositories_of(HERE, IMAGE.layers[0].descriptor.digest) == ("a",)


def test_the_book_forgets_the_oldest_and_keeps_few_places_of_each() -> None:
    known = KnownLayers(most=3)
    for number in range(MOST_PLACES + 3):
        known.learn(HERE, stored(f"r{number}"))
    assert len(known.of(HERE, IMAGE.layers[0].diff_id)) == MOST_PLACES
    for number in range(3):
        known.learn(HERE, stored("a", tiny_image([{"file": b"%d" % number}])))
    assert known.of(HERE, IMAGE.layers[0].diff_id) == ()
    assert known.repositories_of(HERE, IMAGE.parsed.config.digest) == ()


def test_an_image_is_plain_in_the_engine_that_showed_it_so_and_in_no_other() -> None:
    known = KnownLayers()
    source = held_by("tcp://10.0.0.1:2375", "engine-1")
    known.learn_plain(source)
    assert known.is_plain(replace(source, source="another name", size=7))
    assert not known.is_plain(replace(source, id=Digest.of(b"other")))
    assert not known.is_plain(held_by("tcp://10.0.0.2:2375", "engine-1"))
    assert not known.is_plain(held_by("tcp://10.0.0.1:2375", "engine-2"))


def test_the_images_that_are_plain_are_forgotten_the_oldest_first() -> None:
    known, source = KnownLayers(), held_by("tcp://10.0.0.1:2375", "engine-1")
    images = [replace(source, id=Digest.of(b"%d" % number)) for number in range(MOST_PLAIN + 1)]
    for image in images:
        known.learn_plain(image)
    assert not known.is_plain(images[0])
    assert all(known.is_plain(image) for image in images[1:])


def held_by(url: str, engine: str) -> HeldByEngine:
    platform = Platform("linux", "amd64")
    info = EngineInfo(engine, "builder", "26.1.5", (1, 45), ImageStore.CONTAINERD, platform)
    return HeldByEngine(
        "builder", EngineEndpoint(url), info, Digest.of(b"image"), stored("a").content
    )
