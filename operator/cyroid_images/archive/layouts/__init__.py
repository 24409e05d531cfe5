"""What an archive file may be, a layout each.

    docker_save  the list of `docker save`
    oci_layout   the lists of an OCI layout
    folder       an OCI layout that is a folder
    bundle       image tars inside a zip or tar
    backup       a folder's `manifest.txt`, which names what has no name

Not here: the bytes of a tar (`archive/indexing.py`, `archive/tar.py`), and of layers
(`archive/layers.py`).
"""
