"""What 300 recorded answers of Docker 26, 28 and 29 mean, whatever pieces they arrive in."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from cyroid_images.engine import save_load, streams
from cyroid_images.engine.events import Decoder, events_of
from cyroid_images.engine.layers import LayerProgress
from cyroid_images.engine.limits import StreamLimits
from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.reference import Reference
from cyroid_images.model.telemetry.progress import Progress, ignore
from tests.unit.engine.playback import Playback

RECORDINGS = Path(__file__).parent / "recordings"
STORES = ("classic", "containerd")
TRANSPORT = Reference.parse(f"cyroid-registry.cyroid.svc:5000/local/x@sha256:{'0' * 64}")
PUSHED = Reference.parse("cyroid-registry.cyroid.svc:5001/local/x:1")

OK = "ok"
Outcome = Reason | str
TABLE: dict[str, tuple[int, Outcome, Outcome]] = {
    # scenario: status before the body, outcome with the classic store, with the containerd store
    "load-disk-full": (200, Reason.INSUFFICIENT_STORAGE, Reason.INSUFFICIENT_STORAGE),
    "load-garbage": (200, Reason.LOAD_FAILED, Reason.LOAD_FAILED),
    "load-hybrid-partial-absent": (200, Reason.LOAD_FAILED, Reason.LOAD_FAILED),
    "load-hybrid-partial-present": (200, OK, OK),
    "load-hybrid-zstd": (200, OK, OK),
    "load-json-in-tar": (200, Reason.TRANSFER_INTERRUPTED, Reason.TRANSFER_INTERRUPTED),
    "load-not-an-image": (200, Reason.LOAD_FAILED, Reason.LOAD_FAILED),
    "load-other-platform": (200, OK, OK),
    "load-success": (200, OK, OK),
    "load-truncated-late": (200, Reason.TRANSFER_INTERRUPTED, Reason.TRANSFER_INTERRUPTED),
    "preflight-no-such-host": (500, Reason.REGISTRY_UNREACHABLE, Reason.REGISTRY_UNREACHABLE),
    "preflight-not-trusted": (500, Reason.REGISTRY_NOT_TRUSTED, Reason.REGISTRY_NOT_TRUSTED),
    "preflight-registry-down": (500, Reason.REGISTRY_UNREACHABLE, Reason.REGISTRY_UNREACHABLE),
    "preflight-success": (200, OK, OK),
    "preflight-unauthorized": (500, Reason.UNAUTHORIZED, Reason.UNAUTHORIZED),
    "preflight-unknown-digest": (404, Reason.IMAGE_NOT_FOUND, Reason.IMAGE_NOT_FOUND),
    "pull-again-zstd": (200, OK, OK),
    "pull-disk-full": (200, Reason.INSUFFICIENT_STORAGE, Reason.INSUFFICIENT_STORAGE),
    "pull-engine-killed": (200, Reason.TRANSFER_INTERRUPTED, Reason.TRANSFER_INTERRUPTED),
    "pull-no-such-host": (500, Reason.REGISTRY_UNREACHABLE, Reason.REGISTRY_UNREACHABLE),
    "pull-not-trusted": (500, Reason.REGISTRY_NOT_TRUSTED, Reason.REGISTRY_NOT_TRUSTED),
    "pull-other-platform": (200, OK, OK),
    # The classic store says Status: first and the error afterwards.
    "pull-other-platform-asked": (200, Reason.PLATFORM_MISMATCH, OK),
    "pull-registry-down": (500, Reason.REGISTRY_UNREACHABLE, Reason.REGISTRY_UNREACHABLE),
    # The classic store tries a layer again by itself.
    "pull-registry-killed": (200, OK, Reason.TRANSFER_INTERRUPTED),
    "pull-success-big-zstd": (200, OK, OK),
    "pull-success-gzip": (200, OK, OK),
    "pull-success-huge": (200, OK, OK),
    "pull-success-zstd": (200, OK, OK),
    "pull-unauthorized": (500, Reason.UNAUTHORIZED, Reason.UNAUTHORIZED),
    "pull-unknown-digest": (404, Reason.IMAGE_NOT_FOUND, Reason.IMAGE_NOT_FOUND),
    "push-again": (200, OK, OK),
    "push-no-auth-header": (400, Reason.PUSH_FAILED, Reason.PUSH_FAILED),
    "push-not-trusted": (200, Reason.REGISTRY_NOT_TRUSTED, Reason.REGISTRY_NOT_TRUSTED),
    "push-registry-down": (200, Reason.REGISTRY_UNREACHABLE, Reason.REGISTRY_UNREACHABLE),
    "push-success": (200, OK, OK),
    # The containerd store only asks whether everything is there, and it is.
    "push-to-readonly": (200, Reason.REGISTRY_READ_ONLY, OK),
    "push-unauthorized": (200, Reason.UNAUTHORIZED, Reason.UNAUTHORIZED),
    "push-unauthorized-empty": (200, Reason.UNAUTHORIZED, Reason.UNAUTHORIZED),
    "push-unknown-tag": (200, Reason.IMAGE_NOT_FOUND, Reason.IMAGE_NOT_FOUND),
}
CASES = [
    pytest.param(scenario, store, status, outcomes[number], id=f"{scenario}-{store}")
    for scenario, (status, *outcomes) in TABLE.items()
    for number, store in enumerate(STORES)
    if (RECORDINGS / f"{scenario}.{store}.jsonl").exists()
]

NEWER = RECORDINGS / "newer"
DIFFERENT: dict[str, tuple[Outcome, Outcome]] = {
    # What 28 and 29 say otherwise than 26, or what was recorded of them only.
    "load-after-truncated-same-member-larger": (OK, OK),
    "load-after-truncated-same-member-smaller": (OK, Reason.LOAD_FAILED),
    "load-after-truncated-same-tar": (OK, OK),
    "load-empty": (Reason.LOAD_FAILED, Reason.LOAD_FAILED),
    "load-hybrid-again": (OK, OK),
    "load-hybrid-gzip": (OK, OK),
    "load-json-in-tar": (OK, OK),
    "load-truncated-early": (Reason.TRANSFER_INTERRUPTED, Reason.TRANSFER_INTERRUPTED),
    # `Loaded image` comes first, and that it could not be unpacked after it.
    "load-wrong-layer": (Reason.LOAD_FAILED, Reason.LOAD_FAILED),
    "preflight-unauthorized-wrong": (Reason.UNAUTHORIZED, Reason.UNAUTHORIZED),
    "pull-blob-flipped": (Reason.DIGEST_MISMATCH, Reason.DIGEST_MISMATCH),
    "pull-blob-missing": (Reason.BLOB_MISSING, Reason.BLOB_MISSING),
    "pull-for-push": (OK, OK),
    "pull-index-again": (OK, OK),
    "pull-index-by-child-digest": (OK, OK),
    "pull-index-by-index-digest": (OK, OK),
    # A warning only: the proof after it tells.
    "pull-other-platform-asked": (OK, OK),
    "pull-registry-killed": (Reason.REGISTRY_UNREACHABLE, Reason.TRANSFER_INTERRUPTED),
    "pull-unknown-repository": (Reason.IMAGE_NOT_FOUND, Reason.IMAGE_NOT_FOUND),
    "push-no-auth-header": (Reason.UNAUTHORIZED, Reason.UNAUTHORIZED),
    "push-partial-index": (OK, OK),
    "push-pulled-gzip": (OK, OK),
    "push-registry-full": (Reason.SERVER_ERROR, Reason.SERVER_ERROR),
    "push-to-readonly": (Reason.REGISTRY_READ_ONLY, Reason.REGISTRY_READ_ONLY),
}
OUTCOMES = {name: (classic, containerd) for name, (_, classic, containerd) in TABLE.items()}
NEWER_CASES = [
    pytest.param(
        scenario, engine, outcomes[engine.endswith("containerd")], id=f"{scenario}-{engine}"
    )
    for scenario, outcomes in {**OUTCOMES, **DIFFERENT}.items()
    for engine in (f"docker{version}-{store}" for version in (28, 29) for store in STORES)
]


def outcome(scenario: str, status: int, chunks: Iterable[bytes]) -> Outcome:
    """What our leaf makes of this answer."""
    engine = Playback(chunks, status=status, cut=scenario == "pull-engine-killed")
    try:
        match scenario.partition("-")[0]:
            case "preflight":
                streams.preflight(engine.wire(), streams.preflight_ask("", TRANSPORT, None))
            case "pull":
                ask = streams.pull_ask("", TRANSPORT)
                streams.pull(engine.wire(), ask, ignore, LayerProgress(), StreamLimits())
            case "push":
                streams.push(engine.wire(), streams.push_ask("", PUSHED, None), ignore)
            case "load":
                save_load.load(engine.wire(), save_load.load_ask("", None), iter([b"tar"]), ignore)
    except TransferError as error:
        return error.reason
    return OK


@pytest.mark.parametrize(("scenario", "store", "status", "expected"), CASES)
def test_a_recorded_answer_means(scenario: str, store: str, status: int, expected: Outcome) -> None:
    """Each recording leads to the outcome of the table."""
    body = (RECORDINGS / f"{scenario}.{store}.jsonl").read_bytes()
    assert outcome(scenario, status, [body]) == expected


@pytest.mark.parametrize(("scenario", "engine", "expected"), NEWER_CASES)
def test_a_recorded_answer_of_docker_28_and_29_means(
    scenario: str, engine: str, expected: Outcome
) -> None:
    """Both say the same; an answer that is an error by its status is one `message`."""
    body = (NEWER / f"{scenario}.{engine}.jsonl").read_bytes()
    status = 500 if body.startswith(b'{"message"') else 200
    assert outcome(scenario, status, [body]) == expected


def test_every_recording_of_docker_28_and_29_is_in_the_table() -> None:
    assert len(list(NEWER.glob("*.jsonl"))) == len(NEWER_CASES)


def test_every_recording_of_a_stream_is_in_the_table() -> None:
    """A new recording without an expectation would prove nothing."""
    recorded = {path.name.partition(".")[0] for path in RECORDINGS.glob("*.jsonl")}
    assert recorded - {"delete-transport"} == set(TABLE)
    assert len(list(RECORDINGS.glob("*.jsonl"))) == len(CASES) + len(STORES)


@pytest.mark.parametrize(
    "name",
    ["load-success.classic", "push-success.classic", "pull-not-trusted.containerd"],
)
def test_events_are_the_same_wherever_the_body_is_cut(name: str) -> None:
    """One cut at each byte; and every byte alone."""
    body = (RECORDINGS / f"{name}.jsonl").read_bytes()
    whole = list(events_of([body], Decoder()))
    for at in range(len(body)):
        assert list(events_of([body[:at], body[at:]], Decoder())) == whole
    assert list(events_of((body[at : at + 1] for at in range(len(body))), Decoder())) == whole


def test_a_push_answers_the_digest_in_both_stores() -> None:
    """Only the classic store sends `aux`; both say it in words."""
    said = {}
    for store in STORES:
        body = (RECORDINGS / f"push-success.{store}.jsonl").read_bytes()
        ask = streams.push_ask("", PUSHED, None)
        said[store] = streams.push(Playback([body]).wire(), ask, ignore)
    assert said == {
        "classic": Digest.parse(
            "sha256:6e600c08d9daaded7e57f3df1321e7973f00d668de5cf2cd4067e17417b3290e"
        ),
        "containerd": Digest.parse(
            "sha256:3cbb24eabf93d7a852f6963da147f8f25fc4133359abe6114eb97edd50275253"
        ),
    }


def test_a_load_answers_the_names() -> None:
    body = (RECORDINGS / "load-success.containerd.jsonl").read_bytes()
    loaded = save_load.load(
        Playback([body]).wire(), save_load.load_ask("", None), iter([b"x"]), ignore
    )
    assert loaded == ("demo/tiny:1",)


@pytest.mark.parametrize("name", ["pull-success-big-zstd", "pull-success-zstd"])
@pytest.mark.parametrize("store", STORES)
def test_p_c8_progress_of_a_pull_never_goes_back_and_ends_at_the_total(
    name: str, store: str
) -> None:
    """With the sizes of the manifest, and never going back on the way."""
    body = (RECORDINGS / f"{name}.{store}.jsonl").read_bytes()
    sizes = {"843fbe4145b2": 774_771, "5bd17a0fb5c2": 3_001_057, "6082c0c35f02": 60_002_069}
    seen = {layer: size for layer, size in sizes.items() if layer.encode() in body}
    told: list[Progress] = []
    ask = streams.pull_ask("", TRANSPORT)
    streams.pull(Playback([body]).wire(), ask, told.append, LayerProgress(seen), StreamLimits())
    total = sum(seen.values())
    assert told[-1] == Progress(total, total)
    assert [progress.done for progress in told] == sorted(progress.done for progress in told)
