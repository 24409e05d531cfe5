"""Which reason may stand in which condition with which status: a table of sets."""

from __future__ import annotations

from cyroid_images.errors import Mark, Reason


def marked(*marks: Mark) -> frozenset[Reason]:
    """The reasons with one of these marks."""
    return frozenset(reason for reason in Reason if reason.mark in marks)


DONE = frozenset(
    {
        Reason.ALL_IMAGES_PRESENT,
        Reason.ALL_IMAGES_CACHED,
        Reason.AVAILABLE,
        Reason.NOT_NEEDED,
        Reason.FORCED_BY_SPEC,
    }
)
"""What says that something is as asked."""
WORK = frozenset(
    {
        Reason.PROGRESSING,
        Reason.PROGRESSING_WITH_RETRY,
        Reason.NEW_DIGEST,
        Reason.SOURCE_CHANGED,
        Reason.REFILLING,
    }
)
_BAD = marked(Mark.TRANSIENT, Mark.WAITING, Mark.TERMINAL, Mark.INTEGRITY)
_OPEN = (_BAD | marked(Mark.GOOD)) - DONE
"""Whatever says that something is not, or not yet, as asked."""
_FITTING: dict[tuple[str, str], frozenset[Reason]] = {
    ("Ready", "False"): _OPEN,
    ("Ready", "Unknown"): frozenset({Reason.PROGRESSING}),
    ("TarFallback", "True"): _BAD | {Reason.FORCED_BY_SPEC},
    ("TarFallback", "False"): frozenset({Reason.NOT_NEEDED}),
    ("Reconciling", "True"): WORK | marked(Mark.WAITING),
    ("Stalled", "True"): marked(Mark.TERMINAL, Mark.INTEGRITY) | {Reason.IMAGES_MISSING},
}
for _kind in ("TargetsAvailable", "RegistryAvailable", "SourceAvailable"):
    _FITTING[_kind, "True"] = frozenset({Reason.AVAILABLE})
    _FITTING[_kind, "False"] = _BAD
    _FITTING[_kind, "Unknown"] = _OPEN
_READY = {
    "RangeImages": frozenset({Reason.ALL_IMAGES_PRESENT}),
    "ImageCache": frozenset({Reason.ALL_IMAGES_CACHED}),
}


def fits(kind: str, condition: str, status: str, reason: Reason) -> bool:
    """May this reason stand in this condition of this kind with this status?"""
    if (condition, status) == ("Ready", "True"):
        return reason in _READY[kind]
    return reason in _FITTING.get((condition, status), ())
