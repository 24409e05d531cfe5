"""Leaf: image archives, docker-save and OCI layout, as streams of bytes.

Holds what is needed to pass an archive on from engine to engine; reading archives as a
source of images joins it here.

    tar        a tar as a stream of members, read in order and once
    hybrid     the tar that an engine of either store loads, built from blobs of any origin
    passing    a tar on its way from `save` to `load`, watched for its true end
"""

from cyroid_images.archive.passing import watched

__all__ = ["watched"]
