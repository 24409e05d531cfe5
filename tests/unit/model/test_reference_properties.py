"""What holds for every reference and for every text, tried on generated ones."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from cyroid_images.errors import InvalidReference
from cyroid_images.model.images.reference import IMAGE_ID, PATTERN, Reference
from cyroid_images.model.images.repository import LONGEST, repository_of, tag_of
from tests.unit.model.references import HOSTS, NAMES, PATHS, TEXTS

ALIASES = ("127.0.0.1:5000", "registry:5000")
few = settings(max_examples=40, deadline=None, derandomize=True, database=None)
many = settings(few, max_examples=200)
REPOSITORY = re.compile(r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*")


def parsed(text: str) -> Reference | None:
    try:
        return Reference.parse(text)
    except InvalidReference:
        return None


@pytest.mark.slow
@many
@given(TEXTS)
@example("a__b.c/x")
@example("Local/x")
@example("nginx\n")
@pytest.mark.row("H2")
def test_the_parser_and_the_pattern_of_the_crd_accept_the_same_texts(text: str) -> None:
    is_accepted = (
        1 <= len(text) <= 512
        and re.fullmatch(PATTERN, text, re.ASCII) is not None
        and re.fullmatch(IMAGE_ID, text, re.ASCII) is None
    )
    assert (parsed(text) is not None) == is_accepted


@few
@given(NAMES)
def test_every_generated_name_is_a_reference_that_prints_and_parses_again(name: str) -> None:
    reference = Reference.parse(name)
    assert Reference.parse(str(reference)) == reference
    assert str(Reference.parse(str(reference))) == str(reference)


@few
@given(NAMES)
def test_a_repository_fits_the_grammar_and_its_bound(name: str) -> None:
    repository = repository_of(Reference.parse(name), ALIASES)
    assert REPOSITORY.fullmatch(repository)
    assert len(repository) <= LONGEST
    assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", tag_of(Reference.parse(name)))


@few
@given(NAMES, NAMES)
def test_p_r3_two_names_share_a_repository_only_if_they_mean_the_same(one: str, other: str) -> None:
    first, second = Reference.parse(one), Reference.parse(other)
    assume(first.name != second.name)
    assume(not (first.host in ALIASES and second.host in ALIASES))
    assert repository_of(first, ALIASES) != repository_of(second, ALIASES)


@few
@given(HOSTS, HOSTS, PATHS)
@pytest.mark.row("H9")
def test_one_path_on_two_hosts_never_meets(one: str, other: str, path: str) -> None:
    first, second = Reference.parse(f"{one}/{path}"), Reference.parse(f"{other}/{path}")
    assume(first.host != second.host)
    assert repository_of(first, ()) != repository_of(second, ())


@few
@given(PATHS, st.integers(1, 65534))
def test_one_path_on_two_ports_never_meets(path: str, port: int) -> None:
    first = Reference.parse(f"10.0.0.1:{port}/{path}")
    second = Reference.parse(f"10.0.0.1:{port + 1}/{path}")
    assert repository_of(first, ()) != repository_of(second, ())


@few
@given(PATHS)
def test_the_names_of_docker_hub_meet(path: str) -> None:
    expected = Reference.parse(f"docker.io/{path}")
    assert Reference.parse(f"index.docker.io/{path}") == expected
    if "/" not in path:
        assert Reference.parse(f"docker.io/library/{path}") == expected
        assert Reference.parse(path) == expected
