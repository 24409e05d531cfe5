"""The entry point `kubectl-cyroid`: exit code 0, 1 with one line that says what to do, 2 for a
wrong command line, 124 when a time-out ended a wait.
"""

from __future__ import annotations

import os
import sys

from cyroid_images.errors import CyroidError
from cyroid_images.model.text import clean_message

NAME = "kubectl cyroid"
FAILED = 1
INTERRUPTED = 130
LONGEST_LINE = 1000
"""Characters of an error, which may quote what a server said."""


def main(arguments: list[str] | None = None) -> None:
    """Run one command, and end the process with its exit code."""
    try:
        code = _run(arguments)
    except BrokenPipeError:
        # Whoever read has enough; what is still buffered must not raise again at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = FAILED
    sys.exit(code)


def _run(arguments: list[str] | None) -> int:
    # pydantic looks through every installed package for plugins of its own: none is wanted here.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    try:
        import click  # noqa: PLC0415 - of the extra `cli`, which may not be installed

        from cyroid_images.console.commands import program  # noqa: PLC0415 - needs click
    except ModuleNotFoundError as exc:
        _complain(f"the package {exc.name} is not installed: pip install 'cyroid-images[cli]'")
        return FAILED
    try:
        code = program.main(arguments, prog_name=NAME, standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as exc:
        _complain(_usage(exc))
        return exc.exit_code
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except CyroidError as exc:
        _complain(str(exc))
        return FAILED
    return code if isinstance(code, int) else 0


def _usage(exc: Exception) -> str:
    context = getattr(exc, "ctx", None)
    path = context.command_path if context is not None else NAME
    said = exc.format_message()  # type: ignore[attr-defined] # every ClickException has it
    return f"{said} See: {path} --help"


def _complain(text: str) -> None:
    print(f"{NAME}: {clean_message(text, LONGEST_LINE)}", file=sys.stderr)
