"""Leaf: the distribution API of a registry, over httpx, blocking and cuttable.

    client        the calls: manifests, blobs, uploads, by digest
    deletion      a manifest or a tag is removed
    listing       its own lists of repositories and tags
    collector     the collector beside our own registry
    download      one blob, over as many connections as it takes
    upload        open, send, close an upload, or take it back
    connection    one request and its response, bounded
    transport     the requests of one call: deadlines, tokens, redirects
    dial_policy   which addresses an upstream may lead us to
    auth          Basic and Bearer, and who may see the credentials
    upstream      what an upstream may do and our own registry may not
    retry         which failures pass by themselves, and the wait for that
    errors        what a refusal and a broken connection mean
    names         paths of the API, from checked parts
    streams       bytes hashed while they pass

It knows nothing of engines, archives or Kubernetes, decides nothing, and tries again only
what reads from an upstream, and whoever is busy for a moment.
"""
