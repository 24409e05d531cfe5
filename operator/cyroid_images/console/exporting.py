"""The command `export`: both kinds as YAML that can be applied elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any

import click

from cyroid_images.console.cluster.api_server import ApiObject
from cyroid_images.console.cluster.objects import read_caches, read_ranges
from cyroid_images.console.options import api_of, chosen, output, scope
from cyroid_images.console.screen.output import Screen, as_yaml, document

KEPT = ("name", "namespace", "labels", "annotations")
"""Of the metadata: the rest is of the cluster that they came from."""
DROPPED = (
    "kubectl.kubernetes.io/last-applied-configuration",
    "cyroid.io/reconcile-at",
    "cyroid.io/collect",
)
"""Annotations that speak of what was done there."""


@click.command
@click.argument("names", metavar="[RANGE]...", nargs=-1)
@click.option("--only", type=click.Choice(["caches", "ranges"]), help="One of both kinds.")
@scope
@output("json", "yaml")
@click.pass_context
def export(
    ctx: click.Context, names: tuple[str, ...], only: str | None, output: str | None
) -> None:
    """Print both kinds as YAML that can be applied elsewhere: ImageCaches, then RangeImages.

    Without status, versions and marks of this cluster. Secrets are not in it: a comment at the
    head names those that the ImageCaches need. RANGE... leaves the caches out.
    """
    screen, api = Screen(), api_of(ctx)
    where = chosen(ctx, api, names)
    bodies: list[ApiObject] = []
    if only != "ranges" and not names:
        bodies += read_caches(api)
    if only != "caches":
        bodies += read_ranges(api, where)
    clean = [cleaned(body) for body in bodies]
    if output == "json":
        kinds = {"apiVersion": "v1", "kind": "List", "items": clean}
        screen.say(document(kinds, "json"))
        return
    if not clean:
        screen.tell(f"there is nothing to export{where}")
        return
    secrets = sorted(set(secrets_in(clean)))
    if secrets:
        screen.say(f"# Needs these Secrets beside the operator: {', '.join(secrets)}")
    screen.say(as_yaml(clean))


def cleaned(body: Mapping[str, Any]) -> ApiObject:
    """What somebody wrote of it, in the order in which people write it."""
    metadata = deepcopy({key: body["metadata"][key] for key in KEPT if body["metadata"].get(key)})
    annotations = metadata.get("annotations") or {}
    kept = {key: value for key, value in annotations.items() if key not in DROPPED}
    metadata.pop("annotations", None)
    if kept:
        metadata["annotations"] = kept
    spec = deepcopy(body.get("spec") or {})
    return {
        "apiVersion": body.get("apiVersion"),
        "kind": body.get("kind"),
        "metadata": metadata,
        "spec": spec,
    }


def secrets_in(value: Any) -> Iterable[str]:
    """Names of the Secrets that a spec refers to, wherever it does."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if str(key).lower().endswith("secretref") and isinstance(inner, Mapping):
                yield str(inner.get("name"))
            else:
                yield from secrets_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from secrets_in(inner)
