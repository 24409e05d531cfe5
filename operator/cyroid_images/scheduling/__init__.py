"""Who may run when: token buckets, fair turns, threads, cancelling, supervised tasks.

Knows nothing of images, engines or the Kubernetes API.
"""
