"""The async leaf: all that we ask of the Kubernetes API, except the watches of kopf.

    cluster           its face: what is asked and told
    api               one call: paced, bounded in time and size, with our own errors
    connection        who we are to the API server
    resources         the kinds that are read or written, and where they are served
    events            as `events.k8s.io/v1` wants them; event_correlator which say the same
    leases            a Lease as the API has it
    rights            the rights that our programs need, as questions
    following         one kind, listed and then watched, without end
    reviews           whose token this is, and what its owner may do
    editing           one object, read and merged with a patch

Objects come and go as the API writes them (dicts in camelCase): `model` turns them into values.
"""

from cyroid_images.kube.cluster import Cluster

__all__ = ["Cluster"]
