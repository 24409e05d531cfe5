"""A collector that dies at any moment: what has a tag can be pulled, and pushes go on."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cyroid_images.collect.gate import PAUSED
from cyroid_images.collect.sweeping import ASIDE
from cyroid_images.errors import TransferError
from cyroid_images.registry.client import RegistryClient
from tests.component.collect.pulling import pull
from tests.parts.apiserver import wait_for
from tests.parts.collected_registry import CollectedRegistry
from tests.parts.images import TinyImage, tiny_image
from tests.parts.registry_tree import HandMadeTree
from tests.parts.save_tars import noise
from tests.parts.waiting import A_WHILE

pytestmark = pytest.mark.slow

IMAGES = 60
MOMENTS = ("stopping", "sweeping", "removing", None)


def answers(part: CollectedRegistry) -> bool:
    try:
        with RegistryClient(part.push_endpoint) as registry:
            registry.ping()
    except TransferError:
        return False
    return True


def filled(part: CollectedRegistry) -> list[TinyImage]:
    """Images of one base, half of them without a tag, all of them old."""
    base = {"base": noise(50_000, 1)}
    made = [tiny_image((base, {"own": noise(2_000, number)})) for number in range(IMAGES)]
    for number, image in enumerate(made):
        part.push("many", f"t{number}", image)
    for number in range(0, IMAGES, 2):
        part.drop_tag("many", f"t{number}")
    part.age()
    return made


def until_phase(part: CollectedRegistry, phase: str | None) -> None:
    """Until the collection is as far as that, or past it; None: until the listener stands still."""
    ends = time.monotonic() + A_WHILE
    while not _is_there(part, phase):
        assert time.monotonic() < ends, part.told()


def _is_there(part: CollectedRegistry, phase: str | None) -> bool:
    return part.is_stopped if phase is None else part.told()["phase"] in (phase, "removing", "done")


@pytest.mark.parametrize("phase", MOMENTS, ids=str)
def test_a_collector_that_is_killed_loses_nothing_and_the_next_one_ends_its_work(
    collected: CollectedRegistry, phase: str | None
) -> None:
    made = filled(collected)
    before = collected.used()
    collected.begin()
    until_phase(collected, phase)
    collected.kill_collector()
    assert list(HandMadeTree(collected.data_root).lies()) == []
    for number in range(1, IMAGES, 2):
        assert pull(collected, "many", f"t{number}")
    collected.start_collector()  # as the kubelet does
    wait_for(lambda: answers(collected), "the push listener", A_WHILE)
    collected.push("many", "again", made[0])
    assert pull(collected, "many", "again")
    done = collected.collected()
    assert done["error"] is None
    assert not (collected.data_root / ASIDE).exists()
    assert before - collected.used() > (IMAGES / 2 - 2) * 2_000
    for number in range(1, IMAGES, 2):
        assert pull(collected, "many", f"t{number}")
    assert pull(collected, "many", "again")
    collected.push("many", "t2", made[2])
    assert pull(collected, "many", "t2")


def test_a_collector_that_is_told_to_end_lets_pushes_go_on(collected: CollectedRegistry) -> None:
    filled(collected)
    collected.begin()
    until_phase(collected, None)
    collected.end_collector()
    assert not collected.is_paused
    wait_for(lambda: answers(collected), "the push listener", A_WHILE)
    assert list(HandMadeTree(collected.data_root).lies()) == []


@pytest.fixture(params=["dash", "busybox"])
def scripted_listener(request: pytest.FixtureRequest) -> Iterator[CollectedRegistry]:
    """A push listener under the script, in the shells of Debian and Alpine."""
    program = shutil.which(request.param)
    if program is None:
        pytest.skip(f"no {request.param} here")
    with tempfile.TemporaryDirectory(prefix="cyroid-shell-") as folder:
        path = ""
        shell: tuple[str, ...] = (program,)
        if request.param == "busybox":
            (Path(folder) / "bin").mkdir()
            for name in ("find", "sleep", "rm", "grep"):
                (Path(folder) / "bin" / name).symlink_to(program)
            path, shell = f"{folder}/bin:", (program, "sh")
        part = CollectedRegistry(Path(folder) / "registry", shell=shell, path=path)
        try:
            part.start()
            yield part
        finally:
            part.close()


def test_the_script_stops_the_listener_while_it_is_asked_to_and_a_minute_at_most(
    scripted_listener: CollectedRegistry,
) -> None:
    part, paused = scripted_listener, scripted_listener.gate / PAUSED
    assert answers(part)
    assert not part.is_stopped
    for is_left in (False, True):
        paused.touch()
        wait_for(lambda: part.is_stopped and not answers(part), "a stop", A_WHILE)
        if is_left:  # by a collector that died a minute ago
            os.utime(paused, (time.time() - 61,) * 2)
        else:
            paused.unlink()
        wait_for(lambda: answers(part) and not part.is_stopped, "a start", A_WHILE)


def test_the_script_ends_as_its_listener_does_and_takes_it_along(
    scripted_listener: CollectedRegistry,
) -> None:
    part = scripted_listener
    script = part.end_push_listener()
    assert script == 0
    assert not answers(part)
    part.start()
    assert part.kill_push_listener() != 0


def test_the_script_ends_while_it_stands_still(scripted_listener: CollectedRegistry) -> None:
    part = scripted_listener
    (part.gate / PAUSED).touch()
    wait_for(lambda: part.is_stopped, "a stop", A_WHILE)
    assert part.end_push_listener() == 0
