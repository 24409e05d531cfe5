"""The files of the page, and the page itself for every path that it shows."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, Response
from starlette.exceptions import HTTPException

PACKAGED = Path(__file__).parent.parent / "web"
START = "index.html"


def router_of(folder: Path) -> APIRouter:
    """Serves this folder; a path without a file of its own is one that the page shows."""
    root = folder.resolve()
    router = APIRouter()

    @router.get("/{path:path}", include_in_schema=False)
    async def page(request: Request, path: str) -> Response:
        if path.startswith("api/") or path in ("api", "openapi.json"):
            raise HTTPException(404)
        file = _file(root, path)
        if file is None and "." not in path.rpartition("/")[2]:
            file = _file(root, START)
        if file is None:
            raise HTTPException(404)
        is_start = file.name == START
        cache = "no-cache" if is_start or "v" not in request.query_params else "max-age=86400"
        return FileResponse(file, headers={"Cache-Control": cache})

    return router


def _file(root: Path, path: str) -> Path | None:
    """A file below the folder, wherever `..` and links lead."""
    try:
        found = (root / path).resolve()
        return found if found.is_relative_to(root) and found.is_file() else None
    except (OSError, ValueError):
        return None
