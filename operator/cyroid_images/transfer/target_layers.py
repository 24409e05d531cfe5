"""Which layers a tar may leave out, because the range engine has them already.

A saving, never a promise: an engine may lose a layer between look and load, and then the
load is done once more with all of them. What each store goes by (seen on both): a classic
engine looks a layer up by its chain, that is by all diff IDs up to it, before it opens the
file in the tar; the containerd store looks blobs up by their digest.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import replace

from cyroid_images.archive.hybrid import HybridTar
from cyroid_images.errors import TransferError
from cyroid_images.model.engine import EngineView, ImageStore
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.image import EngineImage
from cyroid_images.model.images.manifest import Manifest

MOST_ASKED = 4
"""Images of a target whose manifests are asked for: those with most layers in common."""


def without_present(
    plan: HybridTar, view: EngineView, look_up: Callable[[Digest], Manifest | None]
) -> HybridTar:
    """The same tar without the layers that the target has."""
    if view.info.store is ImageStore.CLASSIC:
        count = _chain(plan, view)
        there = [number < count for number, _ in enumerate(plan.layers)]
    else:
        blobs = _blobs(plan, view, look_up)
        there = [layer.blob.digest in blobs for layer in plan.layers]
    layers = zip(plan.layers, there, strict=True)
    return replace(
        plan, layers=tuple(replace(layer, is_left_out=is_there) for layer, is_there in layers)
    )


def _chain(plan: HybridTar, view: EngineView) -> int:
    """How many first layers are also the first layers of an image there."""
    wanted = [layer.diff_id for layer in plan.layers]
    there = {image.content.diff_ids for image in view.images.values()}
    return max((_common(wanted, diff_ids) for diff_ids in there), default=0)


def _common(one: Sequence[Digest], other: Sequence[Digest]) -> int:
    pairs = zip(one, other, strict=False)
    return next(
        (number for number, (left, right) in enumerate(pairs) if left != right),
        min(len(one), len(other)),
    )


def _blobs(
    plan: HybridTar, view: EngineView, look_up: Callable[[Digest], Manifest | None]
) -> set[Digest]:
    """The blobs of the images there whose manifest is known by the image's ID."""
    wanted = {layer.diff_id for layer in plan.layers}

    def shared(image: EngineImage) -> int:
        return len(wanted.intersection(image.content.diff_ids))

    images = {image.id: image for image in view.images.values() if shared(image)}
    found: set[Digest] = set()
    for image in sorted(images.values(), key=shared, reverse=True)[:MOST_ASKED]:
        with contextlib.suppress(TransferError):  # not known: then the layers are sent
            if manifest := look_up(image.id):
                found.update(layer.digest for layer in manifest.layers)
    return found
