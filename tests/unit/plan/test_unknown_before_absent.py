"""Unknown comes before absent: every mixture of knowing and not knowing, against the rules.

The product is whole, not sampled. Each rule walks it and names every case that breaks it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from cyroid_images.errors import Reason
from cyroid_images.model.actions import Load, Present, Pull
from cyroid_images.model.images.image import ImageContent
from cyroid_images.plan.status.tar_record import record_of, still_true
from tests.parts.conformance import violations
from tests.unit.plan.examples import (
    NOW,
    cache_body,
    content,
    digest,
    fault,
    info,
    range_body,
    source,
    target,
    wish,
)
from tests.unit.plan.unknown_cases import Case, Engine, Registry, Source, Stored, cases
from tests.unit.plan.unknown_outcomes import Document, Outcome, outcome

Rule = Callable[[Case, Outcome], bool]


@cache
def everything() -> tuple[tuple[Case, Outcome], ...]:
    return tuple((case, outcome(case)) for case in cases())


def told(status: Document, kind: str) -> tuple[str, str] | None:
    """Status and reason of a condition."""
    found = [each for each in status["conditions"] if each["type"] == kind]
    return (found[0]["status"], found[0]["reason"]) if found else None


def word(known: ImageContent) -> str:
    return "one" if known.is_same(content("one")) else "two"


def is_ready(status: Document) -> bool:
    return told(status, "Ready") == ("True", "AllImagesPresent")


def is_known_to_be_wrong(case: Case) -> bool:
    """Is it seen that what the range wants is not there, or that nobody has it?"""
    if case.engine is Engine.NOT_LOOKED:
        return False
    if case.engine_word is None:
        return True
    return case.is_nowhere or (case.wanted is not None and case.wanted != case.engine_word)


def stays_ready(case: Case, seen: Outcome) -> bool:
    return not case.was_ready or is_known_to_be_wrong(case) or is_ready(seen.range)


def becomes_ready_by_proof_alone(case: Case, seen: Outcome) -> bool:
    is_proven = case.engine_word is not None and case.engine_word == case.wanted
    return case.was_ready or is_ready(seen.range) == is_proven


def is_not_found_only_where_all_have_answered(case: Case, seen: Outcome) -> bool:
    words = f"{seen.range}{seen.cache}{seen.fill}{seen.known}{seen.steps}"
    return case.is_nowhere or not any(
        each in words for each in ("ImageNotFound", "IMAGE_NOT_FOUND")
    )


def is_told_not_found_where_all_have_answered(case: Case, seen: Outcome) -> bool:
    return not case.is_nowhere or told(seen.cache, "Stalled") == ("True", "ImageNotFound")


def believes_what_is_proven(case: Case, seen: Outcome) -> bool:
    """What ranges are told that an image is, and what is moved, is the wanted content."""
    moved = [step.content for step in seen.steps if isinstance(step, Pull | Load | Present)]
    contents = [*moved, *([seen.known.content] if seen.known.content else [])]
    return all(word(each) == case.wanted for each in contents)


def tells_what_is_known(case: Case, seen: Outcome) -> bool:
    """Nothing that can be told is held back."""
    return (seen.known.content is not None) == (case.wanted is not None)


def gate_closes_for_a_reason(case: Case, seen: Outcome) -> bool:
    is_seen = case.engine not in (Engine.AWAY, Engine.NOT_LOOKED)
    lacks = case.engine_word is None or case.engine_word != case.wanted
    return seen.gate is not False or (is_seen and lacks)


def fills_what_the_registry_is_seen_to_lack(case: Case, seen: Outcome) -> bool:
    is_fill = type(seen.fill).__name__ in ("Push", "Copy")
    has_it = case.stored_word is not None and case.stored_word == case.wanted
    return not is_fill or (case.has_answered and case.source_word is not None and not has_it)


def record_ends_by_other_content_alone(case: Case, seen: Outcome) -> bool:
    """The record of a tar of content `one`, by a digest that nobody else knows."""
    giver = replace(source(), content=content("one", aliases=frozenset({digest("its own")})))
    why = fault(Reason.REGISTRY_UNREACHABLE)
    record = record_of(Load(wish(), target(), info(), giver, why), NOW)
    brought = any(isinstance(step, Present | Load) for step in seen.steps)
    return still_true(record, seen.steps) == (not brought or case.wanted == "one")


def no_condition_contradicts(case: Case, seen: Outcome) -> bool:
    """An available party beside the claim that it is the one that fails."""
    del case
    for status, party, claims in (
        (seen.cache, "RegistryAvailable", ("RegistryUnreachable", "ServerError", "Unauthorized")),
        (seen.cache, "SourceAvailable", ("SourceUnreachable", "TLSRejected")),
        (seen.range, "RegistryAvailable", ("RegistryUnreachable", "ServerError", "Unauthorized")),
        (seen.range, "TargetsAvailable", ("EngineUnreachable", "WaitingForEngine")),
    ):
        ready, available = told(status, "Ready"), told(status, party)
        assert ready is not None
        assert available is not None
        if ready[1] in claims and available[0] == "True":
            return False
    return True


RULES: dict[str, Rule] = {
    "what-is-there-stays-ready-through-every-unknown": stays_ready,
    "nothing-becomes-ready-without-proof": becomes_ready_by_proof_alone,
    "not-found-is-said-only-when-everyone-has-answered": (
        is_not_found_only_where_all_have_answered
    ),
    "what-nobody-has-is-said": is_told_not_found_where_all_have_answered,
    "only-what-is-proven-is-believed": believes_what_is_proven,
    "what-is-known-is-told": tells_what_is_known,
    "a-gate-closes-only-where-something-is-seen-missing": gate_closes_for_a_reason,
    "only-what-the-registry-lacks-is-filled": fills_what_the_registry_is_seen_to_lack,
    "a-record-of-a-tar-ends-only-where-other-content-is-seen": record_ends_by_other_content_alone,
    "conditions-agree": no_condition_contradicts,
}

REASONS: dict[str, Callable[[Case], bool]] = {
    Reason.REGISTRY_UNREACHABLE: lambda case: case.registry is Registry.AWAY,
    Reason.SERVER_ERROR: lambda case: case.registry is Registry.BROKEN,
    Reason.SOURCE_UNREACHABLE: lambda case: case.source is Source.AWAY,
    Reason.UNAUTHORIZED: lambda case: case.registry is Registry.REFUSES,
    Reason.TLS_REJECTED: lambda case: case.source is Source.REFUSES,
    Reason.ENGINE_UNREACHABLE: lambda case: case.engine is Engine.AWAY,
    Reason.IMAGE_NOT_FOUND: lambda case: case.is_nowhere,
    Reason.CACHE_NOT_READY: lambda case: case.is_nowhere,
    Reason.NEW_DIGEST: lambda case: (
        case.source_word is not None and case.stored_word != case.source_word
    ),
    Reason.ALL_IMAGES_PRESENT: lambda case: (
        case.was_ready or (case.engine_word is not None and case.engine_word == case.wanted)
    ),
    Reason.ALL_IMAGES_CACHED: lambda case: (
        case.was_ready or (case.stored_word is not None and case.stored_word == case.wanted)
    ),
}
"""What must be so where a reason is told; those of no party in particular are left out."""


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_unknown_comes_before_absent(rule: Rule) -> None:
    broken = [str(case) for case, seen in everything() if not rule(case, seen)]
    assert not broken, f"{len(broken)} of {len(everything())} cases:\n" + "\n".join(broken[:40])


def test_every_reason_is_true() -> None:
    broken = [
        f"{reason} is told of {case}"
        for case, seen in everything()
        for status in (seen.range, seen.cache)
        for reason in _reasons(status)
        if reason in REASONS and not REASONS[reason](case)
    ]
    assert not broken, f"{len(broken)}:\n" + "\n".join(broken[:40])


def test_every_status_conforms() -> None:
    objects = {
        repr(obj): obj
        for _, seen in everything()
        for obj in (
            {"kind": "RangeImages", **_about(range_body()), "status": seen.range},
            {"kind": "ImageCache", **_about(cache_body()), "status": seen.cache},
        )
    }
    broken = {name: found for name, obj in objects.items() if (found := violations(obj))}
    assert not broken, broken


def test_the_product_is_whole() -> None:
    """Each value of each input is among the cases, with each value of every other that goes
    together with it."""
    held = [case for case, _ in everything()]
    assert len(held) > 3000
    assert {case.registry for case in held} == set(Registry)
    assert {(case.source, case.engine) for case in held} == {
        (source, engine) for source in Source for engine in Engine
    }
    assert {case.stored for case in held if case.registry is Registry.AWAY} == {
        Stored.ONE,
        Stored.TWO,
        Stored.UNKNOWN,
    }


def _about(body: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": body["metadata"]}


def _reasons(status: Document) -> set[str]:
    rows = [*status.get("targetStatuses", ()), *status.get("imageStatuses", ())]
    return {each["reason"] for each in (*status["conditions"], *rows) if "reason" in each}
