"""The command line: what it prints, writes and exits with."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cyroid_images.cli import main, reason_table
from cyroid_images.errors import Reason


def test_every_reason_is_printed_once_with_its_meaning(capsys: pytest.CaptureFixture[str]) -> None:
    main(["reasons"])
    lines = capsys.readouterr().out.splitlines()
    assert lines == reason_table().splitlines()
    assert len(lines) == 2 + len(Reason)
    assert "| `CacheNotFound` | W | the ImageCache does not exist |" in lines


def test_the_crds_of_both_kinds_are_written(tmp_path: Path) -> None:
    main(["crds", str(tmp_path)])
    written = sorted(path.name for path in tmp_path.iterdir())
    assert written == ["imagecaches.yaml", "rangeimages.yaml"]
    assert "kind: CustomResourceDefinition" in (tmp_path / "imagecaches.yaml").read_text()


@pytest.mark.parametrize("arguments", [[], ["dance"], ["crds"], ["run", "--fast"]])
def test_a_wrong_command_line_exits_with_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exited:
        main(arguments)
    assert exited.value.code == 2
    assert "usage: cyroid-images" in capsys.readouterr().err


def test_an_error_is_one_line_and_not_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CYROID_MAX_TRANSFERS", "0")
    with pytest.raises(SystemExit) as exited:
        main(["run"])
    line = str(exited.value.code)
    assert line.startswith("cyroid-images: CYROID_MAX_TRANSFERS: ")
    assert "\n" not in line


@pytest.mark.slow
def test_the_operator_does_not_hold_the_client_of_the_bootstrap_in_memory() -> None:
    models = "kubernetes.client.api.core_v1_api"  # imports hundreds of modules
    loads = f"import sys, cyroid_images.cli; sys.exit({models!r} in sys.modules)"
    done = subprocess.run([sys.executable, "-c", loads], timeout=60, check=False)
    assert done.returncode == 0
