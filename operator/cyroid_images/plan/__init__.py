"""Decisions, pure: what was seen goes in, what to do and what to say comes out.

    delivery       what one engine lacks, and by which route each image comes
    cache          what the registry lacks; sources where an image comes from
    offers         what source engines hold unasked, and what of it is pushed by itself
    needs          what keeps images in a registry; removal what leaves it
    conflicts      two objects that want one name with different content in one pod
    backoff        when to try again, and when the registry route gives way to a tar
    push_order     images on one base enter the registry one after the other
    limits         how long a range may wait, and how often it may have engines looked at
    tidy           which names in an engine an interrupted transfer left
    gate           does a pod hold all that anybody wants in it?
    collection     is the disk of a registry to be freed now, and what is said of it
    leading        may a Lease be taken?
    status/        what to say of it all, in the status of an object

No I/O, no clock, no log in here; `now` is an argument. Not here: what is remembered from pass
to pass (`reconcile`), and what carries a decision out (`execute`).
"""
