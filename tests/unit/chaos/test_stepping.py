"""Which lines of the log tell a step."""

from __future__ import annotations

import pytest

from tests.chaos.stepping import step_of


@pytest.mark.parametrize(
    ("line", "step"),
    [
        pytest.param(b'{"message": "x", "step": "pulled"}\n', "pulled", id="a-step"),
        pytest.param(b'{"message": "x"}\n', None, id="another-line"),
        pytest.param(b'a text with "step" in it\n', None, id="no-json"),
        pytest.param(b'["step"]\n', None, id="no-object"),
        pytest.param(b'{"message": "x", "step": "pul', None, id="half-a-line"),
    ],
)
def test_a_step_is_a_key_of_a_whole_json_line(line: bytes, step: str | None) -> None:
    assert step_of(line) == step
