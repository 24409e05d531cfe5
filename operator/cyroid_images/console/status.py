"""The command `status`. The API server is asked before the models are imported, which takes as
long as its answer; what is shown is made in `showing.py`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

import click

from cyroid_images.console.cluster.objects import CACHES, read_ranges
from cyroid_images.console.options import api_of, chosen, output, scope
from cyroid_images.console.screen.output import Screen, document
from cyroid_images.errors import CyroidError

T = TypeVar("T")


@click.command
@click.argument("names", metavar="[RANGE]...", nargs=-1)
@click.option("-w", "--watch", "is_watch", is_flag=True, help="Go on, and show what changes.")
@scope
@output("wide", "json", "yaml", "name")
@click.pass_context
def status(
    ctx: click.Context, names: tuple[str, ...], output: str | None, *, is_watch: bool
) -> None:
    """How far ranges are, by which route, and what is missing, the worst first.

    RANGE is NAME or NAMESPACE/NAME; one RANGE alone is shown in full. With --event these are
    all ranges that carry the label cyroid.io/event=NAME. -o json prints what the REST API
    answers: a list, an event, or a range.
    """
    screen, api = Screen(is_wide=output == "wide"), api_of(ctx)
    where = chosen(ctx, api, names)
    if is_watch and output not in (None, "wide"):
        raise click.UsageError(f"-w goes with a table only, not with -o {output}", ctx)
    if is_watch:
        from cyroid_images.console.screen.showing import watch  # noqa: PLC0415 - as below

        watch(api, where, screen)
        return
    ranges = _asked(lambda: read_ranges(api, where))
    caches = _asked(lambda: api.list(CACHES)[0]) if output in (None, "wide") else None
    from cyroid_images.console.screen import showing  # noqa: PLC0415 - while the API server answers

    bodies = ranges()
    if output in ("json", "yaml"):
        screen.say(document(showing.answer(bodies, where, screen), output))
    elif output == "name":
        screen.say(*showing.names(bodies))
    elif len(names) == 1:
        screen.say(*showing.in_full(bodies, screen))
    else:
        showing.show(bodies, where, screen)
    if caches is not None:
        with suppress(CyroidError):  # a hint, for which no right is asked
            showing.tell_unpushed(caches(), screen)


def _asked(question: Callable[[], T]) -> Callable[[], T]:
    """Ask at once in a thread of its own; the function that comes back waits for the answer, or
    raises what the question raised.
    """
    answers: list[T] = []
    failures: list[BaseException] = []

    def ask() -> None:
        try:
            answers.append(question())
        except BaseException as exc:  # raised where the answer is wanted
            failures.append(exc)

    thread = threading.Thread(target=ask, name="asked", daemon=True)
    thread.start()

    def answer() -> T:
        thread.join()
        if failures:
            raise failures[0]
        return answers[0]

    return answer
