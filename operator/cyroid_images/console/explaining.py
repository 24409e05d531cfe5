"""The command `explain`."""

from __future__ import annotations

from collections.abc import Iterator

import click

from cyroid_images.console.cluster.api_server import ApiServer
from cyroid_images.console.cluster.objects import ranges_path, read_caches
from cyroid_images.console.cluster.parsing import parsed_caches, parsed_ranges
from cyroid_images.console.options import access, api_of, output
from cyroid_images.console.screen.output import Screen, document, pairs
from cyroid_images.console.screen.rows import push_text
from cyroid_images.console.screen.words import count, size
from cyroid_images.errors import AccessDenied, CyroidError
from cyroid_images.model.images.reference import Reference
from cyroid_images.model.kinds.range_images import RangeImages
from cyroid_images.overview.explain import Explanation
from cyroid_images.overview.explain import explain as explained


@click.command
@click.argument("image")
@click.option("--cache", metavar="NAME", help="ImageCache to ask; by default each.")
@access
@output("json", "yaml")
@click.pass_context
def explain(ctx: click.Context, image: str, cache: str | None, output: str | None) -> None:
    """How the name of an IMAGE is read, where it is stored, which source has it, who wants it,
    and why it is not here.
    """
    Reference.parse(image)  # what is no name needs no cluster
    screen, api = Screen(), api_of(ctx)
    caches = parsed_caches(read_caches(api, cache), screen.tell)
    if not caches:
        raise CyroidError("there is no ImageCache: kubectl cyroid doctor")
    ranges = ranges_or_none(api, screen)
    found = [explained(each, image, ranges) for each in caches]
    if output is not None:
        screen.say(document([each.model_dump(mode="json") for each in found], output))
        return
    for number, each in enumerate(found):
        screen.say(*([""] if number else []), *pairs(list(_told(each, screen)), screen))


def ranges_or_none(api: ApiServer, screen: Screen) -> list[RangeImages] | None:
    """All ranges; None, and a word about it, where one may not list them."""
    try:
        return parsed_ranges(api.list(ranges_path(None))[0], screen.tell)
    except AccessDenied as exc:
        screen.tell(f"who wants it is not known: {exc}")
        return None


def _told(each: Explanation, screen: Screen) -> Iterator[tuple[str, str]]:
    alias = f" (an alias of cache {each.cache})" if each.is_alias else ""
    tag = f", tag {each.tag}" if each.tag else ""
    pin = f", digest {each.digest}" if each.digest else ""
    yield "reads as", f"host {each.host}{alias}, path {each.path}{tag}{pin}"
    yield "stored as", f"{each.repository}:{each.stored_tag} in cache {each.cache}{_stored(each)}"
    if each.stored_digest is None:
        yield "why not", _why_not(each)
    if each.push is not None and each.stored_digest is None:
        yield "push", push_text(each.push, screen)
    if each.removed:
        yield "removed", "spec.removedImages lists it: kubectl cyroid push brings it back"
    for source in each.sources:
        yield f"source {source.name}", f"{source.kind}: {source.what}"
    if each.wanted_by is not None:
        verb = "wants" if each.wanted_by == 1 else "want"
        told = f"{count(each.wanted_by, 'range')} {verb} it, of which {each.present_in} got it"
        yield "ranges", told
    for lack in each.lacking:
        yield "", f"{lack.range}: {lack.reason}: {lack.message}"


def _stored(each: Explanation) -> str:
    if each.stored_digest is None:
        return ", not there"
    source = f", from {each.source}" if each.source else ""
    return f", {each.stored_digest} ({size(each.size_bytes)}{source})"


def _why_not(each: Explanation) -> str:
    if each.reason is not None:
        return f"{each.reason}: {each.message}"
    if each.listed or each.wanted_by:
        return "no pass has looked at it yet"
    return "nobody asks for it: no range wants it, and spec.images does not list it"
