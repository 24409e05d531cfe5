"""All rows of the doctor, in the order in which people should read them."""

from __future__ import annotations

from collections.abc import Iterable

from cyroid_images.overview.doctor.caches import caches
from cyroid_images.overview.doctor.checks import Check, CheckResult
from cyroid_images.overview.doctor.facts import Facts
from cyroid_images.overview.doctor.installation import installation
from cyroid_images.overview.doctor.ranges import ranges


def examine(facts: Facts) -> tuple[Check, ...]:
    """What the installation stands on first: a fault there explains those below it."""
    return (*installation(facts), *caches(facts), *ranges(facts))


def is_well(checks: Iterable[Check]) -> bool:
    """Nothing is known to be wrong."""
    return all(each.result is not CheckResult.NO for each in checks)
