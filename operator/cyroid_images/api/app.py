"""The application: routes, errors, bounds and sign-in around them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from cyroid_images.api import pages, problems
from cyroid_images.api.guard import Guard, WholeBody
from cyroid_images.api.routers import ROUTERS
from cyroid_images.api.services import Services
from cyroid_images.api.signing_in import OPEN, SigningIn

Living = Callable[[], AbstractAsyncContextManager[Services]]
"""Makes the services when the process starts, and ends them with it."""

TITLE = "cyroid-images"
VERSION = "1"
ABOUT = (
    "Images of cyber ranges: what a registry holds and lacks, pushes, deletion, and how far the"
    " ranges are. Sign in with a token of the cluster as `Authorization: Bearer`. Errors are"
    " `application/problem+json`; `detail` says what to do."
)


def create_app(living: Living | None = None, web: Path | None = None) -> FastAPI:
    """The whole application; without `living` it can only tell its own description."""

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        if living is None:
            yield
            return
        async with living() as services:
            app.state.services = services
            yield

    app = FastAPI(
        title=TITLE,
        version=VERSION,
        description=ABOUT,
        lifespan=life,
        docs_url=None,  # their pages load scripts of other hosts
        redoc_url=None,
        generate_unique_id_function=_operation,
    )
    plain = app.openapi
    app.openapi = lambda: _finished(plain())  # type: ignore[method-assign] # as FastAPI documents it
    problems.install(app)
    for router in ROUTERS:
        app.include_router(router)
    if web is not None:
        app.include_router(pages.router_of(web))
    app.add_middleware(WholeBody)  # the last one that is added is the first that is asked
    app.add_middleware(SigningIn, callers=lambda: app.state.services.callers)
    app.add_middleware(Guard)
    return app


def description() -> dict[str, Any]:
    """The OpenAPI document, as it is served and checked in."""
    document: dict[str, Any] = create_app().openapi()
    return document


def _finished(document: dict[str, Any]) -> dict[str, Any]:
    """With what errors look like, and who needs no token."""
    components = document.setdefault("components", {})
    components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    components.setdefault("schemas", {})["Problem"] = PROBLEM
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for path, calls in document["paths"].items():
        for call in calls.values():
            if path not in OPEN:
                call["security"] = [{"token": []}]
            call["responses"].pop("422", None)
            call["responses"]["default"] = {"description": "A problem", "content": problem}
    for unused in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(unused, None)
    return document


PROBLEM = {
    "type": "object",
    "title": "Problem",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What, on what, why, and what to do."},
    },
}


def _operation(route: APIRoute) -> str:
    """A name for clients that are generated: method, path."""
    words = route.path_format.removeprefix("/api/v1/").translate(str.maketrans("/-", "__", "{}"))
    return f"{min(route.methods or ()).lower()}_{words}"
