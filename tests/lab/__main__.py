"""The command line of the lab: `python -m tests.lab --help`."""

import argparse
import os
import sys
import time
from collections.abc import Sequence

from tests.lab import images, lab
from tests.lab.errors import LabError
from tests.lab.lab import Lab

_WHICH = "which lab, if there are several (default: default)"
_EPILOG = """
Without Linux, root or Go: run on a cluster that you have, with make demo KUBECONFIG=...
"""


def main(words: Sequence[str]) -> int:
    """Does what the words say; the exit code."""
    asked = _parser().parse_args(words)
    try:
        code: int = asked.do(asked)
    except LabError as exc:
        print(f"lab: {exc}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("lab: interrupted, nothing is left of it", file=sys.stderr)
        return 130
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.lab", description=__doc__.splitlines()[0], epilog=_EPILOG
    )
    parser.add_argument("--name", default="default", help=_WHICH)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, do, help_text in _COMMANDS:
        command = commands.add_parser(name, help=help_text, add_help=name != "kubectl")
        command.set_defaults(do=do)
        if name == "kubectl":
            command.add_argument("arguments", nargs=argparse.REMAINDER)
        else:  # also after the command; without a default it keeps what came before
            command.add_argument("--name", default=argparse.SUPPRESS, help=_WHICH)
        if name == "down":
            command.add_argument("--forget", action="store_true", help="its images too")
    return parser


def _up(asked: argparse.Namespace) -> int:
    started = time.monotonic()
    running = lab.up(asked.name, lambda line: print(line, flush=True))
    print(f"lab {running.name} is up after {time.monotonic() - started:.1f} s; to use it:")
    return _env(asked)


def _down(asked: argparse.Namespace) -> int:
    started = time.monotonic()
    was_there = lab.down(asked.name, forget=asked.forget)
    seconds = time.monotonic() - started
    print(f"lab {asked.name} ended in {seconds:.1f} s" if was_there else "there was none")
    return 0


def _status(asked: argparse.Namespace) -> int:
    others = [name for name in lab.names() if name != asked.name]
    print(f"other labs: {', '.join(others) or 'none'}")
    running = _found(asked)
    print(f"lab {running.name}: node {running.node_address}, files in {running.directory}")
    for reference in running.images.values():
        print(f"image {reference}")
    print(running.run_kubectl("get", "nodes,pods", "--all-namespaces", "-o", "wide"), end="")
    return 0


def _kubectl(asked: argparse.Namespace) -> int:
    running = _found(asked)
    env = {**os.environ, **running.environment}
    sys.stdout.flush()
    os.execve(running.kubectl, ["kubectl", *asked.arguments], env)  # noqa: S606 - no shell wanted


def _images(_: argparse.Namespace) -> int:
    for reference in images.ensure(images.available()).values():
        megabytes = images.archive_of(reference).stat().st_size / 1e6
        print(f"{reference:<45}{megabytes:6.0f} MB")
    return 0


def _env(asked: argparse.Namespace) -> int:
    running = _found(asked)
    for name, value in running.environment.items():
        print(f"export {name}={value}")
    print(f"export PATH={running.kubectl.parent}:$PATH")
    return 0


def _found(asked: argparse.Namespace) -> Lab:
    running = lab.find(asked.name)
    if running is None:
        raise LabError(f"lab {asked.name} does not run: python -m tests.lab up")
    return running


_COMMANDS = (
    ("up", _up, "start it, or bring new images into it"),
    ("down", _down, "end it, without a trace"),
    ("status", _status, "what runs where"),
    ("kubectl", _kubectl, "kubectl on it"),
    ("images", _images, "build its images and list them"),
    ("env", _env, "lines for a shell to reach it"),
)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
