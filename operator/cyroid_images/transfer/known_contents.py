"""What an image ID means, as far as our registries have told it: so that engines need not be asked.

Whoever reads an image from a registry checks its manifest and config against their digests, and
an engine names an image by one of the two. So an ID that is known here says what the image is,
whoever lists it. The digest of an index is not here: which of its images is meant differs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from weakref import WeakValueDictionary

from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.image import ImageContent


class KnownContents(Mapping[Digest, ImageContent]):
    """By digest of config or manifest; forgotten with the last who holds the content."""

    def __init__(self) -> None:
        self._held = WeakValueDictionary[Digest, ImageContent]()

    def learn(self, content: ImageContent) -> None:
        """Remember what a registry has, proven by digest."""
        for digest in (content.config, content.manifest):
            if digest is not None:
                self._held[digest] = content

    def __getitem__(self, digest: Digest) -> ImageContent:
        return self._held[digest]

    def __iter__(self) -> Iterator[Digest]:
        return iter(list(self._held))

    def __len__(self) -> int:
        return len(self._held)
