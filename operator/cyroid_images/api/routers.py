"""The routers of the application, in the order in which paths are tried."""

from __future__ import annotations

from fastapi import APIRouter

from cyroid_images.api.routes import (
    collection,
    following,
    hosts,
    pushes,
    ranges,
    registry,
    removal,
    system,
    uploads,
)

ROUTERS: tuple[APIRouter, ...] = (
    registry.router,
    pushes.router,
    removal.router,
    hosts.router,
    collection.router,
    following.router,
    ranges.router,
    uploads.router,
    system.router,
)
"""The page comes after them: it answers for every other path."""
