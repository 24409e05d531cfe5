"""How the process ends: in order, soon, and with nothing in the log that looks like a defect."""

from __future__ import annotations

import time

import pytest

from tests.component.operator.conftest import MakeOperator
from tests.parts.apiserver import ApiServerPart

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("hangs_for", [0.5, 3, 12, 40, 75])
def test_b29_it_ends_in_order_while_the_api_server_hangs(
    apiserver: ApiServerPart, make_operator: MakeOperator, hangs_for: float
) -> None:
    apiserver.install_crds()
    part = make_operator(f"ending-{hangs_for}")
    part.settings |= {"CYROID_LEASE_SECONDS": "35"}
    part.start()
    time.sleep(3)
    apiserver.pause()
    try:
        time.sleep(hangs_for)
        began = time.monotonic()
        code = part.stop()
        took = time.monotonic() - began
    finally:
        apiserver.resume()
    print(code, took, part.log()[-3000:])
    assert "asynchronous generator" not in part.log()
    assert code == 0
    assert took < 10
