"""Names of images, and what tells their content.

    reference, repository   how an image is called, and where the registry keeps it
    digest, platform        which content, for which machine
    image, manifest         what an engine or a registry says that it is made of

Not here: who holds an image (`model/engine.py`, `model/archive.py`, `model/registry.py`).
"""
