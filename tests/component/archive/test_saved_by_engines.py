"""What real engines save is read as the images that those engines show."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from cyroid_images.archive import Archives
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.image import EngineImage
from cyroid_images.model.images.reference import Reference
from tests.parts.archives import layer, layout, names, read_layers
from tests.parts.engines import EnginePart

pytestmark = pytest.mark.slow

LAYERS = ({"a": b"a"}, {"b": b"b"}, {"a": b"a"})
"""The first stands twice: of two equal layers an old engine saves one as a link."""


def _seen(part: EnginePart, name: str) -> EngineImage:
    return part.engine.view(part.engine.info(), {}).images[Reference.parse(name)]


def _saved(part: EnginePart, file: Path, *images: str) -> None:
    part.docker("save", "-o", str(file), *images)


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_what_an_engine_saves_is_the_image_that_it_shows(
    any_engine: EnginePart, tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    one, two = "saved.test/one:1", "saved.test/one:2"
    made = any_engine.load_image(one, LAYERS)
    any_engine.docker("tag", one, two)
    file = tmp_path / "x.tar"
    _saved(any_engine, file, one, two)
    file.write_bytes(pack(file.read_bytes()))

    view = Archives(tmp_path).look("x.tar")

    assert not view.faults
    (image,) = view.images
    assert names(image) == {one, two}
    assert image.config == made.config
    assert _seen(any_engine, one).holds(image.content)
    stored = read_layers(tmp_path, image)
    assert {str(Digest.of(content)) for content in stored.values()} == set(made.diff_ids)
    assert len(stored) == 2


def test_an_image_saved_by_its_id_has_no_name_but_that_of_a_backup_list(
    any_engine: EnginePart, tmp_path: Path
) -> None:
    name = "saved.test/by-id:1"
    any_engine.load_image(name, ({"by": b"id"},))
    _saved(any_engine, tmp_path / "x.tar", str(_seen(any_engine, name).id))
    (image,) = Archives(tmp_path).look("x.tar").images
    assert names(image) == set()
    (tmp_path / "manifest.txt").write_text("kali:1|x.tar\n")
    (image,) = Archives(tmp_path).look("x.tar").images
    assert names(image) == {"kali:1"}


def test_compressed_layers_of_a_containerd_store_keep_their_manifest(
    containerd_engine: EnginePart, tmp_path: Path
) -> None:
    name = "saved.test/compressed:1"
    made = layout({"io.containerd.image.name": name}, (layer("x"), layer("y")))
    containerd_engine.load(made.tar)
    _saved(containerd_engine, tmp_path / "x.tar", name)

    view = Archives(tmp_path).look("x.tar")

    assert not view.faults
    (image,) = view.images
    assert (names(image), image.manifest) == ({name}, made.manifest)
    assert _seen(containerd_engine, name).holds(image.content)
    assert all(one.is_compressed for one in image.layers)
    assert len(read_layers(tmp_path, image)) == 2
