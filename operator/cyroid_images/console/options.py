"""What commands have in common: which api, which ranges, which output."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from cyroid_images.console.cluster.api_server import ApiServer

F = TypeVar("F", bound=Callable[..., Any])

_META = "cyroid_images."
CACHE = "default"
"""The ImageCache that is meant where none is named."""


def _keep(ctx: click.Context, param: click.Parameter, value: object) -> None:
    """An option may stand before the command or behind it: the last one counts."""
    if value is not None and value is not False:
        ctx.meta[f"{_META}{param.name}"] = value


def access(command: F) -> F:
    """Adds the options that say which cluster is meant, and as whom; as kubectl has them."""
    for option in (
        click.option(
            "--kubeconfig",
            metavar="FILE",
            expose_value=False,
            callback=_keep,
            help="Kubeconfig to use, instead of $KUBECONFIG or ~/.kube/config.",
        ),
        click.option(
            "--context",
            metavar="NAME",
            expose_value=False,
            callback=_keep,
            help="Context of the kubeconfig to use.",
        ),
        click.option(
            "-n",
            "--namespace",
            metavar="NAME",
            expose_value=False,
            callback=_keep,
            help="Namespace to look in; by default that of the context.",
        ),
    ):
        command = option(command)
    return command


def scope(command: F) -> F:
    """Adds what chooses ranges: -A and --event, beside `access`."""
    everywhere = click.option(
        "-A",
        "--all-namespaces",
        is_flag=True,
        expose_value=False,
        callback=_keep,
        help="Ranges of all namespaces.",
    )
    event = click.option(
        "--event",
        metavar="NAME",
        expose_value=False,
        callback=_keep,
        help="Ranges of this event, in all namespaces unless -n is given.",
    )
    return access(event(everywhere(command)))


def output(*forms: str) -> Callable[[F], F]:
    """Adds -o with these forms; the command gets it as `output`, None for the table."""
    return click.option(
        "-o",
        "--output",
        type=click.Choice(forms),
        help="Form of the output; by default a table for people.",
    )


def named_cache(command: F) -> F:
    """Adds --cache."""
    return click.option(
        "--cache", metavar="NAME", default=CACHE, show_default=True, help="ImageCache to use."
    )(command)


def time_limit(default: str) -> Callable[[F], F]:
    """Adds --timeout, which the command gets in seconds."""
    return click.option(
        "--timeout",
        "seconds",
        metavar="DURATION",
        default=default,
        show_default=True,
        callback=_seconds,
        help="How long to wait at most, such as 90s or 1h30m.",
    )


def _seconds(ctx: click.Context, param: click.Parameter, value: str) -> float:
    from cyroid_images.model.kinds.duration import parse_duration  # noqa: PLC0415 - rarely needed

    try:
        return parse_duration(value)
    except ValueError as exc:
        raise click.BadParameter(str(exc), ctx=ctx, param=param) from exc


@dataclass(frozen=True, slots=True)
class ChosenRanges:
    """Which ranges are meant."""

    namespace: str | None
    """None: all of them."""
    event: str | None
    names: tuple[str, ...]
    """As they were written, `NAME` or `NAMESPACE/NAME`; empty: every range there."""
    home: str
    """The namespace of a NAME without one."""

    @property
    def wanted(self) -> tuple[tuple[str, str], ...]:
        """Namespace and name of each range that was named."""
        pairs = (name.rpartition("/") for name in dict.fromkeys(self.names))
        return tuple((namespace or self.home, name) for namespace, _, name in pairs)

    def __str__(self) -> str:
        """For people: `of event spring in namespace x`."""
        event = f" of event {self.event}" if self.event else ""
        return f"{event} in namespace {self.namespace}" if self.namespace else event


def chosen(ctx: click.Context, api: ApiServer, names: tuple[str, ...]) -> ChosenRanges:
    """The ranges that the options and the arguments choose."""
    event, everywhere = _kept(ctx, "event"), bool(_kept(ctx, "all_namespaces"))
    given = _kept(ctx, "namespace")
    if names and (event or everywhere):
        raise click.UsageError("either name ranges or choose them by --event or -A", ctx)
    home = given or api.namespace
    found = ChosenRanges(None, event, names, home)
    spaces = {namespace for namespace, _ in found.wanted}
    if len(spaces) == 1:  # a right in one namespace is enough
        return replace(found, namespace=spaces.pop())
    is_wide = everywhere or bool(spaces) or (event is not None and given is None)
    return found if is_wide else replace(found, namespace=home)


def api_of(ctx: click.Context) -> ApiServer:
    """The cluster that is meant; raises CyroidError with what to do where there is none."""
    # What reads a kubeconfig takes a third of a second to import.
    from cyroid_images.console.cluster.connection import connect  # noqa: PLC0415

    return connect(_kept(ctx, "kubeconfig"), _kept(ctx, "context"), _kept(ctx, "namespace"))


def given_namespace(ctx: click.Context) -> str | None:
    """The namespace of -n; None where none was given."""
    return _kept(ctx, "namespace")


def _kept(ctx: click.Context, name: str) -> str | None:
    value: str | None = ctx.meta.get(f"{_META}{name}")
    return value
