"""The commands `version` and `completion`, and the answers of kubectl's own completion."""

from __future__ import annotations

from typing import Any

import click
from click.shell_completion import ShellComplete, get_completion_class

from cyroid_images.console.cluster.api_server import ApiServer
from cyroid_images.console.options import access, api_of, output
from cyroid_images.console.screen.output import Screen, document, pairs
from cyroid_images.console.screen.words import own_version
from cyroid_images.errors import CyroidError

PROGRAM = "kubectl-cyroid"
VARIABLE = "_KUBECTL_CYROID_COMPLETE"
KUBECTL_SCRIPT = """\
#!/bin/sh
# Save as kubectl_complete-cyroid in a folder of $PATH, executable: kubectl asks it.
exec kubectl-cyroid __complete -- "$@"
"""
NO_FILES = 4
"""ShellCompDirectiveNoFileComp of cobra, by which kubectl completes."""


@click.command
@click.option("--client", "is_alone", is_flag=True, help="Of this tool only; asks no cluster.")
@access
@output("json", "yaml")
@click.pass_context
def version(ctx: click.Context, output: str | None, *, is_alone: bool) -> None:
    """Versions of this tool, of the operator and of Kubernetes."""
    screen = Screen()
    told: dict[str, str | None] = {"tool": own_version()}
    if not is_alone:
        api = api_of(ctx)
        told["operator"] = _operator(api)
        told["kubernetes"] = str(api.get("/version").get("gitVersion"))
    if output is not None:
        screen.say(document(told, output))
    else:
        screen.say(*pairs([(name, text or "unknown") for name, text in told.items()], screen))


def _operator(api: ApiServer) -> str | None:
    """As its Deployment says; None where one may not look, or where it is none of the chart's."""
    query = {
        "labelSelector": "app.kubernetes.io/name=cyroid-images,app.kubernetes.io/component=operator"
    }
    try:
        items: list[dict[str, Any]] = api.list("/apis/apps/v1/deployments", query)[0]
    except CyroidError:
        return None
    found = (each["metadata"].get("labels") or {} for each in items)
    return next((each.get("app.kubernetes.io/version") for each in found), None)


@click.command
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish", "kubectl"]))
def completion(shell: str) -> None:
    """Print the script that completes commands in a shell.

    bash: source <(kubectl-cyroid completion bash). For `kubectl cyroid` in any shell that
    completes kubectl: kubectl-cyroid completion kubectl > ~/bin/kubectl_complete-cyroid, made
    executable.
    """
    from cyroid_images.console.commands import program  # noqa: PLC0415 - it names this module

    if shell == "kubectl":
        Screen().say(KUBECTL_SCRIPT.rstrip())
        return
    made = get_completion_class(shell)
    if made is None:
        raise CyroidError(f"no completion for {shell}")
    Screen().say(made(program, {}, PROGRAM, VARIABLE).source())


@click.command("__complete", hidden=True, context_settings={"ignore_unknown_options": True})
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def complete_for_kubectl(words: tuple[str, ...]) -> None:
    """Answer as cobra's `__complete` does: a line per proposal, then what the shell may do."""
    from cyroid_images.console.commands import program  # noqa: PLC0415 - it names this module

    *before, last = words or ("",)
    asked = ShellComplete(program, {}, PROGRAM, VARIABLE).get_completions(list(before), last)
    Screen().say(*(f"{each.value}\t{each.help or ''}" for each in asked), f":{NO_FILES}")
