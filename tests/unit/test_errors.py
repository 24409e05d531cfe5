"""The one list of reasons and the one tree of errors."""

from __future__ import annotations

import re

import pytest

from cyroid_images import errors
from cyroid_images.errors import REASONS, Mark, Reason
from cyroid_images.model.fault import Fault

LEAVES = [
    each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, Exception)
]


def test_every_reason_has_a_mark_and_a_meaning() -> None:
    assert set(REASONS) == set(Reason)
    for reason in Reason:
        assert isinstance(reason.mark, Mark)
        assert reason.meaning == REASONS[reason][1]


@pytest.mark.parametrize("reason", list(Reason))
def test_a_reason_is_one_word_that_kubernetes_takes(reason: Reason) -> None:
    assert re.fullmatch(r"[A-Z][A-Za-z0-9]{1,63}", reason)
    assert reason.name == re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=TLS)|(?<=RBAC)", "_", reason).upper()


@pytest.mark.parametrize("reason", list(Reason))
def test_a_meaning_is_short_and_fits_into_a_table(reason: Reason) -> None:
    assert 0 < len(reason.meaning) <= 80
    assert "|" not in reason.meaning
    assert not reason.meaning.endswith(".")


def test_no_two_reasons_mean_the_same() -> None:
    assert len({reason.meaning for reason in Reason}) == len(Reason)


@pytest.mark.parametrize("error", LEAVES, ids=lambda error: error.__name__)
def test_every_error_is_of_the_one_tree_and_drawn_in_it(error: type[Exception]) -> None:
    assert issubclass(error, errors.CyroidError)
    assert errors.__doc__ is not None
    assert error.__name__ in errors.__doc__
    assert error.__doc__


def test_a_transfer_error_becomes_a_fault_with_all_its_evidence() -> None:
    error = errors.TransferError(Reason.RATE_LIMITED, "429", retry_after=30)
    assert Fault.of(error) == Fault(Reason.RATE_LIMITED, "429", 30)
    assert str(error) == "429"


def test_an_invalid_spec_names_the_field_and_the_rule() -> None:
    error = errors.InvalidSpec("spec.images", "too many")
    assert (str(error), error.reason) == ("spec.images: too many", Reason.INVALID_SPEC)


def test_a_missing_right_is_no_usable_answer_of_the_api() -> None:
    assert issubclass(errors.AccessDenied, errors.ApiUnavailable)
