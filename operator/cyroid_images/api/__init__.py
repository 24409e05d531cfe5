"""The REST API for people: CYROID's contract for its clients, and ours beside it.

It has no state of its own. What it shows comes from the two kinds, followed over one watch each
however many people read, and from the registry's own lists; what it changes are their specs, as
merge patches. Who asks is reviewed by the Kubernetes API, and so is what they may do. This is a
process of its own: the operator imports nothing of it.

    command      arguments of `cyroid-images api` and `openapi`
    server       the process: connections, uvicorn, TLS
    app          the application of all of that, and what it is called
    routers      the routers of the application, in order
    services     what every route works with
    guard        bounds of requests, headers of answers
    signing_in   a token before anything of `/api/` is looked at
    callers      who somebody is, and what they may do, remembered for seconds
    remembered   answers that are asked for once and kept for seconds
    problems     errors as problem+json
    world        the two kinds as they are now, and what changed
    changed      the ranges by name, with the order of their changes
    visible      which ranges a caller may see
    changing     patches, tried again where somebody was faster
    examining    what the doctor may read here
    streams      server-sent events: how many, how long, how fast
    upload_body  the body of an upload, raw or as a form, piece by piece
    contents     what the registry holds, by its own lists
    routes/      the calls, by topic
    pages        the files of the page
"""
