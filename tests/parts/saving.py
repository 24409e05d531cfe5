"""What an engine saves, read back: is all of an image in it?"""

from __future__ import annotations

import io
import json
import tarfile

from cyroid_images.model.images.reference import Reference
from cyroid_images.scheduling.cancel_scope import NEVER
from tests.parts.range_engine import LIMITS, RangeEngine


def assert_saved_whole(engine: RangeEngine, name: str, *, layers: int) -> None:
    """`docker save` gives so many layers with their bytes: that is what Ready promises.

    Of a half image it ends well, too, and lacks the layer that its manifest names.
    """
    with engine.engine.save(Reference.parse(name), limits=LIMITS, cancellation=NEVER) as chunks:
        content = io.BytesIO(b"".join(chunks))
    with tarfile.open(fileobj=content) as tar:
        sizes = {member.name: member.size for member in tar}
        file = tar.extractfile("manifest.json")
        assert file is not None
        (image,) = json.load(file)
    assert len(image["Layers"]) == layers
    assert all(sizes.get(layer) for layer in image["Layers"]), (image["Layers"], sizes)
