"""The arguments of `cyroid-images bootstrap`; the steps are imported when one is asked for."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The two steps as sub-commands; `run` takes what this parser returned."""
    steps = parser.add_subparsers(dest="step", required=True, metavar="STEP")
    make = steps.add_parser("secrets", help="make the registry's Secrets where they are absent")
    make.add_argument("--namespace", required=True, help="where the registry runs")
    make.add_argument("--push-secret", help="Secret with the push user, if it has its own name")
    make.add_argument(
        "--push-secret-must-exist", action="store_true", help="fail rather than make that one"
    )
    first = steps.add_parser("cache", help="apply an ImageCache unless people edited it")
    first.add_argument("--file", required=True, type=Path, help="its YAML")


def run(arguments: argparse.Namespace) -> str:
    """Do one step; returns one line for people and raises CyroidError."""
    # The client's models are 22 MiB, which the operator would hold for all its life.
    from cyroid_images.bootstrap import steps  # noqa: PLC0415

    return steps.run(arguments)
