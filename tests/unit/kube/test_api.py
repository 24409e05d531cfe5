"""One call to the API server: whatever goes wrong has one name, and what matters goes first."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import aiohttp
import pytest

from cyroid_images.errors import AccessDenied, ApiUnavailable
from cyroid_images.kube.api import (
    BURST,
    CALL_SECONDS,
    LONGEST_HOLD_SECONDS,
    PER_SECOND,
    SPARE_LEFT,
    Api,
    ApiResponse,
)
from tests.unit.kube.fake_client import FakeClient, answer
from tests.unit.reconcile.clock import run


def called(client: FakeClient, scenario: Callable[[Api], Awaitable[None]]) -> None:
    """Run it on a clock that jumps."""

    async def main() -> None:
        await scenario(Api(client))

    run(main())


def test_an_answer_is_printed_without_its_body() -> None:
    assert repr(ApiResponse(200, {"data": {"password": "aHVudGVyMg=="}})) == "ApiResponse(code=200)"


def test_the_message_of_a_refusal_is_bounded() -> None:
    assert ApiResponse(422, {"message": "x" * 9000}).message == "422 " + "x" * 500
    assert ApiResponse(404, {}).message == "404"


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("exec plugin: no such file"),
        KeyError("token"),
        ValueError("expired at ?"),
        TimeoutError(),
        OSError("read /var/run/secrets: input/output error"),
        aiohttp.ClientError("reset"),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("where", ["login", "call"])
def test_b6_whatever_a_call_raises_is_no_usable_answer(error: Exception, where: str) -> None:
    client = FakeClient(hook_errors=[error]) if where == "login" else FakeClient([error])

    async def scenario(api: Api) -> None:
        with pytest.raises(ApiUnavailable, match="GET /x: "):
            await api.at_once("GET", "/x")
        assert (await api.at_once("GET", "/x")).code == 200

    called(client, scenario)


def test_a_call_that_is_cancelled_stays_cancelled() -> None:
    async def scenario(api: Api) -> None:
        with pytest.raises(asyncio.CancelledError):
            await api.get("/x")

    called(FakeClient([asyncio.CancelledError()]), scenario)


def test_an_answer_that_comes_too_late_is_none() -> None:
    async def scenario(api: Api) -> None:
        began = asyncio.get_running_loop().time()
        with pytest.raises(ApiUnavailable, match="GET /x: no response after 10 s"):
            await api.get("/x")
        assert asyncio.get_running_loop().time() == pytest.approx(began + CALL_SECONDS)
        assert (await api.get("/x")).code == 200

    called(FakeClient([2 * CALL_SECONDS, CALL_SECONDS - 1]), scenario)


@pytest.mark.parametrize(
    ("told", "granted"),
    [("3", 3.0), ("9999", LONGEST_HOLD_SECONDS), ("soon", 1.0), (None, 1.0)],
)
def test_a_429_holds_all_calls_but_the_lease_as_long_as_it_says_within_bounds(
    told: str | None, granted: float
) -> None:
    headers = {"Retry_After": told} if told else {}
    client = FakeClient([answer(429, {"message": "slow down"}, **headers)])

    async def scenario(api: Api) -> None:
        began = asyncio.get_running_loop().time()
        with pytest.raises(ApiUnavailable, match="429 slow down") as caught:
            await api.get("/a")
        assert caught.value.retry_after == granted
        await api.at_once("GET", "/lease")
        await api.get("/b")
        await api.behind_all("POST", "/event", {})
        lease, read, event = (moment - began for moment, *_ in client.calls[1:])
        assert lease == 0
        assert read == pytest.approx(granted)
        assert event >= granted + SPARE_LEFT / PER_SECOND

    called(client, scenario)


def test_a_refusal_is_named_by_verb_and_path() -> None:
    async def scenario(api: Api) -> None:
        with pytest.raises(AccessDenied, match="PATCH /x: 403 forbidden"):
            await api.patch("/x", {}, form="merge")

    called(FakeClient([answer(403, {"message": "forbidden"})]), scenario)


def test_b21_events_go_behind_every_status_that_comes_while_they_wait() -> None:
    client = FakeClient()

    async def scenario(api: Api) -> None:
        crowd = [api.patch(f"/status/{n}", {}, form="apply") for n in range(BURST + 19)]
        first = asyncio.gather(*crowd)
        event = asyncio.create_task(api.behind_all("POST", "/event", {}))
        await asyncio.sleep(0.5)
        late = asyncio.gather(*(api.get(f"/late/{n}") for n in range(10)))
        await asyncio.gather(first, late, event)

    called(client, scenario)
    paths = [path for _, _, path, _ in client.calls]
    assert len(paths) == BURST + 19 + 10 + 1
    assert paths[-1] == "/event"


def test_b21_a_status_after_a_crowd_of_events_waits_for_none_of_them() -> None:
    client = FakeClient()

    async def scenario(api: Api) -> None:
        crowd = asyncio.gather(*(api.behind_all("POST", "/event", {}) for _ in range(200)))
        await asyncio.sleep(1)
        began = asyncio.get_running_loop().time()
        for number in range(SPARE_LEFT):
            await api.patch(f"/status/{number}", {}, form="apply")
        assert asyncio.get_running_loop().time() == pytest.approx(began)
        await crowd

    called(client, scenario)


def test_nothing_is_written_without_the_lease_though_its_turn_has_come() -> None:
    client = FakeClient()

    async def scenario(api: Api) -> None:
        api.may_write = lambda: False
        for write in (
            api.post("/x", {}),
            api.patch("/x", {}, form="apply"),
            api.behind_all("POST", "/event", {}),
        ):
            with pytest.raises(ApiUnavailable, match="does not hold the Lease"):
                await write
        await api.get("/x")

    called(client, scenario)
    assert [method for _, method, *_ in client.calls] == ["GET"]


def test_who_asks_too_much_is_refused_at_once_and_no_turn_is_taken() -> None:
    async def scenario() -> int:
        api = Api(FakeClient(), most_wait=1.0)
        asked = [asyncio.ensure_future(api.get("/x")) for _ in range(500)]
        answers = await asyncio.gather(*asked, return_exceptions=True)
        refused = sum(isinstance(each, ApiUnavailable) for each in answers)
        await api.get("/x")
        return refused

    assert 400 < run(scenario()) < 500
