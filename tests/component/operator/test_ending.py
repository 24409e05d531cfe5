"""How the process ends: in order, soon, and with nothing in the log that looks like a defect."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from cyroid_images.cli import serve
from cyroid_images.errors import CyroidError
from cyroid_images.settings import Settings
from cyroid_images.wiring.operator import Operator
from tests.component.operator.conftest import MakeOperator
from tests.component.operator.test_leading import ask_for_pass, handled, put_range
from tests.parts.apiserver import ApiServerPart, wait_for
from tests.parts.identity import OWN_NAMESPACE

pytestmark = pytest.mark.slow
LEASE = f"/apis/coordination.k8s.io/v1/namespaces/{OWN_NAMESPACE}/leases/cyroid-operator"
SOON = 20.0
FEW_SECONDS = 12.0
"""Three for the Lease, two for tasks; the rest is for a busy machine. One answer that is waited
for takes longer, and so does what the kubelet waits."""


@pytest.fixture
def resumed(apiserver: ApiServerPart) -> Iterator[ApiServerPart]:
    """The API server with our kinds; it runs again afterwards."""
    apiserver.install_crds()
    yield apiserver
    apiserver.resume()


def active(part: ApiServerPart) -> str:
    answer = part.request("GET", LEASE)
    return str(answer.json()["spec"].get("holderIdentity", "")) if answer.is_success else ""


@pytest.mark.parametrize("is_active", [True, False], ids=["active", "waiting"])
def test_b20_b29_it_ends_in_order_while_the_api_server_hangs(
    resumed: ApiServerPart, make_operator: MakeOperator, *, is_active: bool
) -> None:
    """What waits for an answer that never comes is cut, and nothing of it looks like a defect."""
    if not is_active:
        make_operator("in-front").start()
        wait_for(lambda: active(resumed) == "in-front", "the first to be active", SOON)
    part = make_operator("ending")
    part.start()
    told = "authentication has finished" if is_active else "in-front holds it"
    wait_for(lambda: told in part.log(), told, SOON, part.log)
    if is_active:  # its watches are there, and not about to be begun
        path = put_range(resumed, "before-the-end")
        ask_for_pass(resumed, path, "watched")
        handled(resumed, path, "watched")
    resumed.pause()
    part.send(signal.SIGTERM)
    code = part.wait(FEW_SECONDS)
    assert "Traceback" not in part.log()
    assert "ERROR" not in part.log()
    assert code == 0


async def dies() -> None:
    raise KeyError("metadata")


class Doomed(Operator):
    """One of its tasks dies as soon as it works."""

    async def start(self) -> None:
        await super().start()
        self.supervisor.start("worker 3", dies())


def test_b6_the_death_of_a_task_ends_the_process_in_order(
    resumed: ApiServerPart,
    kubeconfig: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig))
    settings = Settings(namespace=OWN_NAMESPACE, kubeconfig=kubeconfig, identity="doomed")
    operator, ended = Doomed(settings), list[str]()

    def run() -> None:
        try:
            serve(operator)
        except CyroidError as exc:
            ended.append(str(exc))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(2 * SOON)
    assert not thread.is_alive()
    assert ended == ["the operator ended: worker 3: KeyError: 'metadata'"]
    assert "task worker 3 ended: KeyError: 'metadata'" in caplog.text
    assert "became the active operator: doomed" in caplog.text
    assert active(resumed) == ""  # it was given back
