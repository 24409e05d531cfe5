"""Brings container images into the Docker engines of cyber ranges, and says truthfully how.

The whole program is one sentence: observe what is, plan what differs, apply it, report
what came of it. The layers, from the ground up; each may import only what stands above it
(`tests/test_layers.py` holds the table and checks it):

    errors      why something is not as wanted: reasons and exceptions
    settings    what an installation may change, from the environment
    model       values: references, digests, images, engines, the two kinds
    logs        what a log line looks like; no Secret in it
    defects     a defect of our own: told on its row or object, with an id for the log
    scheduling  who may run when: queue, token buckets, fair turns, threads, cancel scopes
    sockets     HTTP clients that a cancel scope can cut
    plan        decisions, pure: what the registry lacks, what an engine lacks, what to say
    registry    leaf: the distribution API
    engine      leaf: one Docker engine
    archive     leaf: image archives as streams
    kube        leaf: the Kubernetes API (async)
    transfer    functions that compose the leaves and end in a proof: push, copy, pull, load
    store       what the API server told, and what passes tell one another
    observe     what was seen of the outside, with its age; looks in threads of its own
    execute     makes the running transfers equal to the wanted ones
    report      statuses, events, readiness gates and audit lines, from queues of their own
    reconcile   the controller: one pass per object, which awaits nothing
    metrics     what Prometheus is told
    probes      /healthz, /readyz and /metrics
    wiring      joins all of the above to a running operator
    handlers    kopf: hands each event to the controller
    overview    what people are shown of the two kinds, as JSON
    client      the REST API from Python
    edits       what people change of them, as patches
    blueprints  which images a lab asks for, and how a bundle comes onto the volume
    api         the REST API, a process of its own
    crds        writes the CustomResourceDefinitions from the models
    bootstrap   what an installation needs once: Secrets, a first cache; not the operator's
    collect     frees the disk of the chart's registry, beside it; not the operator's
    cli         the command line of the operator's image
    console     the command line of people: `kubectl cyroid`
"""
