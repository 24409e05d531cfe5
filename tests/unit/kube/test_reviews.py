"""Whose token it is, and what its owner may do: the questions, and what an answer means."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from cyroid_images.errors import AccessDenied, ApiUnavailable, InvalidSpec, StatusConflict
from cyroid_images.kube.api import Api
from cyroid_images.kube.editing import Editing
from cyroid_images.kube.reviews import Caller, Reviews
from cyroid_images.kube.rights import Right
from tests.unit.kube.fake_client import FakeClient, answer
from tests.unit.reconcile.clock import run

TOKEN = "secret-token"


def asked(client: FakeClient, what: Callable[[Reviews], Coroutine[Any, Any, Any]]) -> Any:
    async def main() -> Any:
        return await what(Reviews(Api(client)))

    return run(main())


def reviewed(**status: Any) -> Any:
    client = FakeClient([answer(201, {"status": status})])
    return asked(client, lambda reviews: reviews.who(TOKEN))


def test_a_token_is_somebodys() -> None:
    user = {"username": "ann", "uid": "1", "groups": ["g"], "extra": {"k": ["v"]}}
    assert reviewed(authenticated=True, user=user) == Caller("ann", ("g",), "1", {"k": ("v",)})


@pytest.mark.parametrize("error", ["", "[invalid bearer token, token has expired]"])
def test_a_token_is_nobodys(error: str) -> None:
    assert reviewed(authenticated=False, error=error) is None


def test_a_review_that_could_not_be_made_is_no_answer_and_repeats_no_token() -> None:
    with pytest.raises(ApiUnavailable) as away:
        reviewed(authenticated=False, error=f"webhook {TOKEN}: connection refused")
    assert TOKEN not in str(away.value)


def test_an_answer_without_a_name_is_none() -> None:
    with pytest.raises(ApiUnavailable):
        reviewed(authenticated=True, user={})


@pytest.mark.parametrize(("code", "error"), [(403, AccessDenied), (500, ApiUnavailable)])
def test_what_is_no_answer_is_told_so(code: int, error: type[Exception]) -> None:
    with pytest.raises(error):
        asked(FakeClient([answer(code)]), lambda reviews: reviews.who(TOKEN))


def test_a_right_is_asked_for_as_the_caller_has_it() -> None:
    client = FakeClient([answer(201, {"status": {"allowed": True}})])
    ann = Caller("ann", ("g",), "1", {"k": ("v",)})
    right = Right("patch", "cyroid.io", "imagecaches", name="default")
    assert asked(client, lambda reviews: reviews.may(ann, right)) is True
    spec = client.calls[0][3]["spec"]
    assert (spec["user"], spec["groups"], spec["extra"]) == ("ann", ["g"], {"k": ["v"]})
    wanted = {"verb": "patch", "resource": "imagecaches", "name": "default", "group": "cyroid.io"}
    assert spec["resourceAttributes"].items() >= wanted.items()


@pytest.mark.parametrize("status", [{}, {"allowed": False}, {"denied": True}])
def test_only_a_yes_is_a_yes(status: dict[str, Any]) -> None:
    client = FakeClient([answer(201, {"status": status})])
    right = Right("get", "cyroid.io", "imagecaches")
    assert asked(client, lambda reviews: reviews.may(Caller("ann"), right)) is False


@pytest.mark.parametrize(
    ("code", "error"),
    [(409, StatusConflict), (422, InvalidSpec), (403, AccessDenied), (500, ApiUnavailable)],
)
def test_a_patch_that_is_refused_says_how(code: int, error: type[Exception]) -> None:
    async def main() -> None:
        editing = Editing(Api(FakeClient([answer(code, {"message": "no"})])), "me")
        with pytest.raises(error):
            await editing.merge("ImageCache", "", "default", {"spec": {}})

    run(main())


def test_what_is_not_there_is_none() -> None:
    async def main() -> None:
        editing = Editing(Api(FakeClient([answer(404), answer(404)])), "me")
        assert await editing.read("ImageCache", "", "default") is None
        assert await editing.merge("ImageCache", "", "default", {}) is None

    run(main())
