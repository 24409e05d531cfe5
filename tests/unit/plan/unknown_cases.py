"""Every mixture of what is known and unknown of one image, and what is true of each.

The truth of a case is computed here from the case alone: nothing of the plan is used for it.
One image is wanted by one range with one engine; `one` and `two` are its contents.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import product


class Registry(Enum):
    """What the registry says when it is asked."""

    SEEN = "the-registry-answers"
    AWAY = "the-registry-is-away"
    BROKEN = "its-storage-is-down"
    REFUSES = "the-registry-refuses-our-password"
    NOT_ASKED = "the-registry-is-not-asked"


class Source(Enum):
    """What the only source shows."""

    HAS = "the-source-has-it"
    MOVED = "the-source-has-other-content"
    LACKS = "the-source-lacks-it"
    AWAY = "the-source-is-away"
    REFUSES = "the-source-refuses-our-certificate"
    NOT_LOOKED = "the-source-is-not-looked-at"
    NONE = "there-is-no-source"


class Stored(Enum):
    """What the registry answered of the image last."""

    ONE = "the-registry-has-it"
    TWO = "the-registry-has-other-content"
    ABSENT = "the-registry-lacks-it"
    UNKNOWN = "no-word-of-the-registry"


class Anchor(Enum):
    """Which content was proven against a source before."""

    NONE = "no-anchor"
    ONE = "anchored"
    TWO = "anchored-to-other-content"


class Engine(Enum):
    """What the engine of the range shows."""

    HOLDS = "the-engine-has-it"
    OTHER = "the-engine-has-other-content"
    LACKS = "the-engine-lacks-it"
    AWAY = "the-engine-is-away"
    NOT_LOOKED = "the-engine-is-not-looked-at"


@dataclass(frozen=True, slots=True)
class Case:
    """One mixture."""

    registry: Registry
    source: Source
    stored: Stored
    anchor: Anchor
    engine: Engine
    was_ready: bool
    policy: str

    def __str__(self) -> str:
        parts = (self.registry, self.source, self.stored, self.anchor, self.engine)
        was = "was-ready" if self.was_ready else "was-not-ready"
        return "/".join((*(each.value for each in parts), was, self.policy))

    @property
    def has_answered(self) -> bool:
        """Has the registry told, now, whether it has the image?"""
        return self.registry is Registry.SEEN and self.stored is not Stored.UNKNOWN

    @property
    def source_word(self) -> str | None:
        """The content that the source shows."""
        return {Source.HAS: "one", Source.MOVED: "two"}.get(self.source)

    @property
    def stored_word(self) -> str | None:
        """The content that the registry was seen to have."""
        return {Stored.ONE: "one", Stored.TWO: "two"}.get(self.stored)

    @property
    def anchor_word(self) -> str | None:
        return {Anchor.ONE: "one", Anchor.TWO: "two"}.get(self.anchor)

    @property
    def engine_word(self) -> str | None:
        """The content that stands under the name in the engine."""
        return {Engine.HOLDS: "one", Engine.OTHER: "two"}.get(self.engine)

    @property
    def sources_lack_it(self) -> bool:
        return self.source in (Source.LACKS, Source.NONE)

    @property
    def is_nowhere(self) -> bool:
        """Everyone has answered, and nobody has what may be believed."""
        return self.sources_lack_it and self.has_answered and self.wanted is None

    @property
    def wanted(self) -> str | None:
        """The content that is proven to be the wanted one; None: nobody can tell now."""
        stored, anchor, source = self.stored_word, self.anchor_word, self.source_word
        is_anchored = anchor is not None and stored == anchor
        if self.policy == "Pin" and anchor is not None and (is_anchored or not self.has_answered):
            return anchor if is_anchored else None
        if source is not None:
            return source
        if anchor is not None:
            return anchor if is_anchored else None
        return stored if self.sources_lack_it else None


def cases() -> Iterator[Case]:
    """All of them. After a restart of the operator nothing is remembered of the registry: these
    are the cases without a word of it; with one, the operator went on running."""
    for values in product(Registry, Source, Stored, Anchor, Engine, (True, False)):
        for policy in ("Track", "Pin"):
            case = Case(*values, policy)
            if _is_possible(case):
                yield case


def _is_possible(case: Case) -> bool:
    """Before it was asked nothing is known of it, and while it is away it tells of no absence.

    What is pinned is asked for by its digest alone: it is there or it is not.
    """
    if case.registry is Registry.NOT_ASKED and case.stored is not Stored.UNKNOWN:
        return False
    if case.registry is not Registry.SEEN and case.stored is Stored.ABSENT:
        return False
    is_pinned = case.policy == "Pin" and case.anchor is not Anchor.NONE
    return not is_pinned or case.stored_word in (None, case.anchor_word)
