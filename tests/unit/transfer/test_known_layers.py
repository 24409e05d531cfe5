"""What is remembered of registries: by content, newest first, and never without end."""

from __future__ import annotations

from cyroid_images.model.digest import Digest
from cyroid_images.model.image import content_of_config
from cyroid_images.model.knowledge import Stored
from cyroid_images.model.registry import Credentials, RegistryEndpoint
from cyroid_images.transfer.known_layers import MOST_PLACES, KnownLayer, KnownLayers
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
