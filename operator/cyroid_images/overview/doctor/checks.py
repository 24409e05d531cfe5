"""One row of the doctor's table."""

from __future__ import annotations

from enum import StrEnum

from cyroid_images.overview.answer import Answer
from cyroid_images.overview.doctor.facts import NotSeen


class CheckResult(StrEnum):
    """What a check came to."""

    OK = "ok"
    WARN = "warn"
    """It works, and somebody should know."""
    NO = "no"
    """It does not work."""
    UNKNOWN = "unknown"
    """It could not be looked at; `todo` says which right is missing."""


class Check(Answer):
    """One precondition of an installation."""

    check: str
    """What is looked at."""
    result: CheckResult
    what: str
    """What was found."""
    todo: str = ""
    """What to do; empty where there is nothing to do."""


def ok(check: str, what: str) -> Check:
    return Check(check=check, result=CheckResult.OK, what=what)


def warn(check: str, what: str, todo: str) -> Check:
    return Check(check=check, result=CheckResult.WARN, what=what, todo=todo)


def no(check: str, what: str, todo: str) -> Check:
    return Check(check=check, result=CheckResult.NO, what=what, todo=todo)


def unknown(check: str, why: NotSeen | str, todo: str = "") -> Check:
    """Not looked at, and why not."""
    if isinstance(why, NotSeen):
        need = f"needs the right to {why.right}" if why.is_denied else "ask again"
        return Check(check=check, result=CheckResult.UNKNOWN, what=why.why, todo=todo or need)
    return Check(check=check, result=CheckResult.UNKNOWN, what=why, todo=todo)


def some(names: list[str], most: int = 5) -> str:
    """The first names, and how many more there are."""
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown
