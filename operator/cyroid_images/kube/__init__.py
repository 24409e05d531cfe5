"""The async leaf: all that we ask of the Kubernetes API, except the watches of kopf.

`Cluster` is its face; `Api` makes the calls, a `RateLimiter` keeps them apart. Objects come and go
as the API writes them (dicts in camelCase): `model` turns them into values.
"""

from cyroid_images.kube.cluster import Cluster

__all__ = ["Cluster"]
