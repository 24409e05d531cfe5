"""The command line: run the operator, the API or the collector, write the CRDs, make Secrets once.

What a command is made of is imported when it is to run: the collector stands beside a
registry, and needs neither the operator's 50 MiB nor its second of start.
"""

from __future__ import annotations

import argparse
import ctypes
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cyroid_images.api import command as api
from cyroid_images.bootstrap import command as bootstrap
from cyroid_images.collect import command as collect
from cyroid_images.errors import REASONS, CyroidError

if TYPE_CHECKING:
    from cyroid_images.wiring.operator import End, Operator

LARGEST_PORT = 65535
NOT_SERVED = 404
"""How the API server answers a watch of a kind that it no longer serves."""


def main(arguments: list[str] | None = None) -> None:
    """Exit 0 when done, 1 with one line on standard error, 2 for a wrong command line, 3 when
    another operator took over."""
    parsed = _parser().parse_args(arguments)
    try:
        parsed.act(parsed)
    except CyroidError as exc:
        sys.exit(f"cyroid-images: {exc}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cyroid-images",
        description="Brings container images into the Docker engines of cyber ranges.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    run = commands.add_parser(
        "run", help="run the operator", description="Settings come from CYROID_* variables."
    )
    run.add_argument(
        "--probes",
        metavar="HOST:PORT",
        type=_address,
        help="serve /healthz, /readyz and /metrics there, as 0.0.0.0:8080",
    )
    run.set_defaults(act=_run)
    serve_people = commands.add_parser("api", help="serve the REST API and the page")
    api.add_arguments(serve_people, _address)
    serve_people.set_defaults(act=_run_api)
    describe = commands.add_parser("openapi", help="print the description of the REST API")
    describe.set_defaults(act=lambda _: print(api.openapi(), end=""))
    write = commands.add_parser("crds", help="write the CRDs of both kinds as YAML files")
    write.add_argument("folder", type=Path, help="where to write them")
    write.set_defaults(act=_write_crds)
    first = commands.add_parser("bootstrap", help="make what an installation needs once")
    bootstrap.add_arguments(first)
    first.set_defaults(act=lambda parsed: print(bootstrap.run(parsed)))
    collector = commands.add_parser("collect", help="free the disk of the chart's registry")
    collector.add_argument(
        "--listen", metavar="HOST:PORT", type=_address, required=True, help="where to serve"
    )
    collect.add_arguments(collector)
    collector.set_defaults(act=collect.run)
    reasons = commands.add_parser("reasons", help="print the reasons of conditions and events")
    reasons.set_defaults(act=lambda _: print(reason_table()))
    return parser


def reason_table() -> str:
    """All reasons as a Markdown table; the README holds the same."""
    rows = [f"| `{reason}` | {mark.value} | {text} |" for reason, (mark, text) in REASONS.items()]
    return "\n".join(["| reason | mark | meaning |", "| --- | --- | --- |", *rows])


def _address(text: str) -> tuple[str, int]:
    """Host and port."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) > LARGEST_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT")
    return host, int(port)


def _write_crds(parsed: argparse.Namespace) -> None:
    from cyroid_images import crds  # noqa: PLC0415 - see above

    crds.write(parsed.folder)


def _end(why: str, code: End) -> None:
    """Exit at once, without cleaning up: another operator may have taken over already."""
    logging.getLogger(__name__).error("%s; exiting at once", why)
    logging.shutdown()
    os._exit(code)


MOST_HEAPS = 2
"""glibc gives each thread a heap of its own, up to eight per core, and keeps them: with fifty
threads that mostly wait, that is memory for nothing."""
_M_ARENA_MAX = -8
"""From malloc.h of glibc; other libraries know no such call, or refuse it."""


def _share_heaps() -> None:
    """Fit the allocator to many threads that mostly wait."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, MOST_HEAPS)


def _run_api(parsed: argparse.Namespace) -> None:
    from cyroid_images.logs import configure  # noqa: PLC0415 - see above
    from cyroid_images.settings import read_settings  # noqa: PLC0415 - see above

    _share_heaps()
    settings = read_settings()
    configure(settings.log_level, as_json=settings.log_format == "json")
    api.run(parsed, settings)


def _run(parsed: argparse.Namespace) -> None:
    from cyroid_images.logs import Redaction, configure  # noqa: PLC0415 - see above
    from cyroid_images.settings import read_settings, share_kubeconfig  # noqa: PLC0415
    from cyroid_images.wiring.operator import Operator  # noqa: PLC0415 - see above

    _share_heaps()
    settings = read_settings()
    redaction = Redaction()
    configure(settings.log_level, as_json=settings.log_format == "json", redaction=redaction)
    share_kubeconfig(settings)
    serve(Operator(settings, redaction.learn, parsed.probes, _end))


def serve(operator: Operator) -> None:
    """Run it in kopf until a signal comes or it ends by itself, which raises a CyroidError."""
    import kopf  # noqa: PLC0415 - see above

    from cyroid_images import handlers  # noqa: PLC0415 - see above

    registry = kopf.OperatorRegistry()
    handlers.register(registry, operator)
    try:
        kopf.run(
            registry=registry,
            clusterwide=True,
            standalone=True,
            stop_flag=operator.ending,
            # By default kopf asks for the user's name, which uid 65532 of a pod does not have.
            identity="cyroid-operator",  # type: ignore[arg-type] # a NewType kopf does not export
        )
    except Exception as exc:  # kopf has logged its traceback
        raise CyroidError(f"the operator ended: {operator.failure or _why(exc)}") from exc
    if operator.failure is not None:
        raise CyroidError(f"the operator ended: {operator.failure}")


def _why(exc: Exception) -> str:
    """What ended kopf, for people. A watch that gets 404 ends it, and kopf's class is private."""
    if getattr(exc, "status", None) == NOT_SERVED:
        return (
            "the API server no longer serves a kind that is watched (was a CRD removed?); started"
            " again, it waits until that kind is back: kubectl apply -f crds/"
        )
    return str(exc) or type(exc).__name__
