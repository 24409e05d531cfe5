"""The command `import`: a bundle goes to the archive volume by the REST API.

Nothing else than the API can write there: the volume belongs to the cluster, and the operator
mounts it to be read. So this is the one command that needs the API's address; the token is that
of the kubeconfig, unless another is given.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

import click

from cyroid_images.client import Client, ClientOptions
from cyroid_images.console.options import access, api_of, named_cache, output
from cyroid_images.console.screen.output import Screen, document
from cyroid_images.console.screen.painting import painter
from cyroid_images.console.screen.words import count, progress, size
from cyroid_images.errors import CyroidError
from cyroid_images.overview.blueprints import BundleImported

PIECE = 256 * 1024
"""Bytes that are read and sent at once."""
PAINT_SECONDS = 0.5
CHECK_SECONDS = 3600.0
"""How long the API may take to look into what it was sent."""
FAILED = 1
_OWN_MACHINE = ("127.0.0.1", "::1", "localhost")


@click.command("import")
@click.argument("path", metavar="BUNDLE", type=click.Path(path_type=Path))
@click.option(
    "--api",
    "url",
    metavar="URL",
    envvar="CYROID_API",
    help="Address of the REST API, such as http://127.0.0.1:8080; also $CYROID_API.",
)
@click.option(
    "--token",
    metavar="TOKEN",
    envvar="CYROID_TOKEN",
    help="Token to sign in with, better as $CYROID_TOKEN; by default that of the kubeconfig.",
)
@click.option("--ca", type=click.Path(path_type=Path), help="File of the CA of an https API.")
@click.option(
    "--push/--no-push",
    default=False,
    show_default=True,
    help="Have the registry hold the images now, or on demand.",
)
@named_cache
@access
@output("json")
@click.pass_context
def import_bundle(  # noqa: PLR0913 - click passes each option by its name
    ctx: click.Context,
    *,
    path: Path,
    url: str | None,
    token: str | None,
    ca: Path | None,
    cache: str,
    output: str | None,
    push: bool,
) -> None:
    """Bring the images of a bundle (zip or tar.gz) to the archive volume, for all ranges.

    Only images that the bundle itself lists are taken; what is loaded, skipped and failed is told
    by name. It needs the right to delete ImageCaches, and the REST API, which alone can write to
    that volume; from outside of the cluster for example by

        kubectl -n cyroid port-forward service/cyroid-api 8080
        kubectl cyroid import lab.zip --api http://127.0.0.1:8080

    Without the API: copy the bundle onto the volume by a pod of yours that mounts it; an archive
    source of the ImageCache sees it there.

    Exit code 0 when every image that the bundle lists was loaded, 1 when one failed.
    """
    if url is None:
        raise click.UsageError("name the REST API: --api URL, or $CYROID_API (see --help)", ctx)
    screen = Screen()
    bearer = token or _own_token(ctx, url)
    told = _sent(path, Client(url, bearer, options=_options(ca)), (cache, push), screen)
    if output == "json":
        screen.say(document(told.model_dump(mode="json"), "json"))
    else:
        _show(told, screen)
    if told.failed:
        ctx.exit(FAILED)


def _options(ca: Path | None) -> ClientOptions:
    return ClientOptions(ca=ca, patience=CHECK_SECONDS)


def _own_token(ctx: click.Context, url: str) -> str:
    """The token of the kubeconfig, which is for nobody else to read; the API cannot be told who
    somebody is by a certificate."""
    address = urlsplit(url)
    if address.scheme != "https" and address.hostname not in _OWN_MACHINE:
        raise CyroidError(
            f"{url} would get the token of your kubeconfig unencrypted: use https, a port-forward"
            " to this machine, or choose what to send by --token"
        )
    if (token := api_of(ctx).token) is None:
        raise CyroidError(
            "your kubeconfig signs in without a token (by a certificate), which the REST API cannot"
            " check: give one with --token, such as of kubectl create token NAME"
        )
    return token


def _sent(path: Path, client: Client, how: tuple[str, bool], screen: Screen) -> BundleImported:
    """The result of the upload; raises CyroidError."""
    cache, push = how
    try:
        with client, path.open("rb") as file:
            chunks = _told(file, screen)
            return client.import_bundle(chunks, name=path.name, push=push, cache=cache)
    except OSError as exc:
        raise CyroidError(f"{path} cannot be read: {exc.strerror or exc}") from exc


def _told(file: BinaryIO, screen: Screen) -> Iterator[bytes]:
    """The file piece by piece, with a bar that says how far it is."""
    total, done, began, painted = os.fstat(file.fileno()).st_size, 0, time.monotonic(), 0.0
    with painter(screen) as shown:
        while piece := file.read(PIECE):
            yield piece
            done += len(piece)
            now = time.monotonic()
            if screen.is_terminal and (now - painted > PAINT_SECONDS or done == total):
                speed = int(done / max(now - began, 0.001))
                bar = progress(done, total, speed, is_plain=screen.is_plain)
                shown.show(partial(_picture, bar), {})
                painted = now


def _picture(bar: str) -> list[str]:
    return [f"sending {bar}"]


def _show(told: BundleImported, screen: Screen) -> None:
    sizes = {row.image: row.size_bytes for row in told.details}
    for image in told.loaded:
        pushed = ", push started" if image in told.pushed else ""
        screen.say(f"loaded {image} ({size(sizes.get(image))}{pushed})")
    for left in told.skipped:
        screen.say(f"skipped {left.image}: {left.why}")
    for left in told.failed:
        screen.say(f"failed {left.image}: {left.why}")
    loaded = count(len(told.loaded), "image")
    left_out = f", {len(told.skipped)} skipped, {len(told.failed)} failed"
    screen.say(f"{told.name} ({size(told.size_bytes)}): {loaded} loaded{left_out}")
    if told.message:
        screen.tell(told.message)
