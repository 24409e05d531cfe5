"""The informer cache, and what passes tell one another: plain stores, without I/O.

    store         objects, pods and namespaces, and whom a change touches (informer cache)
    by_namespace  a dict that also tells what is in one namespace
    demand        ranges say what they want, caches publish what they know
    keys          which object a pass is for
    relists       notices that a watch listed anew, because such a list loses deletions

Not here: what was seen of engines, registries and sources (`observe`).
"""
