"""Brings container images into the Docker engines of cyber ranges, and says truthfully how.

The whole program is one sentence: observe what is, plan what differs, apply it, report
what came of it. The layers, from the ground up; each may import only what stands above it
(`tests/test_layers.py` holds the table and checks it):

    errors      why something is not as wanted: reasons and exceptions
    settings    what a site may change, from the environment
    model       values: references, digests, images, engines, the two kinds, conditions
    scheduling  who may run when: token buckets, fair turns, threads, cancelling, supervised tasks
    sockets     HTTP clients that a CancelScope can cut
    plan        decisions, pure: what the registry lacks, what an engine lacks, what to say
    registry    leaf: the distribution API
    engine      leaf: one Docker engine
    archive     leaf: image archives as streams
    kube        leaf: the Kubernetes API (async)
    transfer    moves that compose the leaves and end in a proof: push, pull, load
    reconcile   the loop: world, queue, jobs, and one pass per object
    metrics     what Prometheus is told
    wiring      joins all of the above to a running operator
    handlers    kopf: hands each event to the world
    bootstrap   what an installation needs once: Secrets, a first cache; not the operator's
    cli         the command line
"""
