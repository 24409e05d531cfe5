"""Faults inside an engine: its disk, its store, its version, what it is busy with.

A full disk of a range engine and of a staging source, an engine that is killed or stopped
are provoked in tests/component/engine/test_faults.py. A store damaged by a crash in
mid-write (`layer does not exist`, `rename ... directory not empty`) and a prune that runs
just then depend on a moment nobody can hit on purpose: only the table of words has them.
"""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from cyroid_images.archive import watched
from cyroid_images.engine.classify import Operation, message_in, reason_of
from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.images.reference import Reference
from cyroid_images.scheduling.cancel_scope import NEVER
from tests.parts.engines import EnginePart, NewEngine
from tests.parts.range_engine import LIMITS
from tests.parts.save_tars import noise

pytestmark = pytest.mark.slow


def test_an_engine_that_fails_in_mid_save_is_found_out_by_whoever_passes_the_tar_on(
    new_engine: NewEngine,
) -> None:
    """A containerd store whose layer has gone: 200 long ago, so the error stands in the tar."""
    part = new_engine(containerd_store=True)
    part.load_image("faults/save:1", ({"x": noise(500_000)},))
    max(blobs_of(part), key=lambda path: path.stat().st_size).unlink()
    name = Reference.parse("faults/save:1")
    with (
        pytest.raises(TransferError) as caught,
        part.engine.save(name, limits=LIMITS, cancellation=NEVER) as tar,
    ):
        list(watched(tar))
    assert caught.value.reason is Reason.TRANSFER_INTERRUPTED, caught.value


def test_a_name_that_a_container_needs_is_not_taken_away(any_engine: EnginePart) -> None:
    """A conflict: the engine is well, and refuses; left for later."""
    any_engine.load_image("faults/busy:1", ({"x": b"busy"},))
    container = any_engine.docker("create", "--network", "none", "faults/busy:1")
    try:
        with pytest.raises(TransferError) as caught:
            any_engine.engine.untag(Reference.parse("faults/busy:1"))
    finally:
        any_engine.docker("rm", container)
    assert caught.value.reason is Reason.ENGINE_UNREACHABLE, caught.value
    any_engine.engine.untag(Reference.parse("faults/busy:1"))


def test_an_api_that_is_too_new_for_the_engine_is_told_apart(any_engine: EnginePart) -> None:
    """Our client never asks for one; the words are those of the real engine."""
    url = any_engine.endpoint.url.replace("tcp:", "http:")
    said = httpx.get(f"{url}/v1.99/info", timeout=10, trust_env=False)
    assert said.status_code == 400
    assert reason_of(message_in(said.text), Operation.CONTROL) is Reason.ENGINE_TOO_OLD


def blobs_of(part: EnginePart) -> list[Path]:
    """The files of its content store."""
    root = Path(part.local.url.removeprefix("unix://")).parent / "data"
    return [path for path in root.rglob("blobs/sha256/*") if path.is_file()]
