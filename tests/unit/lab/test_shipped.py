"""Which Python the operator's image ships: the tests run on that one too."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.errors import LabError
from tests.lab.shipped import version

DOCKERFILE = Path(__file__).parents[3] / "operator" / "Dockerfile"


def test_the_version_is_that_of_the_base_of_the_image() -> None:
    text = "# An image.\nARG BASE=python:3.14-slim\nARG BUILD_BASE=${BASE}\nFROM ${BUILD_BASE}\n"
    assert version(text) == "3.14"


def test_the_dockerfile_of_the_operator_says_which_python_it_ships() -> None:
    major, minor = version(DOCKERFILE.read_text()).split(".")
    assert (int(major), int(minor)) >= (3, 11)


def test_a_dockerfile_without_it_is_told_as_such() -> None:
    with pytest.raises(LabError, match="does not say which Python it ships"):
        version("FROM debian:trixie\n")
