"""Who may run when: token buckets, fair turns, threads and supervised tasks.

Knows nothing of images, engines or the Kubernetes API.
"""
