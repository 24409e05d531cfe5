"""The command `blueprint`: a blueprint becomes YAML of both kinds, and a report beside it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

from cyroid_images.blueprints.conversion import ConversionOptions, as_yaml, documents
from cyroid_images.blueprints.findings import report_of
from cyroid_images.blueprints.opening import OpenedBlueprint, open_blueprint
from cyroid_images.console.cluster.objects import read_cache
from cyroid_images.console.options import CACHE, access, api_of, given_namespace, output
from cyroid_images.console.screen.output import Cell, Screen, document, table
from cyroid_images.console.screen.words import count, size
from cyroid_images.errors import CyroidError
from cyroid_images.model.kinds.image_cache import ImageCache
from cyroid_images.overview.blueprints import BlueprintReport, Whereabouts

_COLOURS = {
    Whereabouts.REGISTRY: "green",
    Whereabouts.BUNDLE: "green",
    Whereabouts.SOURCE: "green",
    Whereabouts.MISSING: "red",
    Whereabouts.UNKNOWN: "dim",
}


@click.command
@click.argument("path", metavar="FILE|DIR|BUNDLE", type=click.Path(path_type=Path))
@click.option("--name", metavar="NAME", help="Name of the RangeImages; by default the blueprint's.")
@click.option(
    "--range-id", metavar="ID", help="Label cyroid.io/range-id of the range's pods; else the name."
)
@click.option(
    "-l",
    "--selector",
    "labels",
    metavar="KEY=VALUE",
    multiple=True,
    help="Labels of the range's pods instead; may be given several times.",
)
@click.option("--event", metavar="NAME", help="Event that the range belongs to.")
@click.option(
    "--cache",
    metavar="NAME",
    help="ImageCache of the range; its spec.images, as a fragment, are written, too.",
)
@click.option("--offline", is_flag=True, help="Do not ask the cluster where the images are.")
@access
@output("yaml", "json", "report")
@click.pass_context
def blueprint(  # noqa: PLR0913 - click passes each option by its name
    ctx: click.Context,
    *,
    path: Path,
    name: str | None,
    range_id: str | None,
    labels: tuple[str, ...],
    event: str | None,
    cache: str | None,
    output: str | None,
    offline: bool,
) -> None:
    """Turn a blueprint into YAML that kubectl applies, with a report on standard error.

    It reads blueprint.yaml of the catalog or its folder, a bundle (zip or tar.gz), blueprint.json
    of one, range.json of version 2, and a project's image.yaml. The report tells of each image
    where it is and how large, and what is no image and why; -o report prints it as JSON instead of
    the objects.
    """
    options = ConversionOptions(
        range_id,
        dict(_label(text, ctx) for text in labels),
        name,
        given_namespace(ctx),
        event,
        cache,
    )
    opened = open_blueprint(path)
    screen = Screen()
    known = None if offline else _asked(ctx, cache or CACHE, screen)
    report = report_of(opened.blueprint, opened.bundle, known)
    if output == "report":
        screen.say(document(report.model_dump(mode="json"), "json"))
        return
    for line in lines(report, screen):
        screen.tell(line)
    screen.say(_objects(opened, options, output))


def _objects(opened: OpenedBlueprint, options: ConversionOptions, form: str | None) -> str:
    has_bundle = opened.bundle is not None and bool(opened.bundle.images)
    written = documents(opened.blueprint, options, has_bundle=has_bundle)
    if form == "json":
        return document({"apiVersion": "v1", "kind": "List", "items": list(written)}, "json")
    return as_yaml(written).rstrip("\n")


def _asked(ctx: click.Context, cache: str, screen: Screen) -> ImageCache | None:
    """The cache as it is now; None where it cannot be asked, which is told and ends nothing."""
    try:
        return ImageCache.parse(read_cache(api_of(ctx), cache))
    except CyroidError as exc:
        screen.tell(f"the cluster was not asked where the images are: {exc}")
        return None


def _label(text: str, ctx: click.Context) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise click.UsageError(f"{text!r} is not KEY=VALUE", ctx)
    return key, value


def lines(report: BlueprintReport, screen: Screen) -> Iterable[str]:
    """The report for people."""
    version = f" {report.version}" if report.version else ""
    vms, images = count(report.machines, "VM"), count(len(report.images), "image")
    yield f"{report.name}{version}: {vms}, {images}"
    rows: list[list[Cell]] = [
        [
            row.image,
            row.platform or "-",
            str(row.machines),
            size(row.size_bytes),
            (str(row.where), _COLOURS[row.where]),
            row.message or "",
        ]
        for row in report.images
    ]
    if rows:
        yield from table(["IMAGE", "PLATFORM", "VMS", "SIZE", "WHERE", ""], rows, screen)
    for refused in report.refused:
        yield f"refused {refused.machine}: {refused.wanted}: {refused.why}"
    for warning in report.warnings:
        yield f"warning: {warning}"
