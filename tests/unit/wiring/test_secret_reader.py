"""What is known of a Secret serves until it is refused, whatever the API server does (B11)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import pytest

from cyroid_images.errors import AccessDenied, ApiUnavailable, Reason, TransferError
from cyroid_images.wiring.secret_reader import (
    AGAIN_SECONDS,
    FRESH_SECONDS,
    MOST_SECRETS,
    PATIENCE_SECONDS,
    SecretReader,
)
from cyroid_images.wiring.secrets import ClusterSecrets
from tests.unit.reconcile.clock import run

OLD, NEW = {"password": b"old"}, {"password": b"new"}


@dataclass(slots=True)
class Api:
    """Gives `data` after `seconds`, or fails with `error`."""

    data: Mapping[str, bytes] | None = field(default_factory=lambda: dict(OLD))
    seconds: float = 0.0
    error: ApiUnavailable | None = None
    asked: int = 0

    async def secret(self, name: str) -> Mapping[str, bytes] | None:  # noqa: ARG002 - the port
        self.asked += 1
        found = self.data  # as it was when the question arrived
        await asyncio.sleep(self.seconds)
        if self.error is not None:
            raise self.error
        return found


def tried(scenario: Callable[[SecretReader, Api], Awaitable[None]]) -> Api:
    api = Api()

    async def main() -> None:
        await scenario(SecretReader(api.secret), api)

    run(main())
    return api


async def waited(reader: SecretReader) -> tuple[Mapping[str, bytes] | None, float]:
    """What a read gave, and after how many seconds."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    data = await reader.read("push")
    return data, round(loop.time() - began, 3)


def test_a_changed_secret_is_seen_within_half_a_minute() -> None:
    async def scenario(reader: SecretReader, api: Api) -> None:
        assert await reader.read("push") == OLD
        api.data = NEW
        await asyncio.sleep(FRESH_SECONDS - 1)
        assert await reader.read("push") == OLD
        await asyncio.sleep(1)
        assert await reader.read("push") == NEW

    assert tried(scenario).asked == 2


@pytest.mark.parametrize("error", [ApiUnavailable("away"), AccessDenied("401")])
def test_b11_while_the_api_is_away_the_last_value_serves(
    error: ApiUnavailable, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario(reader: SecretReader, api: Api) -> None:
        assert await reader.read("push") == OLD
        api.error = error
        for _ in range(20):
            await asyncio.sleep(FRESH_SECONDS)
            assert await reader.read("push") == OLD
        api.error, api.data = None, NEW
        await asyncio.sleep(AGAIN_SECONDS)
        assert await reader.read("push") == NEW

    tried(scenario)
    assert f"cannot read Secret push: {error}; using the last value, will retry" in caplog.text


def test_b11_a_slow_api_holds_nobody_who_needs_a_known_secret_for_long() -> None:
    async def scenario(reader: SecretReader, api: Api) -> None:
        await reader.read("push")
        api.seconds, api.data = 9.0, NEW
        await asyncio.sleep(FRESH_SECONDS)
        assert await waited(reader) == (OLD, PATIENCE_SECONDS)
        await asyncio.sleep(9.0)
        assert await waited(reader) == (NEW, 0.0)

    assert tried(scenario).asked == 2


def test_only_the_answer_that_there_is_none_makes_a_secret_missing() -> None:
    async def scenario(reader: SecretReader, api: Api) -> None:
        await reader.read("push")
        api.data = None
        await asyncio.sleep(FRESH_SECONDS)
        assert await reader.read("push") is None

    tried(scenario)


def test_a_refused_secret_is_read_before_it_is_used_again() -> None:
    async def scenario(reader: SecretReader, api: Api) -> None:
        await reader.read("push")
        api.data, api.seconds = NEW, 9.0
        reader.refused("push")
        assert await waited(reader) == (NEW, 9.0)
        assert await waited(reader) == (NEW, 0.0)

    assert tried(scenario).asked == 2


def test_b11_a_refused_secret_that_cannot_be_read_keeps_its_value_and_is_tried_again() -> None:
    async def scenario(reader: SecretReader, api: Api) -> None:
        await reader.read("push")
        api.error, api.data = ApiUnavailable("away"), NEW
        reader.refused("push")
        assert await reader.read("push") == OLD
        assert await reader.read("push") == OLD
        assert api.asked == 2
        api.error = None
        await asyncio.sleep(AGAIN_SECONDS)
        assert await reader.read("push") == NEW

    tried(scenario)


def test_an_answer_that_is_older_than_the_refusal_does_not_count() -> None:
    async def scenario(reader: SecretReader, api: Api) -> None:
        api.seconds = 5.0
        early = asyncio.create_task(reader.read("push"))
        await asyncio.sleep(1)
        api.data = NEW
        reader.refused("push")
        late = asyncio.create_task(reader.read("push"))
        assert await late == NEW
        await early

    assert tried(scenario).asked == 2


def test_of_one_secret_one_read_goes_on_at_a_time_though_who_began_it_leaves() -> None:
    async def scenario(reader: SecretReader, api: Api) -> None:
        api.seconds = 5.0
        readers = [asyncio.create_task(reader.read("push")) for _ in range(10)]
        await asyncio.sleep(1)
        readers[0].cancel()
        assert await asyncio.gather(*readers[1:]) == [OLD] * 9

    assert tried(scenario).asked == 1


def test_a_secret_that_was_never_known_is_tried_at_each_use() -> None:
    async def scenario(reader: SecretReader, api: Api) -> None:
        api.error = ApiUnavailable("away")
        for _ in range(2):
            with pytest.raises(ApiUnavailable, match="away"):
                await reader.read("push")
        api.error = None
        assert await reader.read("push") == OLD

    tried(scenario)


def test_so_many_secrets_are_remembered_and_no_more() -> None:
    async def scenario(reader: SecretReader, api: Api) -> None:
        for number in range(MOST_SECRETS + 1):
            await reader.read(f"secret-{number}")
            await asyncio.sleep(0.001)
        await reader.read(f"secret-{MOST_SECRETS}")
        assert api.asked == MOST_SECRETS + 1
        await reader.read("secret-0")
        assert api.asked == MOST_SECRETS + 2

    tried(scenario)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ApiUnavailable("GET: no response after 10 s"), Reason.SECRET_UNREADABLE),
        (AccessDenied("GET: 403"), Reason.RBAC_DENIED),
    ],
)
def test_b11_an_api_that_does_not_give_a_secret_is_no_outage_of_a_registry(
    error: ApiUnavailable, reason: Reason
) -> None:
    async def scenario() -> None:
        api = Api(error=error)
        secrets = ClusterSecrets(api, hide=lambda _: None)
        with pytest.raises(TransferError) as caught:
            await secrets.credentials("push")
        assert caught.value.reason is reason
        assert str(caught.value).startswith("cannot read Secret push: GET: ")

    run(scenario())
