"""An engine that refuses to drop names is asked with growing pauses, and nobody else waits."""

from __future__ import annotations

from datetime import timedelta

from cyroid_images.errors import Reason, TransferError
from cyroid_images.execute.transfer import Transfer
from cyroid_images.model.actions import Target, Untag
from cyroid_images.reconcile.untidy import MOST_ENGINES, Untidy
from tests.unit.plan.examples import NOW, content, fault, target, view
from tests.unit.reconcile.clock import until
from tests.unit.reconcile.stage import DIND, RANGE, READY, Stage, tried

REFUSED = fault(Reason.SERVER_ERROR, "500 with an empty body")
LEFT = "transfer.cyroid.io/image:abc"


def dropping(where: Target) -> Transfer:
    action = Untag(where.endpoint, ())
    return Transfer(("tidy", where.uid), action, 1, "a", ("tidy",), lambda *_: None, 60.0)


ONE, TWO = dropping(target(1)), dropping(target(2))


def test_an_engine_that_refuses_is_left_alone_for_longer_and_longer() -> None:
    mine = Untidy()
    assert mine.due([ONE, TWO], NOW) == [ONE, TWO]
    mine.ended(target(1).endpoint, REFUSED, NOW, 0.0)
    assert mine.due([ONE, TWO], NOW) == [TWO]
    later = NOW + timedelta(seconds=1)
    assert mine.due([ONE, TWO], later) == [ONE, TWO]
    mine.ended(target(1).endpoint, REFUSED, later, 0.0)
    assert mine.due([ONE], later + timedelta(seconds=1)) == []
    mine.ended(target(1).endpoint, None, later, 0.0)
    assert mine.due([ONE], later) == [ONE]


def test_only_so_many_engines_are_remembered() -> None:
    mine = Untidy()
    for number in range(MOST_ENGINES + 1):
        mine.ended(target(number).endpoint, REFUSED, NOW, 0.0)
    assert mine.due([dropping(target(0)), ONE], NOW) == [dropping(target(0))]


def test_s2_an_engine_that_refuses_to_drop_names_is_not_asked_at_each_pass() -> None:
    async def scenario(stage: Stage) -> None:
        def refuse() -> None:
            raise TransferError(REFUSED.reason, REFUSED.message)

        stage.movers.dropped = refuse
        stage.engines.views[DIND] = view({"nginx:1.25": content(), LEFT: content()})
        await stage.loop.start()
        await until(lambda: stage.told().get("Ready") == READY)
        await until(lambda: any(isinstance(each, Untag) for each in stage.movers.moves))
        for _ in range(5):
            looks = stage.engines.looks.count(DIND)
            stage.look_again()
            await until(lambda: stage.engines.looks.count(DIND) > looks)  # noqa: B023 - used at once
            stage.parts.queue.wake(RANGE)
            await until(lambda: stage.parts.queue.count_due() == 0)

    stage = tried(scenario)
    assert sum(isinstance(each, Untag) for each in stage.movers.moves) == 1
