"""Errors as `application/problem+json` (RFC 9457); CYROID's clients read `detail`."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from uuid import uuid4

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from cyroid_images.errors import (
    AccessDenied,
    ApiUnavailable,
    CyroidError,
    InvalidReference,
    InvalidSpec,
    StatusConflict,
    TransferError,
)
from cyroid_images.model.text import clean_message

_log = logging.getLogger(__name__)

PROBLEM_JSON = "application/problem+json"
LONGEST_DETAIL = 1024
SIGN_IN = {"WWW-Authenticate": "Bearer"}


class Problem(Exception):
    """An answer that is an error; `detail` says what, on what, why and what to do."""

    def __init__(
        self, status: int, detail: str, *, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers


def body_of(problem: Problem) -> dict[str, str | int]:
    """The problem as JSON."""
    return {
        "type": "about:blank",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": clean_message(problem.detail, LONGEST_DETAIL),
    }


def answer_of(problem: Problem) -> JSONResponse:
    """The problem as a response."""
    return JSONResponse(
        body_of(problem),
        problem.status,
        headers=dict(problem.headers or {}),
        media_type=PROBLEM_JSON,
    )


RETRY = {"Retry-After": "5"}
_MEANINGS: tuple[tuple[type[CyroidError], int, str], ...] = (
    (InvalidReference, 422, "{}"),
    (InvalidSpec, 409, "{}"),
    (StatusConflict, 409, "{}; somebody changes it all the time: try again"),
    (AccessDenied, 503, "this API lacks a right of its own: {}"),
    (ApiUnavailable, 503, "the Kubernetes API does not answer: {}; try again"),
    (TransferError, 503, "{}; try again"),
)
"""Status and words of each error, the special ones first."""


def problem_of(error: CyroidError) -> Problem:
    """What an error of ours means to whoever asked."""
    text = f"{error.reason}: {error}" if isinstance(error, TransferError) else str(error)
    for kind, status, words in _MEANINGS:
        if isinstance(error, kind):
            return Problem(status, words.format(text), headers=RETRY if status == 503 else None)
    return Problem(500, text)


def install(app: FastAPI) -> None:
    """Have every error of this application answered so."""
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(CyroidError, _on_own)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(Exception, _on_defect)


async def _on_problem(_: Request, exc: Exception) -> JSONResponse:
    assert isinstance(exc, Problem)  # noqa: S101 - as it was registered
    return answer_of(exc)


async def _on_own(_: Request, exc: Exception) -> JSONResponse:
    assert isinstance(exc, CyroidError)  # noqa: S101 - as it was registered
    return answer_of(problem_of(exc))


async def _on_invalid(_: Request, exc: Exception) -> JSONResponse:
    """Where and why; never what was sent, which may hold a password."""
    assert isinstance(exc, RequestValidationError)  # noqa: S101 - as it was registered
    told = (f"{_place(each['loc'])}: {each['msg']}" for each in exc.errors()[:5])
    return answer_of(Problem(422, "; ".join(told)))


def _place(steps: tuple[int | str, ...]) -> str:
    return ".".join(str(step) for step in steps[1:]) or str(steps[0])


async def _on_http(request: Request, exc: Exception) -> JSONResponse:
    assert isinstance(exc, HTTPException)  # noqa: S101 - as it was registered
    detail = str(exc.detail)
    if exc.status_code == 404:
        detail = f"there is no {request.url.path[:200]}; /openapi.json lists what there is"
    return answer_of(Problem(exc.status_code, detail, headers=exc.headers))


async def _on_defect(request: Request, exc: Exception) -> JSONResponse:
    """A defect of ours: the log has the traceback, the answer its id."""
    number = uuid4().hex[:8]
    _log.error("%s %s: defect %s", request.method, request.url.path, number, exc_info=exc)
    return answer_of(Problem(500, f"a defect of this API; its log has it under {number}"))
