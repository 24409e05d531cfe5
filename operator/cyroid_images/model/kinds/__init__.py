"""The two kinds, as a user writes them and as the operator writes back.

    image_cache, range_images   a kind each; resources has both in one import
    sources, fields, limits, retention, selector, duration, metadata   what their specs are made of
    status, conditions          what is written back; read_status reads it again
    status_fields, lifecycle    what a status is made of: fields; rows of an image's life
    recorded_digests            the digests that a cache records in its status

`crds` makes the CustomResourceDefinitions from these. Not here: what a status says (`plan/status`).
"""
