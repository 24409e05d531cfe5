"""What a site may change, and what is refused by name."""

from __future__ import annotations

import pytest

from cyroid_images.errors import InvalidSpec
from cyroid_images.settings import LogFormat, Settings, read_settings


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for field in Settings.model_fields:
        monkeypatch.delenv(f"CYROID_{field.upper()}", raising=False)


def test_without_any_variable_everything_has_its_default() -> None:
    settings = read_settings()
    assert (settings.namespace, settings.log_format) == ("cyroid", LogFormat.JSON)
    assert (settings.max_transfers, settings.sweep_seconds) == (8, 600.0)
    assert settings.kubeconfig is None


def test_a_variable_changes_its_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CYROID_NAMESPACE", "lab")
    monkeypatch.setenv("CYROID_MAX_TRANSFERS", "3")
    monkeypatch.setenv("CYROID_LOG_FORMAT", "text")
    settings = read_settings()
    assert (settings.namespace, settings.max_transfers) == ("lab", 3)
    assert settings.log_format is LogFormat.TEXT


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CYROID_MAX_TRANSFERS", "0"),
        ("CYROID_MAX_TRANSFERS_PER_ENGINE", "65"),
        ("CYROID_MAX_PASSES", "many"),
        ("CYROID_SWEEP_SECONDS", "1"),
        ("CYROID_LOG_LEVEL", "chatty"),
        ("CYROID_LOG_FORMAT", "xml"),
    ],
)
def test_a_value_that_cannot_be_is_refused_by_the_name_of_its_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(InvalidSpec, match=f"^{name}: ") as caught:
        read_settings()
    assert caught.value.path == name


def test_settings_do_not_change_while_the_process_runs() -> None:
    settings = read_settings()
    with pytest.raises(ValueError, match="frozen"):
        settings.namespace = "other"
