"""Credentials out of a docker config.json: the key `.dockerconfigjson` of a Secret.

Only what is written for a host as a whole counts; entries for a path below it and
patterns (`*.example.com`), which only Kubernetes knows, are left alone, so that a
password never goes to a host that nobody wrote out. Messages repeat nothing of the
document. Source of the form: docker/cli, `config/configfile/file.go`; the order of its
fields: kubernetes, `pkg/credentialprovider/config.go`.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.images.manifest import MALFORMED
from cyroid_images.model.images.reference import DOCKER_HUB
from cyroid_images.model.registry import Credentials

_DOCKER_HUB = frozenset({DOCKER_HUB, "index.docker.io", "registry-1.docker.io"})
_PATHS = frozenset({"", "v1", "v2"})
"""What may stand behind a host and still mean all of it: docker login writes `/v1/`."""


def credentials_for(host: str, document: bytes) -> Credentials | None:
    """Name and password that the document holds for this host; None: it holds none.

    Raises TransferError(SecretMissing) for what is no docker config, or holds for this
    host something else than a name and a password (an identity token).
    """
    try:
        entries = json.loads(document)["auths"]
        found = [entry for key, entry in entries.items() if _means(key, host.lower())]
    except MALFORMED:
        raise _unusable("is no docker config with auths") from None  # the cause holds it all
    return _credentials(host, found[0]) if found else None


def _means(key: str, host: str) -> bool:
    bare = key.strip().lower().removeprefix("https://").removeprefix("http://")
    name, _, path = bare.partition("/")
    if path.strip("/") not in _PATHS:
        return False
    return name == host or (name in _DOCKER_HUB and host in _DOCKER_HUB)


def _credentials(host: str, entry: Any) -> Credentials:
    try:
        username, password = _pair(entry)
    except MALFORMED:
        username = password = ""
    if not username or not password:
        raise _unusable(f"holds no username and password for {host}")
    return Credentials(username, password)


def _pair(entry: dict[str, str]) -> tuple[str, str]:
    """`auth` goes before the two fields: docker login writes nothing else."""
    if encoded := entry.get("auth"):
        padded = encoded.strip().rstrip("=")
        decoded = base64.b64decode(padded + "=" * (-len(padded) % 4), validate=True).decode()
        username, _, password = decoded.partition(":")
        return username, password
    return str(entry.get("username") or ""), str(entry.get("password") or "")


def _unusable(what: str) -> TransferError:
    return TransferError(Reason.SECRET_MISSING, f"the key .dockerconfigjson {what}")
