"""The command `doctor`, and what it reads of the cluster with the user's own rights."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import click

from cyroid_images.console.cluster.api_server import ApiServer, NotThere
from cyroid_images.console.cluster.objects import CACHES, ranges_path, read_ranges
from cyroid_images.console.cluster.parsing import parsed_caches, parsed_ranges
from cyroid_images.console.options import ChosenRanges, access, api_of, output
from cyroid_images.console.screen.output import LONGEST_CELL, Cell, Screen, document, table
from cyroid_images.console.screen.words import own_version
from cyroid_images.errors import AccessDenied, ApiUnavailable, CyroidError
from cyroid_images.model.kinds.image_cache import ImageCache
from cyroid_images.model.kinds.range_images import RangeImages
from cyroid_images.model.text import clean_message
from cyroid_images.overview.doctor.checks import Check, CheckResult
from cyroid_images.overview.doctor.examination import examine, is_well
from cyroid_images.overview.doctor.facts import (
    LEASE,
    OPERATOR,
    Certificate,
    Facts,
    NotSeen,
    looks,
    secrets_of,
)

USUAL_NAMESPACE = "cyroid"
"""Where the README installs to."""
COLOURS = {
    CheckResult.OK: "green",
    CheckResult.WARN: "yellow",
    CheckResult.NO: "red",
    CheckResult.UNKNOWN: "dim",
}


@click.command
@click.argument("names", metavar="[RANGE]...", nargs=-1)
@click.option(
    "--operator-namespace", metavar="NAME", help="Where the operator lives; found by default."
)
@access
@output("wide", "json", "yaml")
@click.pass_context
def doctor(
    ctx: click.Context, names: tuple[str, ...], operator_namespace: str | None, output: str | None
) -> None:
    """Check every precondition of an installation, with what to do.

    With RANGE (NAME or NAMESPACE/NAME) ranges other than these are left out. What your rights
    do not show is unknown, never ok. Exit code 1 where something is known not to work.
    """
    screen, api = Screen(is_wide=output == "wide"), api_of(ctx)
    home = api.namespace
    scope = ChosenRanges(None, None, names, home)
    checks = examine(facts_of(api, scope, operator_namespace, screen))
    if output in ("json", "yaml"):
        screen.say(document([each.model_dump(mode="json") for each in checks], output))
    else:
        screen.say(*_lines(checks, screen))
    ctx.exit(0 if is_well(checks) else 1)


def _lines(checks: Sequence[Check], screen: Screen) -> list[str]:
    """What was found, and what to do where there is something to do: on a line of its own on a
    terminal, where both do not fit."""
    is_narrow = screen.columns is not None
    todos = [each.todo if each.result is not CheckResult.OK else "" for each in checks]
    rows: list[list[Cell]] = [
        [
            each.check,
            (str(each.result), COLOURS[each.result]),
            f"{each.what} -> {todo}" if todo and not is_narrow else each.what,
        ]
        for each, todo in zip(checks, todos, strict=True)
    ]
    head, *lines = table(["CHECK", "RESULT", "WHAT WAS FOUND -> WHAT TO DO"], rows, screen)
    if not is_narrow:
        return [head, *lines]
    shown = [head]
    for line, todo in zip(lines, todos, strict=True):
        shown += [line, f"    -> {clean_message(todo, LONGEST_CELL)}"] if todo else [line]
    return shown


def facts_of(api: ApiServer, scope: ChosenRanges, namespace: str | None, screen: Screen) -> Facts:
    """Everything that the doctor wants to know, as far as it may be read."""
    home = namespace or operator_namespace_of(api)
    caches = _kind(lambda: parsed_caches(api.list(CACHES)[0], screen.tell), "imagecaches")
    ranges = _kind(lambda: _ranges(api, scope, screen), "rangeimages in all namespaces")
    answers = {look.name: _looked(api, look.path, look.query, look.right) for look in looks(home)}
    known = caches if isinstance(caches, list) else []
    return Facts(
        now=datetime.now(UTC),
        version=own_version(),
        namespace=home,
        caches=caches,
        ranges=ranges,
        certificates=tuple(_certificates(api, home, known)),
        answers=answers,
    )


def _ranges(api: ApiServer, scope: ChosenRanges, screen: Screen) -> list[RangeImages]:
    if scope.names:
        return parsed_ranges(read_ranges(api, scope), screen.tell)
    return parsed_ranges(api.list(ranges_path(None))[0], screen.tell)


def operator_namespace_of(api: ApiServer) -> str:
    """Where the operator lives: where its Deployment or its Lease is, as far as one may look."""
    for path, query in (
        ("/apis/apps/v1/deployments", {"labelSelector": OPERATOR}),
        ("/apis/coordination.k8s.io/v1/leases", {"fieldSelector": f"metadata.name={LEASE}"}),
    ):
        try:
            items = api.get(path, query).get("items") or ()
        except CyroidError:
            continue
        if items:
            return str(items[0]["metadata"]["namespace"])
    return USUAL_NAMESPACE


def _kind(read: Any, what: str) -> Any:
    """Objects of our kinds; NotSeen where a right is missing, None where the kind is."""
    try:
        return read()
    except AccessDenied as exc:
        return NotSeen(str(exc), f"list {what}", is_denied=True)
    except ApiUnavailable:
        raise  # nothing else can be asked then
    except NotThere as exc:
        if "RangeImages" in str(exc):
            raise  # one that was named
        return None


def _looked(
    api: ApiServer, path: str, query: Mapping[str, str], right: str
) -> Mapping[str, Any] | NotSeen | None:
    try:
        return api.get(path, query)
    except NotThere:
        return None
    except AccessDenied:
        return NotSeen(f"you may not {right}", right, is_denied=True)
    except ApiUnavailable as exc:
        return NotSeen(str(exc), right, is_denied=False)


def _certificates(
    api: ApiServer, namespace: str, caches: Sequence[ImageCache]
) -> Iterator[Certificate | NotSeen]:
    """When those of the Secrets that are named somewhere expire; nothing else of them is kept."""
    right = f"get secrets in namespace {namespace}"
    for name in secrets_of(caches):
        found = _looked(api, f"/api/v1/namespaces/{namespace}/secrets/{name}", {}, right)
        if isinstance(found, NotSeen):
            yield found
            return
        data = (found or {}).get("data") or {}
        for key in ("ca.crt", "tls.crt"):
            if (expires := _expiry(data.get(key))) is not None:
                yield Certificate(name, key, expires)


def _expiry(encoded: object) -> datetime | None:
    """Of the first certificate in a value of a Secret; None for what is none."""
    from cryptography import x509  # noqa: PLC0415 - only who reads certificates waits for it

    try:
        text = base64.b64decode(str(encoded or ""), validate=True)
        return x509.load_pem_x509_certificate(text).not_valid_after_utc
    except ValueError:
        return None
