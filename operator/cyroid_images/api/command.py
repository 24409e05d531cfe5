"""The arguments of `cyroid-images api` and `openapi`; the server is imported when it is run."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cyroid_images.settings import Settings

Address = Callable[[str], tuple[str, int]]


def add_arguments(parser: argparse.ArgumentParser, address: Address) -> None:
    """Of the server; `address` reads HOST:PORT."""
    parser.add_argument(
        "--listen", metavar="HOST:PORT", type=address, required=True, help="as 0.0.0.0:8443"
    )
    parser.add_argument("--tls-cert", type=Path, metavar="FILE", help="serve TLS with this chain")
    parser.add_argument("--tls-key", type=Path, metavar="FILE", help="and this key")
    parser.add_argument(
        "--registry-ca", type=Path, metavar="FILE", help="PEM that vouches for the registries"
    )
    parser.add_argument("--web", type=Path, metavar="DIR", help="the page; default: our own")


def run(parsed: argparse.Namespace, settings: Settings) -> None:
    """Serve until a signal comes; raises CyroidError."""
    # Neither the operator nor the other commands need FastAPI.
    from cyroid_images.api import server  # noqa: PLC0415

    server.serve(parsed, settings)


def openapi() -> str:
    """The OpenAPI document, as it is checked in."""
    from cyroid_images.api.app import description  # noqa: PLC0415

    return json.dumps(description(), indent=1, sort_keys=True) + "\n"
