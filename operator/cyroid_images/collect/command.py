"""The arguments of `cyroid-images collect`; the server is imported when it is to run."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from cyroid_images.errors import CyroidError
from cyroid_images.model.kinds.duration import parse_duration


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the collector of one registry is told; `run` takes what this parser returned."""
    parser.add_argument("--root", type=Path, required=True, help="the root of the registry's files")
    parser.add_argument(
        "--gate", type=Path, required=True, help="folder by which the push listener is stopped"
    )
    parser.add_argument("--push-port", type=int, default=5001, help="its port on this machine")
    parser.add_argument(
        "--htpasswd", type=Path, required=True, help="file with those who may ask (bcrypt)"
    )
    parser.add_argument(
        "--grace", type=_duration, default=3600.0, help="what is younger stays, such as 1h"
    )


def run(arguments: argparse.Namespace) -> None:
    """Serve until a signal comes; raises CyroidError where that cannot be."""
    # The operator, which has the same command line, would hold the server for all its life.
    from cyroid_images.collect.collection import Collector  # noqa: PLC0415
    from cyroid_images.collect.gate import Gate  # noqa: PLC0415
    from cyroid_images.collect.server import CollectorServer  # noqa: PLC0415
    from cyroid_images.collect.tree import Tree  # noqa: PLC0415

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    gate = Gate(arguments.gate, arguments.push_port)
    host, port = arguments.listen
    try:
        gate.open()  # whoever closed it before was killed
        collector = Collector(Tree(arguments.root), gate, arguments.grace)
        CollectorServer(collector, arguments.htpasswd).run(host, port)
    except OSError as exc:
        raise CyroidError(f"cannot serve at {host}:{port}: {exc}") from exc


def _duration(text: str) -> float:
    try:
        return parse_duration(text)
    except ValueError as exc:
        raise argparse.ArgumentTypeError(f"{text!r}: {exc}") from exc
