"""A pull as a classic engine does it, with the same words when it fails."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from tests.parts.stand_in.store import Refused, Store, digest_of

Send = Callable[[Mapping[str, Any]], Awaitable[None]]
"""Writes one line of the stream."""
CHUNK = 1 << 16
_KINDS = (
    "application/vnd.oci.image.index.v1+json,application/vnd.oci.image.manifest.v1+json,"
    "application/vnd.docker.distribution.manifest.list.v2+json,"
    "application/vnd.docker.distribution.manifest.v2+json"
)


@dataclass(frozen=True, slots=True)
class Asked:
    """One image in one registry."""

    http: aiohttp.ClientSession
    name: str
    """Host and repository."""
    reference: str
    """A digest or a tag."""
    authorization: str = ""

    @property
    def host(self) -> str:
        return self.name.partition("/")[0]

    @property
    def what(self) -> str:
        return f"{self.name}{'@' if ':' in self.reference else ':'}{self.reference}"

    def get(self, kind: str, reference: str) -> aiohttp.client._RequestContextManager:
        repository = self.name.partition("/")[2]
        headers = {"Accept": _KINDS}
        if self.authorization:
            headers["Authorization"] = self.authorization
        url = f"http://{self.host}/v2/{repository}/{kind}/{reference}"
        return self.http.get(url, headers=headers)


def authorization(header: str) -> str:
    """Basic credentials from X-Registry-Auth; empty for nobody."""
    claim = json.loads(base64.urlsafe_b64decode(header)) if header else {}
    if not claim.get("username"):
        return ""
    pair = f"{claim['username']}:{claim['password']}".encode()
    return f"Basic {base64.b64encode(pair).decode()}"


async def manifest_of(asked: Asked) -> bytes:
    """The manifest (or index) as it is stored; raises Refused in an engine's words."""
    if not asked.host.startswith("127."):  # an engine trusts only these without TLS
        said = "http: server gave HTTP response to HTTPS client"
        raise Refused(500, f'Get "https://{asked.host}/v2/": {said}')
    try:
        async with asked.get("manifests", asked.reference) as answer:
            if answer.status == 401:
                raise Refused(500, f'Get "http://{asked.host}/v2/": no basic auth credentials')
            if answer.status == 404:
                said = "manifest unknown: manifest unknown"
                raise Refused(404, f"manifest for {asked.what} not found: {said}")
            if answer.status != 200:
                raise Refused(500, f"received unexpected HTTP status: {answer.status}")
            content = await answer.read()
    except aiohttp.ClientConnectorError as exc:
        said = f"dial tcp {asked.host}: connect: connection refused"
        raise Refused(500, f'Get "http://{asked.host}/v2/": {said}') from exc
    if ":" in asked.reference and digest_of(content) != asked.reference:
        raise Refused(500, f"manifest verification failed for digest {asked.reference}")
    return content


async def pull(store: Store, asked: Asked, found: bytes, send: Send) -> None:
    """Fetch what is missing and name it; raises Refused for what goes wrong on the way."""
    digest, document = digest_of(found), json.loads(found)
    await send({"status": f"Pulling from {asked.name.partition('/')[2]}", "id": asked.reference})
    if children := document.get("manifests"):
        document = json.loads(await _child(asked, children))
    config = await _blob(asked, document["config"]["digest"])
    for layer in document["layers"]:
        await _layer(store, asked, layer, send)
    size = sum(layer["size"] for layer in document["layers"])
    store.put(config, size, f"{asked.name}@{digest}")
    if ":" not in asked.reference:
        store.put(config, size, f"{asked.name}:{asked.reference}")
    await send({"status": f"Digest: {digest}"})
    await send({"status": f"Status: Downloaded newer image for {asked.what}"})


async def _child(asked: Asked, children: list[dict[str, Any]]) -> bytes:
    for child in children:
        platform = child.get("platform") or {}
        if (platform.get("os"), platform.get("architecture")) == ("linux", "amd64"):
            mine = Asked(asked.http, asked.name, child["digest"], asked.authorization)
            return await manifest_of(mine)
    raise Refused(404, "no matching manifest for linux/amd64 in the manifest list entries")


async def _layer(store: Store, asked: Asked, layer: Mapping[str, Any], send: Send) -> None:
    digest, short = layer["digest"], layer["digest"].removeprefix("sha256:")[:12]
    if digest in store.layers:
        await send({"status": "Already exists", "progressDetail": {}, "id": short})
        return
    await send({"status": "Pulling fs layer", "progressDetail": {}, "id": short})
    seen, done = hashlib.sha256(), 0
    async with asked.get("blobs", digest) as answer:
        if answer.status != 200:
            raise Refused(500, "blob unknown to registry")
        async for chunk in answer.content.iter_chunked(CHUNK):
            seen.update(chunk)
            done += len(chunk)
            detail = {"current": done, "total": layer["size"]}
            await send({"status": "Downloading", "progressDetail": detail, "id": short})
    if f"sha256:{seen.hexdigest()}" != digest:
        raise Refused(500, f"filesystem layer verification failed for digest {digest}")
    store.layers.add(digest)
    await send({"status": "Pull complete", "progressDetail": {}, "id": short})


async def _blob(asked: Asked, digest: str) -> bytes:
    async with asked.get("blobs", digest) as answer:
        content = await answer.read()
        if answer.status != 200:
            raise Refused(500, "blob unknown to registry")
    if digest_of(content) != digest:
        raise Refused(500, "image config verification failed for digest")
    return content
