"""A stream succeeds only by its result: not by status 200, silence or an old image."""

from __future__ import annotations

import base64
import json

import pytest

from cyroid_images.engine import save_load, streams
from cyroid_images.engine.layers import LayerProgress
from cyroid_images.engine.limits import StreamLimits
from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.images.reference import Reference
from cyroid_images.model.registry import Credentials
from cyroid_images.model.telemetry.progress import Progress, ignore
from tests.unit.engine.playback import Playback

TRANSPORT = Reference.parse(f"r:5000/x@sha256:{'0' * 64}")
PUSHED = Reference.parse("r:5000/x:1")
DONE = b'{"status":"Status: Downloaded newer image for r:5000/x"}\r\n'
DIGEST = f"sha256:{'a' * 64}"


def pull_reason(*chunks: bytes, cut: bool = False) -> Reason | None:
    ask = streams.pull_ask("", TRANSPORT)
    try:
        streams.pull(Playback(chunks, cut=cut).wire(), ask, ignore, LayerProgress(), StreamLimits())
    except TransferError as error:
        return error.reason
    return None


def load_reason(*chunks: bytes, cut: bool = False) -> Reason | None:
    try:
        save_load.load(
            Playback(chunks, cut=cut).wire(), save_load.load_ask("", None), iter([b"x"]), ignore
        )
    except TransferError as error:
        return error.reason
    return None


@pytest.mark.parametrize(
    ("chunks", "reason"),
    [
        ([DONE], None),
        ([], Reason.TRANSFER_INTERRUPTED),
        ([b'{"status":"Pulling from x"}'], Reason.TRANSFER_INTERRUPTED),
        ([DONE, b'{"error":"no space left on device"}'], Reason.INSUFFICIENT_STORAGE),
        ([b"<html>a proxy</html>"], Reason.PROTOCOL_ERROR),
        ([DONE[:-8]], Reason.PROTOCOL_ERROR),
    ],
    ids=["status", "nothing", "no-status", "status-then-error", "html", "half-a-status"],
)
def test_a_pull_ends_in(chunks: list[bytes], reason: Reason | None) -> None:
    assert pull_reason(*chunks) is reason


def test_a_connection_that_breaks_after_the_result_is_no_success() -> None:
    """What would have come next may have been the error."""
    assert pull_reason(DONE, cut=True) is Reason.TRANSFER_INTERRUPTED


@pytest.mark.parametrize(
    ("chunks", "reason"),
    [
        ([b'{"stream":"Loaded image: x:1\\n"}'], None),
        ([b'{"stream":"Loaded image ID: sha256:00\\n"}'], None),
        ([], Reason.TRANSFER_INTERRUPTED),
        ([b"[]"], Reason.PROTOCOL_ERROR),
        ([b'{"errorDetail":{"message":"broken layer"}}'], Reason.LOAD_FAILED),
        ([b'{"error":"broken layer"}'], Reason.LOAD_FAILED),
        ([b'{"stream":"Loaded image: x:1\\n"}', b'{"error":"broken layer"}'], Reason.LOAD_FAILED),
        (
            [
                b'{"stream":"Loaded image: x:1\\n"}',
                b'{"stream":"Error unpacking image x:1 (overlayfs)"}',
            ],
            Reason.LOAD_FAILED,
        ),
    ],
    ids=[
        "name", "id", "nothing", "empty-list", "detail", "error", "loaded-then-error",
        "loaded-but-not-unpacked",
    ],
)  # fmt: skip
def test_p_s4_a_load_ends_in(chunks: list[bytes], reason: Reason | None) -> None:
    assert load_reason(*chunks) is reason


def test_p_s4_a_failed_load_keeps_the_words_of_the_engine() -> None:
    with pytest.raises(TransferError, match="broken layer"):
        save_load.load(
            Playback([b'{"error":"broken layer"}']).wire(),
            save_load.load_ask("", None),
            iter([b"x"]),
            ignore,
        )


def test_p_e7_a_failing_observer_changes_no_outcome() -> None:
    def defect(progress: Progress) -> None:
        raise RuntimeError(progress)

    layer = b'{"status":"Downloading","id":"a","progressDetail":{"current":1,"total":2}}'
    ask = streams.pull_ask("", TRANSPORT)
    streams.pull(Playback([layer, DONE]).wire(), ask, defect, LayerProgress(), StreamLimits())
    loaded = Playback([b'{"stream":"Loaded image: x:1"}']).wire()
    assert save_load.load(loaded, save_load.load_ask("", None), iter([b"x"]), defect) == ("x:1",)


@pytest.mark.parametrize(
    ("body", "digest"),
    [
        ({"status": f"1: digest: {DIGEST} size: 5"}, DIGEST),
        ({"aux": {"Tag": "1", "Digest": DIGEST}}, DIGEST),
        ({"status": f"2: digest: {DIGEST} size: 5"}, None),
        ({"status": "1: digest: sha256:short size: 5"}, None),
        ({"status": "Pushed"}, None),
    ],
    ids=["text", "aux", "another-tag", "no-digest", "no-result"],
)
def test_a_push_answers_the_digest_it_was_told(body: object, digest: str | None) -> None:
    wire = Playback([json.dumps(body).encode()]).wire()
    ask = streams.push_ask("", PUSHED, None)
    if digest:
        assert str(streams.push(wire, ask, ignore)) == digest
        return
    with pytest.raises(TransferError) as caught:
        streams.push(wire, ask, ignore)
    assert caught.value.reason is Reason.TRANSFER_INTERRUPTED


def test_a_push_always_sends_credentials_in_base64url() -> None:
    nobody = streams.push_ask("", PUSHED, None).headers["X-Registry-Auth"]
    assert base64.urlsafe_b64decode(nobody) == b"{}"
    somebody = streams.registry_auth("r:5000", Credentials("me", "\xff\xfe?>secret"))
    assert "+" not in somebody
    assert "/" not in somebody
    assert json.loads(base64.urlsafe_b64decode(somebody)) == {
        "username": "me",
        "password": "\xff\xfe?>secret",
        "serveraddress": "r:5000",
    }


def test_a_password_that_the_engine_echoes_is_not_shown() -> None:
    ask = streams.push_ask("", PUSHED, Credentials("me", "hunter2"))
    wire = Playback([b'{"error":"unauthorized: hunter2 is wrong"}']).wire()
    with pytest.raises(TransferError) as caught:
        streams.push(wire, ask, ignore)
    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in repr(ask)


def test_a_tar_that_is_shorter_than_announced_is_said_to_be() -> None:
    wire = Playback([b'{"stream":"Loaded image: x:1"}']).wire()
    with pytest.raises(TransferError, match="3 bytes instead of 10"):
        save_load.load(wire, save_load.load_ask("", 10), iter([b"xyz"]), ignore)
