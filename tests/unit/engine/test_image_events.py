"""Which events of an engine are news of its images, and that no stream of them is believed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cyroid_images.engine.image_events import MOST_CARRIED, Changes, events_ask, listen
from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.engine import ImageListener
from tests.unit.engine.playback import Playback

OURS = frozenset({"transfer.cyroid.io", "127.0.0.1:5001"})
ID, OTHER = "sha256:" + "a" * 64, "sha256:" + "b" * 64
CARRIED = "transfer.cyroid.io/image:abc-1"


def event(action: str, name: str = "tool:1", image: str = ID, **more: Any) -> dict[str, Any]:
    """As Docker 29 tells it, which leaves out what older ones say twice."""
    about = {"ID": image, "Attributes": {"name": name, "maintainer": "somebody"}}
    return {"Type": "image", "Action": action, "Actor": about, "scope": "local", **more}


@pytest.mark.parametrize(
    "action", ["tag", "load", "import", "pull", "untag", "delete", "create", "prune", "frobnicate"]
)
def test_whatever_may_change_the_images_is_news(action: str) -> None:
    assert Changes(OURS).is_news(event(action))


@pytest.mark.parametrize(
    "told",
    [
        event("push"),
        event("save", name=ID),
        {**event("start"), "Type": "container"},
        {},
        {"Type": "image"},
        {"Type": "image", "Action": {"tag": 1}},
    ],
)
def test_what_changes_nothing_or_makes_no_sense_is_no_news(told: dict[str, Any]) -> None:
    assert not Changes(OURS).is_news(told)


def test_a_name_that_a_transfer_of_ours_gives_and_takes_is_no_news() -> None:
    """A containerd store tells the name that was taken away."""
    changes = Changes(OURS)
    assert not changes.is_news(event("tag", CARRIED))
    assert not changes.is_news(event("untag", CARRIED))
    assert not changes.is_news(event("tag", "127.0.0.1:5001/docker.io/library/tool:1"))
    assert changes.is_news(event("untag", "tool:1"))


def test_a_classic_store_does_not_tell_the_name_and_the_first_untag_is_taken_for_ours() -> None:
    changes = Changes(OURS)
    assert not changes.is_news(event("tag", CARRIED))
    assert changes.is_news(event("untag", OTHER, OTHER))
    assert not changes.is_news(event("untag", ID))
    assert changes.is_news(event("untag", ID)), "one more than we gave"


def test_names_without_end_take_no_memory_and_cost_at_most_a_look() -> None:
    changes = Changes(OURS)
    for number in range(10 * MOST_CARRIED):
        assert not changes.is_news(event("tag", CARRIED, f"sha256:{number}"))
    assert len(changes._carried) <= MOST_CARRIED
    for number in range(MOST_CARRIED):
        changes.is_news(event("untag", f"sha256:{number}", f"sha256:{number}"))
    assert not changes.is_news(event("tag", CARRIED, ID))
    assert not changes.is_news(event("untag", ID))


def heard(*chunks: bytes, cut: bool = False, status: int = 200) -> tuple[list[str], str]:
    """What a listener is told of these chunks, and how it ends."""
    told: list[str] = []
    engine = Playback(chunks, cut=cut, status=status)
    listener = ImageListener(
        1.5, OURS, lambda: told.append("began"), lambda: told.append("changed")
    )
    try:
        listen(engine.wire(), events_ask("/v1.45", 1.5), listener)
    except TransferError as exc:
        return told, str(exc.reason)
    finally:
        (request,) = engine.requests
        assert request.url.path == "/v1.45/events"
        assert request.url.params["since"] == "1.500000000"
        assert json.loads(request.url.params["filters"]) == {"type": ["image"]}
    return told, "ended"


def test_events_are_told_however_they_are_cut() -> None:
    whole = b"".join(json.dumps(event(each)).encode() + b"\n" for each in ("tag", "push", "load"))
    for size in (1, 7, 1000):
        pieces = [whole[start : start + size] for start in range(0, len(whole), size)]
        assert heard(*pieces) == (["began", "changed", "changed"], "ended")


@pytest.mark.parametrize(
    ("chunks", "reason"),
    [
        ([b'{"Type": "image", "x": "' + b"a" * 2**20, b"a" * 2**18], Reason.PROTOCOL_ERROR),
        ([b"garbage "] * 20_000, Reason.PROTOCOL_ERROR),
        ([b"{nonsense}"] * 20_000, Reason.PROTOCOL_ERROR),
    ],
    ids=["a huge object", "garbage", "broken objects"],
)
def test_nonsense_ends_the_stream(chunks: list[bytes], reason: Reason) -> None:
    pace_free = [b"".join(chunks[at : at + 500]) for at in range(0, len(chunks), 500)]
    assert heard(*pace_free) == (["began"], str(reason))


def test_a_refusal_and_a_cut_are_told_as_such() -> None:
    assert heard(b'{"message": "no events here"}', status=403) == ([], "EngineUnreachable")
    assert heard(b"{", cut=True) == (["began"], "TransferInterrupted")
