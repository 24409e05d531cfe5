"""Leaf: the distribution API of a registry, over httpx, blocking and cuttable.

    client        the calls: manifests, blobs, uploads, by digest
    download      one blob, over as many connections as it takes
    upload        open, send, close an upload, or take it back
    grace         a cut that comes a moment later
    connection    one request and its answer, bounded
    conversation  what is said for that answer: tokens, redirects
    doors         which addresses an upstream may lead us to
    auth          Basic and Bearer, and who may see the credentials
    upstream      what an upstream may do and our own registry may not
    patience      which failures of an upstream pass, and the wait for that
    answers       what a refusal means
    failures      what a broken connection means
    names         paths of the API, from checked parts
    streams       bytes hashed while they pass

It knows nothing of engines, archives or Kubernetes, decides nothing, and tries again only
what reads from an upstream, and whoever is busy for a moment.
"""
