"""The small ones: conflicts, leftovers, first word, wording, settled generation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from cyroid_images.errors import Reason
from cyroid_images.model.fault import Route
from cyroid_images.model.images.reference import Reference
from cyroid_images.model.kinds.conditions import Verdict, set_conditions
from cyroid_images.model.kinds.range_images import RangeImages
from cyroid_images.model.observed import Running
from cyroid_images.model.pod import Pod
from cyroid_images.model.telemetry.progress import Progress
from cyroid_images.plan.conflicts import conflicts
from cyroid_images.plan.status.initial_status import (
    initial_cache_status,
    initial_range_status,
    stalled,
)
from cyroid_images.plan.status.observed_generation import generation_observed
from cyroid_images.plan.status.progress_text import under_way
from cyroid_images.plan.tidy import leftovers
from tests.parts.conformance import assert_status_conforms, kstatus
from tests.unit.plan.examples import (
    NOW,
    cache_body,
    cache_item,
    content,
    digest,
    fault,
    range_body,
    range_item,
    view,
    wish,
)

MIB = 1024 * 1024
POD = Pod("u", "default", "dind-1", {"app": "x"}, "10.0.0.1", False, False, ("c",))
ONE, TWO = digest("one"), digest("two")


def wanting(name: str, *images: str, app: str = "x", **spec: Any) -> RangeImages:
    wanted = [{"image": each} for each in images]
    targets = {"selector": {"matchLabels": {"app": app}}}
    return RangeImages.parse(range_body(name, images=wanted, targets=targets, **spec))


CONFLICTS: dict[str, tuple[RangeImages, RangeImages, bool]] = {
    "the-same-name": (wanting("a", "nginx:1"), wanting("b", "nginx:1"), False),
    "two-names": (wanting("a", "nginx:1"), wanting("b", "nginx:2"), False),
    "one-name-two-spellings": (wanting("a", "docker.io/nginx:1"), wanting("b", "nginx:1"), False),
    "one-name-two-digests": (
        wanting("a", f"nginx:1@{ONE}"), wanting("b", f"nginx:1@{TWO}"), True,
    ),
    "pinned-and-not": (wanting("a", f"nginx:1@{ONE}"), wanting("b", "nginx:1"), True),
    "two-caches": (
        wanting("a", "nginx:1", imageCacheRef={"name": "other"}), wanting("b", "nginx:1"), True,
    ),
    "another-pod": (
        wanting("a", f"nginx:1@{ONE}", app="y"), wanting("b", f"nginx:1@{TWO}"), False,
    ),
}  # fmt: skip


@pytest.mark.row("U4")
@pytest.mark.parametrize(("older", "item", "expected"), CONFLICTS.values(), ids=CONFLICTS)
def test_one_name_with_other_content_in_one_pod_is_a_conflict(
    older: RangeImages, item: RangeImages, expected: bool
) -> None:
    found = conflicts(item, [older], [POD]).get(POD.uid, {})
    assert [each.reason for each in found.values()] == [Reason.CONFLICTING_IMAGES] * expected


def test_without_an_older_object_nothing_is_asked_of_a_pod() -> None:
    def pods() -> Iterator[Pod]:
        raise AssertionError("asked")
        yield POD

    assert conflicts(wanting("c", "nginx:1"), [wanting("a", "redis:7")], [POD]) == {}
    assert conflicts(wanting("c", "nginx:1"), [], pods()) == {}


ARM = {"image": "nginx:1", "platform": "linux/arm64"}


@pytest.mark.parametrize(
    ("older", "mine", "what"),
    [
        ({}, {"imageCacheRef": {"name": "mine"}}, "from ImageCache default, not mine,"),
        ({"images": [{"image": f"nginx:1@{ONE}"}]}, {}, f"as {ONE}"),
        ({}, {"images": [{"image": f"nginx:1@{ONE}"}]}, "without a digest"),
        ({"images": [ARM]}, {}, "for linux/arm64"),
        ({}, {"images": [ARM]}, "for the platform of the engine"),
    ],
)
def test_a_conflict_names_the_rival_the_pod_and_what_the_rival_wants_instead(
    older: dict[str, Any], mine: dict[str, Any], what: str
) -> None:
    whole = {
        "images": [{"image": "nginx:1"}],
        "targets": {"selector": {"matchLabels": {"app": "x"}}},
    }
    rival, item = (
        RangeImages.parse(range_body(name, **{**whole, **spec}))
        for name, spec in (("a", older), ("b", mine))
    )
    (found,) = conflicts(item, [rival], [POD])[POD.uid].values()
    assert found.message == f"nginx:1 in dind-1 is wanted {what} by the older RangeImages a"


def test_the_oldest_of_several_rivals_has_the_name() -> None:
    rivals = [wanting("a", f"nginx:1@{ONE}"), wanting("b", f"nginx:1@{TWO}")]
    assert conflicts(wanting("c", f"nginx:1@{ONE}"), rivals, [POD]) == {}
    assert conflicts(wanting("c", f"nginx:1@{TWO}"), rivals, [POD]).keys() == {POD.uid}


def test_a_rival_has_its_names_only_where_it_selects_the_pod() -> None:
    beside = replace(POD, uid="v", name="dind-2", labels={"app": "y"})
    rivals = [wanting("a", f"nginx:1@{ONE}"), wanting("b", "redis:7", app="y")]
    found = conflicts(wanting("c", "nginx:1", "redis:7"), rivals, [POD, beside])
    assert {uid: [str(wish) for wish in lost] for uid, lost in found.items()} == {
        POD.uid: ["nginx:1"]
    }


def test_b18_only_names_that_a_transfer_of_ours_gave_are_left_over() -> None:
    """A person may pull by digest from our registry, too, and may give a repository a tag."""
    shown = view(
        {
            "transfer.cyroid.io/image:abc": content(),
            "nginx:1.25": content(),
            "127.0.0.1:5000/mine:1": content(),
        },
        {
            f"127.0.0.1:5000/docker.io/library/nginx@{ONE}": content(),
            f"127.0.0.1:5000/mine@{TWO}": content(),
            f"127.0.0.1:5000/pulled-by-hand@{TWO}": content(),
            f"nginx@{ONE}": content(),
        },
    )
    ours = {
        Reference.parse(f"127.0.0.1:5000/{name}")
        for name in (f"docker.io/library/nginx@{ONE}", f"mine@{TWO}", f"not-there@{ONE}")
    }
    assert [str(name) for name in leftovers(shown, ours)] == [
        f"127.0.0.1:5000/docker.io/library/nginx@{ONE}",
        "transfer.cyroid.io/image:abc",
    ]
    assert Reference.parse("nginx:1.25") in shown.images


def test_the_first_word_conforms_and_looks_done_to_nobody() -> None:
    for body, status in (
        (range_body(), initial_range_status(range_item("a:1", "b:1"), NOW)),
        (cache_body(), initial_cache_status(cache_item("a:1", "b:1"), NOW)),
    ):
        obj = {**body, "status": status.to_document()}
        assert_status_conforms(obj, body)
        assert kstatus(obj) == "InProgress"
        assert obj["status"]["observedGeneration"] == -1
        assert obj["status"]["summary"]["images"] == "0/2"


@pytest.mark.parametrize("is_range", [True, False])
def test_an_object_that_cannot_be_worked_on_stalls_with_the_rule_it_breaks(
    is_range: bool,
) -> None:
    why = fault(Reason.INVALID_SPEC, "spec.images: broken")
    conditions = stalled((), 3, why, NOW, is_range=is_range)
    body = range_body() if is_range else cache_body()
    status = (
        initial_range_status(range_item(), NOW)
        if is_range
        else initial_cache_status(cache_item(), NOW)
    )
    told = status.model_copy(update={"conditions": conditions, "observed_generation": 3})
    assert_status_conforms({**body, "status": told.to_document()})
    assert {str(each.type): each.status for each in conditions}["Stalled"] == "True"
    assert kstatus({**body, "status": told.to_document()}) == "Failed"


def running(done: int | None, total: int | None = None, **parts: Any) -> Running:
    progress = None if done is None else Progress(done * MIB, total and total * MIB)
    usual: dict[str, Any] = {"pod": "dind-1", "route": Route.REGISTRY, "rate": 0.0}
    return Running(wish(), progress=progress, **{**usual, **parts})


WORDS: dict[str, tuple[tuple[Running, ...], str | None]] = {
    "nothing": ((), None),
    "just-begun": ((running(0),), "pulling nginx:1.25 into dind-1"),
    "some": ((running(3),), "pulling nginx:1.25 into dind-1 (3 MiB)"),
    "of-a-total": ((running(3, 9),), "pulling nginx:1.25 into dind-1 (3 of 9 MiB)"),
    "at-a-rate": (
        (running(3, 9, rate=2.4 * MIB),), "pulling nginx:1.25 into dind-1 (3 of 9 MiB, 2 MiB/s)",
    ),
    "by-tar": ((running(3, route=Route.TAR),), "loading nginx:1.25 into dind-1 (3 MiB)"),
    "into-the-registry": ((running(0, pod=None),), "pushing nginx:1.25"),
    "the-furthest-of-several": (
        (running(None), running(3), running(5)),
        "pulling nginx:1.25 into dind-1 (5 MiB) and 2 more",
    ),
    "one-waits-for-its-turn": ((running(None),), "1 transfer is about to begin"),
    "all-wait-for-their-turn": (
        (running(None), running(None)), "2 transfers are about to begin",
    ),
    "from-one-mib-on": ((running(1, 9),), "pulling nginx:1.25 into dind-1 (1 of 9 MiB)"),
    "on-a-line-of-one-mib": (
        (running(3, 9, rate=1.0 * MIB),), "pulling nginx:1.25 into dind-1 (3 of 9 MiB, 1 MiB/s)",
    ),
    "on-a-slow-line": (
        (running(3, 9, rate=900.0 * 1024),),
        "pulling nginx:1.25 into dind-1 (3 of 9 MiB, 900 KiB/s)",
    ),
    "on-a-line-of-one-kib": (
        (running(3, 9, rate=1024.0),), "pulling nginx:1.25 into dind-1 (3 of 9 MiB, 1 KiB/s)",
    ),
    "slower-than-can-be-told": (
        (running(3, 9, rate=1023.0),), "pulling nginx:1.25 into dind-1 (3 of 9 MiB)",
    ),
    "in-all-as-far-as-they-have-begun": (
        (running(None), running(3, 9, rate=1.0 * MIB), running(5, 10, rate=2.0 * MIB)),
        (
            "pulling nginx:1.25 into dind-1 (5 of 10 MiB, 2 MiB/s) and 2 more"
            " (in all 8 of 19 MiB, 3 MiB/s)"
        ),
    ),
    "nothing-in-all-beside-the-only-one-that-moves": (
        (running(None), running(3, 9)), "pulling nginx:1.25 into dind-1 (3 of 9 MiB) and 1 more",
    ),
    "nothing-in-all-while-one-cannot-say-how-much-it-is": (
        (running(3, 9), running(2), running(1, 9)),
        "pulling nginx:1.25 into dind-1 (3 of 9 MiB) and 2 more",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("moving", "words"), WORDS.values(), ids=WORDS)
def test_what_moves_is_told_in_words(moving: tuple[Running, ...], words: str | None) -> None:
    assert under_way(moving) == words


SETTLED: dict[str, tuple[tuple[str, str, Reason], int]] = {
    "ready": (("Ready", "True", Reason.ALL_IMAGES_PRESENT), 3),
    "not-ready": (("Ready", "False", Reason.PULL_FAILED), 2),
    "suspended": (("Ready", "False", Reason.SUSPENDED), 3),
    "stalled": (("Stalled", "True", Reason.UNAUTHORIZED), 3),
    "another-condition-is-true": (("RegistryAvailable", "True", Reason.AVAILABLE), 2),
}


@pytest.mark.parametrize(("told", "generation"), SETTLED.values(), ids=SETTLED)
def test_a_generation_is_observed_when_it_is_settled(
    told: tuple[Any, Any, Reason], generation: int
) -> None:
    item = range_item(status={"observedGeneration": 2})
    kind, status, reason = told
    conditions = set_conditions((), [Verdict(kind, status, reason, "why")], generation=3, now=NOW)
    assert generation_observed(item.status, item.metadata, conditions) == generation
