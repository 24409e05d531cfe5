"""The calls, by topic; each asks first whether the caller may.

registry     images, tags, numbers and health of a registry
pushes       to push an image, and to follow that
removal      to delete an image
hosts        what source engines hold
collection   to free the disk of a registry
caches       the ImageCaches
ranges       ranges and events
following    what changes, as server-sent events
uploads      bundles and docker-save archives, streamed to the archive volume
system       who asks, what this installation can do, what is wrong with it
"""
