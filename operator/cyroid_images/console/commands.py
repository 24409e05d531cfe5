"""The table of commands. A row is all that a new one needs; its module is imported when it is
called, so that `--help` and every other command stay as fast as they are.
"""

from __future__ import annotations

from importlib import import_module
from typing import NamedTuple

import click

from cyroid_images.console.options import access


class CommandRow(NamedTuple):
    """One command."""

    place: str
    """Module in `console/` and name of the click command there."""
    about: str
    """One line for `--help`."""
    is_hidden: bool = False


COMMANDS: dict[str, CommandRow] = {
    "status": CommandRow(
        "status:status", "How far ranges are, by which route, and what is missing."
    ),
    "wait": CommandRow("waiting:wait", "Wait until ranges have all their images, with progress."),
    "images": CommandRow(
        "images:images", "What the registry holds, and what sources have beyond it."
    ),
    "push": CommandRow("images:push", "Bring images into the registry."),
    "delete": CommandRow("images:delete", "Remove the tags of images from the registry."),
    "explain": CommandRow(
        "explaining:explain", "How an image name is read, and why it is not here."
    ),
    "doctor": CommandRow("examining:doctor", "Check what an installation needs, with what to do."),
    "reconcile": CommandRow("steering:reconcile", "Have ranges or caches looked at now."),
    "suspend": CommandRow("steering:suspend", "Transfer nothing to ranges from now on."),
    "resume": CommandRow("steering:resume", "Go on with suspended ranges."),
    "gc": CommandRow("steering:gc", "Free the registry's disk of what no tag needs."),
    "blueprint": CommandRow(
        "blueprints.converting:blueprint",
        "Turn a blueprint into YAML of both kinds, with a report.",
    ),
    "import": CommandRow(
        "blueprints.importing:import_bundle", "Bring the images of a bundle to the archive volume."
    ),
    "export": CommandRow(
        "exporting:export", "Print both kinds as YAML that can be applied elsewhere."
    ),
    "support-bundle": CommandRow(
        "bundling:support_bundle", "Pack what helps to find a fault; no Secret."
    ),
    "version": CommandRow("about:version", "Versions of this tool and of the operator."),
    "completion": CommandRow(
        "about:completion", "Print the script that completes commands in a shell."
    ),
    "__complete": CommandRow(
        "about:complete_for_kubectl", "Answer kubectl's question.", is_hidden=True
    ),
}


class LazyCommands(click.Group):
    """A group that knows its commands by the table alone."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return [name for name, row in COMMANDS.items() if not row.is_hidden]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        row = COMMANDS.get(cmd_name)
        if row is None:
            return None
        module, _, name = row.place.partition(":")
        command = getattr(import_module(f"cyroid_images.console.{module}"), name)
        return command if isinstance(command, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [(name, COMMANDS[name].about) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


@click.group(
    cls=LazyCommands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done, 1 failed (one line says what to do), 2 wrong command line,"
    " 124 a time-out ended a wait.",
)
@access
def program() -> None:
    """Container images in the Docker engines of cyber ranges: see and steer their delivery.

    It uses your kubeconfig as kubectl does, and needs the rights of the ClusterRole cyroid-view
    to look, rangeimages-edit and imagecache-admin to change.
    """
