"""Events as people see them: one per story, counted when it repeats."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cyroid_images.errors import AccessDenied, Reason
from cyroid_images.kube import Cluster
from cyroid_images.model.event import EventNote, EventType
from tests.parts.apiserver import ApiServerPart
from tests.parts.asking import ask

pytestmark = pytest.mark.slow


def note(uid: str, **other: Any) -> EventNote:
    """A note on a range that needs no object behind it."""
    plain = EventNote(
        "RangeImages", "default", "red", uid, Reason.IMAGE_DELIVERED, "nginx:1.25 into dind-1"
    )
    return replace(plain, **other)


def events_of(part: ApiServerPart, uid: str, namespace: str = "default") -> list[dict[str, Any]]:
    body = part.call("GET", f"/apis/events.k8s.io/v1/namespaces/{namespace}/events")
    return [item for item in body["items"] if item["regarding"].get("uid") == uid]


def test_an_event_tells_who_says_what_of_which_object(crds: ApiServerPart, operator: Path) -> None:
    warning = note("uid-whole", type=EventType.WARNING, reason=Reason.REGISTRY_UNREACHABLE)
    ask(operator, lambda c: c.emit(warning))
    [event] = events_of(crds, "uid-whole")
    assert (event["type"], event["reason"]) == ("Warning", "RegistryUnreachable")
    assert event["note"] == "nginx:1.25 into dind-1"
    assert event["reportingController"] == "cyroid-operator"
    assert event["reportingInstance"] == "operator-1"
    assert event["regarding"] == {
        "apiVersion": "cyroid.io/v1alpha1",
        "kind": "RangeImages",
        "namespace": "default",
        "name": "red",
        "uid": "uid-whole",
    }


def test_a_repeat_counts_in_the_same_event(crds: ApiServerPart, operator: Path) -> None:
    async def three_times(cluster: Cluster) -> None:
        for _ in range(3):
            await cluster.emit(note("uid-repeat"))

    ask(operator, three_times)
    [event] = events_of(crds, "uid-repeat")
    assert event["series"]["count"] == 3


def test_b21_a_repeat_shows_the_newest_message(crds: ApiServerPart, operator: Path) -> None:
    async def growing(cluster: Cluster) -> None:
        for number in (0, 4, 9):
            await cluster.emit(note("uid-newest", message=f"{number} of 9 images", count=2))

    ask(operator, growing)
    [event] = events_of(crds, "uid-newest")
    assert (event["note"], event["series"]["count"]) == ("9 of 9 images", 6)
    listed = crds.kubectl("get", "events", "-o", "wide", "--field-selector=type=Normal").stdout
    assert "9 of 9 images" in listed
    assert "0 of 9 images" not in listed


def test_another_key_is_another_event(crds: ApiServerPart, operator: Path) -> None:
    async def two_digests(cluster: Cluster) -> None:
        await cluster.emit(note("uid-keys", key="sha256:aa"))
        await cluster.emit(note("uid-keys", key="sha256:bb"))

    ask(operator, two_digests)
    assert len(events_of(crds, "uid-keys")) == 2


def test_an_event_that_expired_is_written_anew(crds: ApiServerPart, operator: Path) -> None:
    async def before_and_after(cluster: Cluster) -> None:
        await cluster.emit(note("uid-expired"))
        [event] = events_of(crds, "uid-expired")
        name = event["metadata"]["name"]
        crds.call("DELETE", f"/apis/events.k8s.io/v1/namespaces/default/events/{name}")
        await cluster.emit(note("uid-expired"))

    ask(operator, before_and_after)
    assert len(events_of(crds, "uid-expired")) == 1


def test_what_is_said_of_the_cluster_lives_in_default(crds: ApiServerPart, operator: Path) -> None:
    ask(operator, lambda c: c.emit(note("uid-cache", kind="ImageCache", namespace="")))
    assert len(events_of(crds, "uid-cache")) == 1


@pytest.mark.parametrize(
    "message", [pytest.param("x" * 5000, id="ascii"), pytest.param("ä" * 1000, id="two-bytes-each")]
)
def test_a_long_message_is_cut_and_not_refused(
    crds: ApiServerPart, operator: Path, message: str
) -> None:
    uid = f"uid-long-{message[0]}"
    ask(operator, lambda c: c.emit(note(uid, message=message, name="n" * 253)))
    [event] = events_of(crds, uid)
    assert 1000 < len(event["note"].encode()) <= 1024


def test_an_event_that_cannot_be_written_is_told_to_who_writes(
    crds: ApiServerPart, stranger: Path
) -> None:
    with pytest.raises(AccessDenied, match=r"POST .*/events: 403"):
        ask(stranger, lambda c: c.emit(note("uid-denied")))
    assert events_of(crds, "uid-denied") == []


@pytest.mark.row("K9")
@pytest.mark.parametrize("ending", ["terminating", "gone"])
def test_an_event_in_a_namespace_that_ends_is_no_news(
    crds: ApiServerPart, operator: Path, caplog: pytest.LogCaptureFixture, ending: str
) -> None:
    """No controller runs here, so a deleted namespace stays as it is in the first moments."""
    name = f"ends-{ending}"
    if ending == "terminating":
        crds.put_namespace(name)
        crds.call("DELETE", f"/api/v1/namespaces/{name}")
    with caplog.at_level("DEBUG", logger="cyroid_images"):
        ask(operator, lambda c: c.emit(note(f"uid-{ending}", namespace=name)))
    assert ("being terminated" in caplog.text) == (ending == "terminating")
