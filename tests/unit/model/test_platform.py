"""Platforms: every spelling of a machine ends in one value."""

from __future__ import annotations

import pytest

from cyroid_images.errors import InvalidReference
from cyroid_images.model.images.platform import Platform


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("linux/amd64", "linux/amd64"),
        ("linux/x86_64", "linux/amd64"),
        ("linux/amd64/v1", "linux/amd64"),
        ("linux/amd64/v2", "linux/amd64/v2"),
        ("linux/arm64", "linux/arm64"),
        ("linux/aarch64", "linux/arm64"),
        ("linux/arm64/v8", "linux/arm64"),
        ("linux/arm64/8", "linux/arm64"),
        ("linux/arm64/v9", "linux/arm64/v9"),
        ("linux/arm", "linux/arm/v7"),
        ("linux/arm/7", "linux/arm/v7"),
        ("linux/arm/v6", "linux/arm/v6"),
        ("linux/armhf", "linux/arm/v7"),
        ("linux/armel", "linux/arm/v6"),
        ("linux/i386", "linux/386"),
        ("windows/amd64", "windows/amd64"),
        ("linux/s390x", "linux/s390x"),
    ],
)
def test_p_s6_a_platform_has_one_normal_form(text: str, normal: str) -> None:
    assert str(Platform.parse(text)) == normal
    assert Platform.parse(normal) == Platform.parse(text)


@pytest.mark.parametrize(
    "text", ["", "linux", "linux/", "/amd64", "amd64", "both", "Linux/amd64", "linux/amd64\n", "*"]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(InvalidReference):
        Platform.parse(text)


def test_what_an_engine_says_is_normalised_too() -> None:
    assert Platform.of("Linux", "x86_64") == Platform("linux", "amd64")
    assert Platform.of("linux", "arm64", "V8") == Platform("linux", "arm64")


def test_the_machines_of_different_people_stay_apart() -> None:
    assert Platform.parse("linux/amd64") != Platform.parse("linux/arm64")
