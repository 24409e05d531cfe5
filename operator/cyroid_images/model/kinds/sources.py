"""`spec.sources` of an ImageCache: engines, upstream registries and archives."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from cyroid_images.model.kinds.fields import (
    NAME,
    Flag,
    Part,
    SecretRef,
    SomeHosts,
    cel,
    refuse,
)

_ADDRESS = r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])"
"""A host name, an IPv4 address, or an IPv6 address in brackets."""


_URL = rf"^https?://{_ADDRESS}(?::[0-9]{{1,5}})?$"
URLText = Annotated[str, Field(pattern=_URL, max_length=512)]
"""http or https, no path."""


class EngineTLS(Part):
    """The operator's client certificate for a source engine."""

    secret_ref: SecretRef
    """Secret with the keys `ca.crt`, `tls.crt` and `tls.key`."""

    server_name: Annotated[str, Field(min_length=1, max_length=253)] | None = None
    """Name that the engine's certificate must carry; absent: the host of the endpoint."""


_UNIX_OR_ONE = (
    (
        "self.endpoint.startsWith('unix://')"
        " ? !has(self.tls) && !(has(self.insecure) && self.insecure)"
        " : has(self.tls) != (has(self.insecure) && self.insecure)"
    ),
    "a tcp endpoint needs exactly one of tls or insecure: true, a unix endpoint neither",
)


class EngineSource(Part):
    """A Docker engine that has images, such as the one that builds them."""

    model_config = ConfigDict(json_schema_extra=cel(_UNIX_OR_ONE))

    endpoint: str = Field(
        pattern=rf"^(?:tcp://{_ADDRESS}:[0-9]{{1,5}}|unix:///[A-Za-z0-9._/-]+)$", max_length=512
    )
    """`tcp://host:port`, such as `tcp://cyroid-builder.cyroid.svc:2376`, or `unix:///path`."""

    tls: EngineTLS | None = None
    """TLS with a client certificate; a tcp endpoint has this or `insecure: true`."""

    insecure: Flag = False
    """Talk to the engine without TLS. Absent: false."""

    @model_validator(mode="after")
    def _is_protected_or_says_so(self) -> Self:
        protections = (self.tls is not None) + self.insecure
        if protections != (0 if self.endpoint.startswith("unix://") else 1):
            raise refuse(_UNIX_OR_ONE[1])
        return self


class UpstreamSource(Part):
    """Registries elsewhere; images are copied from them under their own names."""

    model_config = ConfigDict(
        json_schema_extra=cel(
            (
                "!(has(self.insecure) && self.insecure && has(self.caSecretRef))",
                "caSecretRef needs TLS: remove insecure",
            )
        )
    )

    hosts: SomeHosts
    """host[:port] of the registries that may be asked, such as `docker.io`; each serves the
    images of its own name only."""

    secret_ref: SecretRef | None = None
    """Secret of type `kubernetes.io/basic-auth` or `kubernetes.io/dockerconfigjson` with
    credentials; absent: anonymous."""

    ca_secret_ref: SecretRef | None = None
    """Secret with the key `ca.crt` that vouches for the hosts; absent: the CAs of the system."""

    insecure: Flag = False
    """Talk to the hosts by plain HTTP. Absent: false."""

    @model_validator(mode="after")
    def _ca_needs_tls(self) -> Self:
        if self.insecure and self.ca_secret_ref is not None:
            raise refuse("caSecretRef needs TLS: remove insecure")
        return self


_INSIDE = ("!self.matches('(^|/)[.][.](/|$)')", "the path must stay inside the archive volume")


def _stays_inside(path: str) -> str:
    if ".." in path.split("/"):
        raise refuse(_INSIDE[1])
    return path


class ArchiveSource(Part):
    """Tar archives (docker save or OCI layout) in the operator's archive volume."""

    path: Annotated[
        str,
        Field(
            min_length=1,
            max_length=512,
            pattern=r"^[A-Za-z0-9._-][A-Za-z0-9._/ -]*$",
            json_schema_extra=cel(_INSIDE),
        ),
        AfterValidator(_stays_inside),
    ]
    """File or folder inside the archive volume, such as `bundles`; relative, without `..`."""


_ONE_KIND = (
    "[has(self.engine), has(self.upstream), has(self.archive)].filter(x, x).size() == 1",
    "exactly one of engine, upstream or archive",
)


class Source(Part):
    """One place that images come from: an engine, upstream registries or archives."""

    model_config = ConfigDict(json_schema_extra=cel(_ONE_KIND))

    name: str = Field(pattern=NAME, min_length=1, max_length=63)
    """Name of the source in status and messages, such as `builder`."""

    engine: EngineSource | None = None
    """A Docker engine."""

    upstream: UpstreamSource | None = None
    """Registries elsewhere."""

    archive: ArchiveSource | None = None
    """Archives in the operator's archive volume."""

    @model_validator(mode="after")
    def _is_of_one_kind(self) -> Self:
        if sum(part is not None for part in (self.engine, self.upstream, self.archive)) != 1:
            raise refuse(_ONE_KIND[1])
        return self
