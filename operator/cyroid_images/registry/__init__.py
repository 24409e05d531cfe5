"""Leaf: the distribution API of a registry, over httpx, blocking and cuttable.

    client      the calls: manifests, blobs, uploads, by digest
    upload      open, send, close an upload, or take it back
    connection  one request and its answer, bounded
    auth        Basic and Bearer, and who may see the credentials
    answers     what a refusal means
    failures    what a broken connection means
    names       paths of the API, from checked parts
    streams     bytes hashed while they pass

It knows nothing of engines, archives or Kubernetes, decides nothing and retries nothing.
"""
