"""Leaf: image archives, docker-save and OCI layout, as streams of bytes.

`Archives` is the operator's archive volume as a source of images; `watched` passes a tar on
from engine to engine. Behind them, one question per file:

    tar        a tar as a stream of members, read in order and once
    hybrid     the tar that an engine of either store loads, built from blobs of any origin
    saved      what an engine's `save` of one image is, read while it passes
    passing    a tar on its way from `save` to `load`, watched for its true end

    library      the face of the archive volume: look, and the bytes of layers
    volume       what a path means, and that it leads nowhere else
    scanning     one look into one file, whatever it is
    inspection   how far an archive that somebody brought is trusted
    layers       the bytes of layers, proven while they pass
    images       which images are in an archive, both layouts told together
    layouts/     what a file may be: docker-save, OCI layout, folder, bundle, backup
    indexing     from the bytes of a tar to its contents, by offset or as a stream
    contents     names, sizes, links and documents of an archive
    decoding     gzip and zstd in bounded memory
    window       a stretch of an open file
    memory       what was seen of archives that have not changed
    damage       words for what is wrong, and the bounds
"""

from cyroid_images.archive.library import Archives
from cyroid_images.archive.passing import watched

__all__ = ["Archives", "watched"]
