"""A load as an engine does it: a docker-save tar, believed only by its digests."""

from __future__ import annotations

import io
import json
import tarfile

from tests.parts.stand_in.store import Refused, Store, digest_of


def load(store: Store, content: bytes) -> list[str]:
    """The names that were loaded; raises Refused in the words of a real engine."""
    if not content:
        raise Refused(500, "open docker-import/repositories: no such file or directory")
    try:
        with tarfile.open(fileobj=io.BytesIO(content)) as tar:
            files = {member.name: _content(tar, member) for member in tar if member.isfile()}
    except tarfile.TarError as exc:
        raise Refused(500, f"archive/tar: {exc}") from exc
    if "manifest.json" not in files:
        raise Refused(500, "unexpected EOF")
    loaded: list[str] = []
    for entry in json.loads(files["manifest.json"]):
        parts = [entry["Config"], *entry["Layers"]]
        if missing := [path for path in parts if path not in files]:  # known to who lied
            raise Refused(500, f"open docker-import/{missing[0]}: no such file or directory")
        config, *layers = (files[path] for path in parts)
        wanted = json.loads(config)["rootfs"]["diff_ids"]
        if wanted != [digest_of(layer) for layer in layers]:
            raise Refused(500, "invalid diffID for layer")
        for name in entry["RepoTags"] or ():
            store.put(config, sum(map(len, layers)), name)
            loaded.append(name)
    return loaded


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = tar.extractfile(member)
    content = file.read() if file else b""
    if len(content) != member.size:
        raise Refused(500, "unexpected EOF")
    return content
