"""Where an image lives in our registry, and under which names a source may know it."""

from __future__ import annotations

import pytest

from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.reference import Reference
from cyroid_images.model.images.repository import names_in_source, pin_tag, repository_of, tag_of
from tests.unit.model.names_table import SHA256

ALIASES = ("127.0.0.1:5000", "Registry:5000")


@pytest.mark.parametrize(
    ("text", "repository"),
    [
        ("nginx", "docker.io/library/nginx"),
        ("ghcr.io/a/b", "ghcr.io/a/b"),
        ("quay.io/a/b", "quay.io/a/b"),
        ("10.0.0.1:5000/kali", "10.0.0.1_5000/kali"),
        ("127.0.0.1:5000/cyroid/kali", "local/cyroid/kali"),
        ("registry:5000/cyroid/kali", "local/cyroid/kali"),
        ("cyroid/kali", "docker.io/cyroid/kali"),
        ("linuxserver/webtop", "docker.io/linuxserver/webtop"),
        ("lscr.io/linuxserver/webtop", "lscr.io/linuxserver/webtop"),
    ],
)
def test_a_reference_has_one_repository(text: str, repository: str) -> None:
    assert repository_of(Reference.parse(text), ALIASES) == repository


def test_a_repository_of_more_than_200_characters_becomes_a_digest() -> None:
    long = repository_of(Reference.parse("ghcr.io/" + "x" * 193), ())
    assert long.startswith("x__long/")
    assert len(long) == 72
    assert repository_of(Reference.parse("ghcr.io/" + "x" * 192), ()) == "ghcr.io/" + "x" * 192


def test_the_tag_is_the_one_that_was_written_or_made_of_the_digest() -> None:
    assert tag_of(Reference.parse("nginx:1")) == "1"
    assert tag_of(Reference.parse("nginx")) == "latest"
    assert tag_of(Reference.parse(f"nginx@{SHA256}")) == "_by-" + "0a" * 20
    assert pin_tag(Digest.parse(SHA256)) == "_pin-" + "0a" * 20


def test_an_alias_name_is_looked_up_as_written_then_elsewhere_then_bare() -> None:
    names = names_in_source(Reference.parse("registry:5000/kali:1"), ALIASES)
    assert [str(name) for name in names] == [
        "registry:5000/kali:1",
        "127.0.0.1:5000/kali:1",
        "kali:1",
    ]


def test_the_bare_form_of_an_alias_name_is_in_normal_form() -> None:
    assert names_in_source(Reference.parse("registry:5000/kali"), ALIASES)[-1] == Reference.parse(
        "kali"
    )


def test_any_other_name_is_looked_up_as_written_only() -> None:
    reference = Reference.parse("cyroid/kali:1")
    assert names_in_source(reference, ALIASES) == (reference,)


def test_aliases_that_differ_in_case_only_are_looked_up_once() -> None:
    names = names_in_source(Reference.parse("a:1/x"), ("A:1", "b:1", "B:1"))
    assert len(names) == len(set(names)) == 3
