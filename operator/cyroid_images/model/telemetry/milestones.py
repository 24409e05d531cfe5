"""The named points of a delivery, as the key `step` of a log line says them.

One list for all who follow the log: people who look for where a delivery hangs, and tests
that kill the operator at each point. A line stands before what it announces ("...-started",
so that nothing of it has happened yet) or directly after what it reports. The lines are
written where it happens, in `reconcile` and `transfer`; the order here is that of a delivery.
"""

from __future__ import annotations

from enum import StrEnum


class Milestone(StrEnum):
    """A point of a delivery; what was reached survives a kill right there."""

    STATUS_FIRST = "status-first"
    """After: the first status of an object is written; the first looks are under way."""
    LOOKED = "looked"
    """After: registry, sources and engines were looked at; once per object and generation."""
    PUSH_STARTED = "push-started"
    """Before: a source engine, or a stream of ours, brings an image into the registry."""
    COPY_STARTED = "copy-started"
    """Before: an image of an upstream or archive is brought into the registry."""
    LAYERS_SENT = "layers-sent"
    """After: all layers are in the registry, sent by us; its manifest is not."""
    PUSHED = "pushed"
    """After: the image of a source engine is in the registry, proven."""
    COPIED = "copied"
    """After: the image of an upstream or archive is in the registry, proven."""
    RECORD_WRITTEN = "record-written"
    """After: the records of the loads to come are in status; no byte of them has moved."""
    PULL_STARTED = "pull-started"
    """Before: a range engine is asked to pull."""
    PULLED = "pulled"
    """After: the engine has the image under its transport name only."""
    LOAD_STARTED = "load-started"
    """Before: the first byte of a tar goes into a range engine."""
    LOADED = "loaded"
    """After: the engine took the tar; the image is not proven."""
    PROVEN = "proven"
    """After: the engine has the wanted content, whole, under its transport name only."""
    TAGGED = "tagged"
    """After: the image has the name that the range wants."""
    TIDIED = "tidied"
    """After: the transport name is dropped; nothing of the transfer is left."""
    READY = "ready"
    """After: a status with Ready=True is written."""
