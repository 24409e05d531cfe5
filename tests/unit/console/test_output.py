"""Tables, documents, what is struck out, and how a kind is cleaned."""

from __future__ import annotations

import json

import click
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from cyroid_images.console.bundling import STRUCK, struck_out
from cyroid_images.console.commands import COMMANDS, program
from cyroid_images.console.exporting import cleaned, secrets_in
from cyroid_images.console.options import ChosenRanges
from cyroid_images.console.screen.output import Screen, as_yaml, document, line, pairs, table


class Wide(Screen):
    """A terminal of 40 columns, with colours."""

    def __init__(self, *, is_plain: bool = False) -> None:
        super().__init__()
        self.is_terminal, self.is_plain = True, is_plain

    @property
    def columns(self) -> int | None:
        return 40


HOSTILE = "\x1b[2Jx\x07\r\n\u202eevil\u009b31m"


def test_columns_are_as_wide_as_their_widest_cell_and_the_last_one_is_cut() -> None:
    lines = table(["A", "B"], [["1", "x" * 60], ["333", "y"]], Wide(is_plain=True))
    assert lines == ["A    B", "1    " + "x" * 34 + "…", "333  y"]


def test_without_a_terminal_nothing_is_cut() -> None:
    assert len(table(["A"], [["x" * 500]], Screen())[1]) == 500


def test_colours_do_not_count_as_columns() -> None:
    lines = table(["A", "B"], [[("x", "red"), "y"]], Wide())
    assert lines[1] == "\x1b[31mx\x1b[0m  y"


@given(st.text(), st.text())
def test_no_text_steers_the_terminal_or_breaks_the_line(one: str, two: str) -> None:
    screen = Wide(is_plain=True)
    lines = [
        *table(["A", "B"], [[one, two]], screen),
        *pairs([("name", two)], screen),
        line([one, two]),
    ]
    assert len(lines) == 4
    assert all(each.isprintable() for each in lines)


def test_what_is_hostile_is_readable_at_most() -> None:
    assert table(["A"], [[HOSTILE]], Screen())[1] == "x evil 31m"


@given(st.dictionaries(st.text(max_size=5), st.text()))
def test_documents_hold_everything_and_steer_nothing(value: dict[str, str]) -> None:
    for form, read in (("json", json.loads), ("yaml", yaml.safe_load)):
        text = document(value, form)
        assert read(text) == value
        assert all(each.isprintable() and each.isascii() for each in text.split("\n"))


def test_several_documents_are_kept_apart() -> None:
    assert list(yaml.safe_load_all(as_yaml([{"a": 1}, {"b": 2}]))) == [{"a": 1}, {"b": 2}]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("see https://me:hunter2@host/x", "see https://"),
        ("Authorization: Bearer abcdefghijkl", "Authorization"),
        ('"password": "hunter2"', '"password'),
        ("token=hunter2abc", "token"),
        ("-----BEGIN EC PRIVATE KEY-----\nhunter2\n-----END EC PRIVATE KEY-----", ""),
    ],
)
def test_what_looks_like_a_credential_is_struck_out(text: str, kept: str) -> None:
    found = struck_out(text)
    assert STRUCK in found
    assert found.startswith(kept)
    for secret in ("hunter2", "abcdefghijkl"):
        assert secret not in found


@pytest.mark.parametrize(
    "text",
    [
        '"pushSecretRef": {"name": "cyroid-registry-push"}',
        "image 127.0.0.1:5000/cyroid/kali@sha256:" + "a" * 64,
        "SecretMissing: the Secret x does not exist",
        "tcp://cyroid-builder.cyroid.svc:2376",
    ],
)
def test_what_is_no_credential_stays(text: str) -> None:
    assert struck_out(text) == text


def test_an_exported_object_is_what_somebody_wrote() -> None:
    body = {
        "kind": "RangeImages",
        "apiVersion": "cyroid.io/v1alpha1",
        "status": {"observedGeneration": 1},
        "spec": {"images": [{"image": "a"}]},
        "metadata": {
            "name": "a",
            "namespace": "n",
            "uid": "u",
            "generation": 3,
            "managedFields": [],
            "annotations": {"cyroid.io/reconcile-at": "1", "own": "x"},
        },
    }
    assert cleaned(body) == {
        "apiVersion": "cyroid.io/v1alpha1",
        "kind": "RangeImages",
        "metadata": {"name": "a", "namespace": "n", "annotations": {"own": "x"}},
        "spec": {"images": [{"image": "a"}]},
    }


def test_secrets_are_found_wherever_a_spec_names_them() -> None:
    spec = {"registry": {"pushSecretRef": {"name": "a"}}, "sources": [{"secretRef": {"name": "b"}}]}
    assert list(secrets_in(spec)) == ["a", "b"]


def test_a_name_without_a_namespace_is_of_the_context() -> None:
    assert ChosenRanges(None, None, ("a", "n/b", "a"), "home").wanted == (("home", "a"), ("n", "b"))
    assert str(ChosenRanges("n", "spring", (), "home")) == " of event spring in namespace n"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_of_the_table_is_there_and_says_what_it_does(name: str) -> None:
    command = program.get_command(click.Context(program), name)
    assert command is not None
    assert command.name == name
    assert command.help
