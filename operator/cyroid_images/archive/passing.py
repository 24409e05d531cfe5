"""A tar on its way through: the bytes are handed on as they are, and its end is watched.

The engine that loads a tar can only say that it is odd; why `save` broke it off stands in
the tar itself. How a tar is read is told in `tar`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cyroid_images.archive.tar import Walk


def watched(tar: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes; raises TransferError where they stop being a tar, or end too early.

    TransferInterrupted with the engine's own words for an error in the stream or for a
    tar without its end blocks; ProtocolError for what never was a tar.
    """
    walk = Walk()
    for chunk in tar:
        for _ in walk.see(chunk):
            pass
        yield chunk
    walk.end()
