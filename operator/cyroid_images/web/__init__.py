"""The web page: static files of our own, which the REST API serves as they are.

The page asks the API for everything that it shows; nothing is computed here but which file
answers which path. What its modules are for stands in the first lines of each (`js/`):

    main            sign-in, and which view an address names     page_*     one view each
    api, stream     requests, and server-sent events             dom, parts what views are made of
    session         the token, which never leaves the tab but as a header
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType

FOLDER = Path(__file__).parent
VIEWS = frozenset({"registry", "ranges", "events", "sources", "import", "health"})
"""First parts of the addresses that people see; the page itself tells the rest apart."""
ASSETS = "assets/"
"""Where style, icon and modules are served."""
HEADERS = MappingProxyType(
    {
        "Content-Security-Policy": (
            "default-src 'self'; base-uri 'self'; form-action 'none'; frame-ancestors 'none';"
            " object-src 'none'"
        ),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "no-cache",  # a newer API has newer files under these names
    }
)
"""Headers of each file."""
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it is served."""

    content: bytes
    media_type: str
    etag: str
    """Another content has another."""


def asset(path: str) -> Asset | None:
    """What answers this path (without its first slash); None: there is no such page or file."""
    if path == "favicon.ico":
        path = f"{ASSETS}icon.svg"
    if path.startswith(ASSETS):
        return _files().get(path.removeprefix(ASSETS))
    first = path.strip("/").partition("/")[0]
    return _files()["index.html"] if not first or first in VIEWS else None


@cache
def _files() -> dict[str, Asset]:
    """All of them by name: what is not among them cannot be asked for, however a path is spelt."""
    found = {}
    for file in FOLDER.rglob("*"):
        if file.suffix in _TYPES:
            content = file.read_bytes()
            etag = f'"{sha256(content).hexdigest()[:16]}"'
            name = file.relative_to(FOLDER).as_posix()
            found[name] = Asset(content, _TYPES[file.suffix], etag)
    return found
