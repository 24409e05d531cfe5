"""Bundles and docker-save archives: streamed to the archive volume, checked, then at a source.

Only their admin may bring images for everybody: what lies there is delivered to whoever asks
for it by name.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request

from cyroid_images import edits
from cyroid_images.api.problems import RETRY, Problem
from cyroid_images.api.services import AboutCache, Asking
from cyroid_images.api.upload_body import UploadBody
from cyroid_images.blueprints.findings import report_of
from cyroid_images.blueprints.receiving import Arrived
from cyroid_images.blueprints.refusal import Refusal, UploadRefused
from cyroid_images.errors import ApiUnavailable, InvalidSpec, StatusConflict
from cyroid_images.model.kinds.image_cache import ImageCache
from cyroid_images.overview.blueprints import BundleImported, DockerImagesLoaded

router = APIRouter(prefix="/api/v1", tags=["uploads"])

GB = 1000**3
_STATUS = {
    Refusal.NO_VOLUME: 501,
    Refusal.TOO_LARGE: 413,
    Refusal.DISK_FULL: 507,
    Refusal.BUSY: 503,
    Refusal.SLOW: 408,
    Refusal.INVALID: 422,
    Refusal.VOLUME_FAILED: 503,
}
_ARCHIVE_NAMES = (".tar", ".tar.gz", ".tgz", ".tar.zst", ".zip")
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            kind: {"schema": {"type": "string", "format": "binary"}}
            for kind in ("application/octet-stream", "application/zip", "application/x-tar")
        }
        | {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            }
        },
    }
}
FileName = Annotated[
    str | None,
    Query(max_length=255, description="What to call it; a form says so by itself."),
]


@router.post("/bundles", status_code=201, openapi_extra=_BODY)
async def bundle(
    about: AboutCache, request: Request, *, push: bool = False, name: FileName = None
) -> BundleImported:
    """Bring a bundle (zip or tar.gz) to the archive volume; `push` has the registry hold its images
    now, else they come when a range asks for them. Only what the bundle itself lists is taken."""
    folder = archive_folder(await about.may_delete("bring images to"))
    if push:
        await about.may_push()
    body = UploadBody(request, name)
    async with _receiving(about, body) as arrived:
        contents = arrived.contents
        called = body.name or (contents.blueprint.name if contents.blueprint else "bundle")
        stored = await _keep(about, folder, arrived, called)
    pushed, message = await _tell(about, contents.names if push else ())
    report = None
    if contents.blueprint is not None:
        report = report_of(contents.blueprint, contents, about.world.cache(about.cache))
    return BundleImported(
        name=stored,
        size_bytes=arrived.size,
        loaded=contents.names,
        skipped=contents.skipped,
        failed=contents.failed,
        pushed=pushed,
        details=contents.rows,
        blueprint=report,
        message=message,
    )


@router.post("/cache/docker-images/upload", status_code=201, openapi_extra=_BODY)
async def docker_images(
    about: AboutCache, request: Request, *, name: FileName = None
) -> DockerImagesLoaded:
    """Bring what `docker save` wrote (.tar, .tar.gz, .tgz) to the archive volume, where a source
    of the cache gives its images to whoever asks for them."""
    folder = archive_folder(await about.may_delete("bring images to"))
    body = UploadBody(request, name)
    async with _receiving(about, body) as arrived:
        if arrived.contents.is_bundle:
            raise Problem(
                422, "this is a bundle of image archives: send it to /api/v1/bundles instead"
            )
        stored = await _keep(about, folder, arrived, body.name or "images")
    await _tell(about, ())
    names = arrived.contents.names
    return DockerImagesLoaded(
        images=names,
        count=len(names),
        size_bytes=arrived.size,
        size_gb=round(arrived.size / GB, 2),
        name=stored,
    )


@contextlib.asynccontextmanager
async def _receiving(about: Asking, body: UploadBody) -> AsyncIterator[Arrived]:
    """The upload, whole and checked; a refusal becomes a problem that its sender hears."""
    try:
        async with about.services.uploads.receiving(body.chunks(), body.size) as arrived:
            yield arrived
    except UploadRefused as exc:
        await body.linger()
        headers = RETRY if exc.why is Refusal.BUSY else None
        raise Problem(_STATUS[exc.why], str(exc), headers=headers) from exc
    except Problem:
        await body.linger()
        raise


async def _keep(about: Asking, folder: str, arrived: Arrived, name: str) -> str:
    """Give it its name where a source of the cache looks; its sender's rights are asked again,
    since an upload may take hours."""
    await about.may_delete("bring images to")
    return await about.services.uploads.keep(arrived, folder, name)


def archive_folder(cache: ImageCache) -> str:
    """The folder of the volume that an archive source of the cache looks into; a 409 without."""
    for source in cache.spec.sources:
        if source.archive is not None and not source.archive.path.lower().endswith(_ARCHIVE_NAMES):
            return source.archive.path
    raise Problem(
        409,
        f"ImageCache {cache.metadata.name} has no source that looks into a folder of archives, so"
        " nothing would see the bundle: add {name: bundles, archive: {path: bundles}} to its"
        " spec.sources (defaultCache.sources in the chart)",
    )


async def _tell(about: Asking, names: Iterable[str]) -> tuple[tuple[str, ...], str | None]:
    """Have the operator look at the volume now, and push these; what was asked for, and what is
    left for somebody to do. The upload itself stays, whatever comes of this."""
    images = tuple(names)
    where, change = ("ImageCache", "", about.cache), about.services.changing
    try:
        await change.apply(about.caller, where, edits.reconcile(datetime.now(UTC).isoformat()))
        if images:
            await change.change(about.caller, where, lambda body: edits.push(body, images))
    except (InvalidSpec, ApiUnavailable, StatusConflict, Problem) as exc:
        left = "push its images later" if images else "it is seen at the next look of the operator"
        return (), f"the archive is on the volume, but: {exc}; {left}"
    return images, None
