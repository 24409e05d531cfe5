"""How long it takes to make what the lab needs, on 2 cores with empty caches.

Measured: six minutes for the programs of Kubernetes, nine for everything; how the six divide is
rounded. Only for a person who waits: nothing is decided by these numbers.
"""

from collections.abc import Mapping

SECONDS: Mapping[str, float] = {
    "building kube-apiserver": 240,  # the first: what it compiles serves the next ones
    "building kube-controller-manager": 45,
    "building kube-scheduler": 10,
    "building kubelet": 45,
    "building kube-proxy": 10,
    "building kubectl": 20,
    "building helm": 60,
    "building coredns": 20,
    "building dockerd": 150,  # of the 29 line
    "building containerd": 40,
    "building containerd-shim-runc-v2": 15,
    "making a Debian file system": 30,
    "building image operator": 45,
    "installing Python packages into .venv": 45,
    "installing Python packages into .venv-3.13": 45,
}
