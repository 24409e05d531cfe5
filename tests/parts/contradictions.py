"""What no two parts of one status may say: that a party answers, and that it is waited for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cyroid_images.errors import Reason

_CONTRADICTED = {
    "TargetsAvailable": {
        Reason.NO_TARGETS,
        Reason.POD_NOT_READY,
        Reason.WAITING_FOR_ENGINE,
        Reason.ENGINE_UNREACHABLE,
        Reason.TARGET_IDENTITY_MISMATCH,
    },
    "RegistryAvailable": {Reason.REGISTRY_UNREACHABLE},
    "SourceAvailable": {Reason.SOURCE_UNREACHABLE},
}
"""By condition: while it is True, neither Ready nor Stalled nor a row gives these reasons."""


def contradictions(status: Mapping[str, Any]) -> Iterator[str]:
    """No condition says that a party answers while another one waits for that party."""
    told = {each["type"]: each for each in status["conditions"]}
    given = [(name, told[name]["reason"]) for name in ("Ready", "Stalled") if name in told]
    given += [
        (f"a row of {field}", row["reason"])
        for field in ("missing", "imageStatuses")
        for row in status.get(field, ())
        if "reason" in row
    ]
    for name, reasons in _CONTRADICTED.items():
        if name in told and told[name]["status"] == "True":
            for where, reason in given:
                if reason in reasons:
                    yield f"{name} is True, and {where} says {reason}"
