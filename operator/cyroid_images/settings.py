"""What an installation may change, from the environment: the only reader of it.

Each setting is `CYROID_<NAME>`; the defaults fit a small cluster. A value that cannot be
is refused at the start, with the name of the variable.
"""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from cyroid_images.errors import InvalidSpec

_AtATime = Annotated[int, Field(ge=1, le=64)]


class LogFormat(StrEnum):
    """For machines or for people."""

    JSON = "json"
    TEXT = "text"


class Settings(BaseSettings):
    """The settings of one operator process."""

    model_config = SettingsConfigDict(env_prefix="CYROID_", frozen=True)

    namespace: str = "cyroid"
    """The operator's own namespace: Secrets are read from there only."""
    kubeconfig: Path | None = None
    """Outside of a pod: how to reach the Kubernetes API; absent: the default kubeconfig."""
    log_format: LogFormat = LogFormat.JSON
    """`json` or `text`."""
    log_level: Annotated[str, Field(pattern="^(DEBUG|INFO|WARNING|ERROR)$")] = "INFO"
    """The least severe level that is logged."""
    max_transfers: _AtATime = 8
    """Transfers at a time of one namespace or cache: pulls, and apart from them what passes
    through the operator. Twice as many run in all, so that one never keeps others waiting."""
    max_transfers_per_engine: _AtATime = 4
    """Transfers at a time into one engine: extraction of one image is sequential, so a few
    images overlap well."""
    max_pushes_per_source: _AtATime = 2
    """Images at a time of one cache out of one source engine, upstream host or archive: an
    engine's compression takes whole cores. Twice as many where caches share it."""
    max_fills_per_registry: _AtATime = 4
    """Images at a time of one cache on their way into one registry: each may send several
    blobs. Twice as many where caches share it."""
    max_passes: _AtATime = 4
    """Workers that take passes: a pass waits for nothing, and yields between its rows."""
    max_stall_seconds: Annotated[float, Field(ge=1)] = 600.0
    """Most of `timeouts.stall` where the ImageCache limits nothing: five times the default of a
    range. A disk that extracts a layer is silent for minutes, a hung engine for ever."""
    max_total_seconds: Annotated[float, Field(ge=1)] = 14400.0
    """Most of `timeouts.total` there: 4 hours, in which 60 GB come at 4 MB/s."""
    min_interval_seconds: Annotated[float, Field(ge=1)] = 1.0
    """Least of `interval` there: the least that the API takes, since looks are spaced and share
    the engines fairly all the same. Who has many namespaces may ask for more."""
    sweep_seconds: Annotated[float, Field(ge=5)] = 600.0
    """How often everything is listed again: watches may lose deletions."""
    identity: str = ""
    """What tells this operator from others, such as the UID of its pod; empty: made anew at
    each start."""
    lease_seconds: Annotated[float, Field(ge=1, le=300)] = 35.0
    """How long after its last sign of life the place of an active operator is free."""
    archives: Path | None = None
    """The archive volume: where archive sources are looked for; absent: there is none."""
    max_upload_bytes: Annotated[int, Field(ge=1)] = 50 * 1000**3
    """Most bytes of one bundle that the REST API writes to the archive volume."""
    docker_client_secret: str = "cyroid-docker-client"  # noqa: S105 - a name, no password
    """Name of the Secret (ca.crt, tls.crt, tls.key) that range engines are dialled with."""


def read_settings() -> Settings:
    """The settings of this process; raises InvalidSpec that names the variable."""
    try:
        return Settings()
    except ValidationError as exc:
        first = exc.errors(include_input=False, include_url=False)[0]
        name = "_".join(["CYROID", *(str(part).upper() for part in first["loc"])])
        raise InvalidSpec(name, first["msg"]) from exc


def share_kubeconfig(settings: Settings) -> None:
    """Make kopf, which keeps the watches, log in where `kubeconfig` says.

    kopf takes the path from KUBECONFIG only; without this it would log in elsewhere or not
    at all, while our own calls work, and changes would be seen by the sweep alone.
    """
    if settings.kubeconfig is not None:
        os.environ["KUBECONFIG"] = str(settings.kubeconfig)
