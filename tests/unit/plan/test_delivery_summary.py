"""One line for many deliveries: what came, into how many pods, and why by tar."""

from __future__ import annotations

import pytest

from cyroid_images.model.fault import Route
from cyroid_images.plan.status.delivery_summary import SUMMARY_BYTES, Arrival, sameness, summary

REGISTRY, TAR = Route.REGISTRY, Route.TAR
WHY = "RegistryUnreachable: cannot connect to 10.0.0.1:5000: connection refused"


def images(count: int, route: Route = REGISTRY, why: str = "") -> list[Arrival]:
    return [Arrival(f"{route}-{number}:1", "dind-r1", route, why) for number in range(count)]


@pytest.mark.parametrize(
    ("told", "text"),
    [
        (images(1), "Registry-0:1 delivered into dind-r1 by the registry"),
        (images(1, TAR, WHY), f"Tar-0:1 delivered into dind-r1 by tar ({WHY})"),
        (
            images(2) + images(1, TAR, WHY),
            (
                "3 images delivered into dind-r1: Registry-0:1, Registry-1:1 by the registry;"
                f" Tar-0:1 by tar ({WHY})"
            ),
        ),
        (
            images(12) + images(1, TAR, WHY),
            f"13 images delivered into dind-r1: 12 by the registry, 1 by tar ({WHY})",
        ),
        (
            images(3) + images(2, TAR, WHY) + [Arrival("c:1", "dind-r1", TAR, "x")],
            (
                "6 images delivered into dind-r1: 3 by the registry, 3 by tar"
                f" ({WHY}; and 1 other reason)"
            ),
        ),
        (
            images(1, TAR, WHY) + images(3, TAR, "x") + images(1, TAR, "y"),
            (
                "3 images delivered into dind-r1: Tar-0:1, Tar-1:1, Tar-2:1 by tar"
                " (x; and 2 other reasons)"
            ),
        ),
        (
            [Arrival("a:1", f"dind-{number}", REGISTRY) for number in range(4)],
            "a:1 delivered into 4 pods by the registry",
        ),
        (
            [Arrival("a:1", "one", REGISTRY), Arrival("a:1", "two", TAR, "x")],
            "1 image delivered into 2 pods: a:1 by the registry; a:1 by tar (x)",
        ),
    ],
)
def test_a_summary_says_what_came_where_and_how(told: list[Arrival], text: str) -> None:
    assert summary(told) == text


def test_a_summary_is_bounded_in_bytes() -> None:
    told = [Arrival("ä" * 900, "dind-r1", TAR, "ö" * 900)]
    assert SUMMARY_BYTES - 10 < len(summary(told).encode()) <= SUMMARY_BYTES


def test_the_same_deliveries_are_one_story_whatever_their_order_and_reason() -> None:
    told = images(2) + images(2, TAR, "1 s")
    assert sameness(told) == sameness([*images(2, TAR, "2 s"), *images(2)])
    assert sameness(told) != sameness(images(2))
