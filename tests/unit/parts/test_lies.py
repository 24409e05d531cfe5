"""A stand-in that is told to hang or to lie does so, and is honest again afterwards."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cyroid_images.engine import Engine
from cyroid_images.errors import TransferError
from cyroid_images.model.engine import EngineView
from cyroid_images.model.images.reference import Reference
from tests.parts.stand_in import Lie, StandInEngine, StandIns

pytestmark = pytest.mark.slow

NAME = "lies.example/tool:1"
TOOL = Reference.parse(NAME)
ID = "sha256:" + "1" * 64
SHORT_SECONDS = 0.5


@pytest.fixture(scope="module")
def running() -> Iterator[StandIns]:
    with StandIns().running() as stand_ins:
        yield stand_ins


@pytest.fixture
def engine(running: StandIns) -> Iterator[StandInEngine]:
    """One that holds an image."""
    made = running.at("127.3.0.1")
    made.load_image(NAME)
    yield made
    made.tell(Lie.NONE)
    made.empty()


def look(engine: StandInEngine) -> EngineView:
    return engine.engine.view(engine.engine.info(), {})


def test_who_hangs_answers_nothing_until_the_lie_is_over(engine: StandInEngine) -> None:
    impatient = Engine(engine.endpoint, answer_seconds=SHORT_SECONDS)
    engine.tell(Lie.HANGS)
    with pytest.raises(TransferError):
        impatient.info()
    engine.tell(Lie.NONE)
    assert TOOL in look(engine).images


def test_another_architecture_is_claimed_at_each_look(engine: StandInEngine) -> None:
    engine.tell(Lie.PLATFORM)
    assert look(engine).info.platform != look(engine).info.platform


def test_what_is_claimed_is_other_content_at_each_look(engine: StandInEngine) -> None:
    engine.tell(Lie.CLAIMS, names=f"{NAME},lies.example/never:1")
    first, second = look(engine), look(engine)
    assert len(first.images) == 2
    assert not first.images[TOOL].holds(second.images[TOOL].content)


def test_the_id_and_the_images_of_another_are_shown(engine: StandInEngine) -> None:
    honest = look(engine)
    engine.tell(Lie.IDENTITY, id="another", images=ID, names=NAME)
    view = look(engine)
    assert view.info.id == "another"
    assert str(view.images[TOOL].id) == ID
    assert not view.images[TOOL].holds(honest.images[TOOL].content)


def test_who_forgets_has_nothing_at_the_next_look(engine: StandInEngine) -> None:
    engine.tell(Lie.FORGETS)
    assert not look(engine).images
    about = engine.engine.info()
    engine.load_image(NAME)
    assert TOOL in engine.engine.view(about, {}).images  # a proof asks nobody who he is
    assert not look(engine).images


@pytest.mark.parametrize("lie", [Lie.HANGS_IN_PULL, Lie.DRIPS])
def test_who_hangs_in_a_transfer_still_answers_looks(engine: StandInEngine, lie: Lie) -> None:
    engine.tell(lie)
    assert TOOL in look(engine).images
