"""What the specs of both kinds are made of: the base class, shared field types, CEL rules.

Each rule is written twice, side by side: as CEL or a pattern for the API server, and as
a validator for objects that were stored under an older schema. One table of values in the
tests (`names_table.py`, `specs_table.py`) is tried on both, so they cannot drift apart.
The docstring of an attribute is its description in the CRD.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PrivateAttr,
    StrictBool,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from cyroid_images.errors import InvalidReference, InvalidSpec, Reason
from cyroid_images.model.images import reference
from cyroid_images.model.images.platform import Platform
from cyroid_images.model.images.reference import HOST, Reference
from cyroid_images.model.kinds import duration

NAME = r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$"
"""The name of a Kubernetes object."""

Flag = StrictBool
"""A bool that is absent for False: the schema gives it no default."""

_INVALID_REFERENCE = "invalid_reference"
_TAG_REQUIRED = "tag_required"


def cel(*rules: tuple[str, str]) -> dict[str, Any]:
    """The JSON schema extra that makes the API server check (rule, message) pairs."""
    listed = [{"rule": rule, "message": message} for rule, message in rules]
    return {"x-kubernetes-validations": listed}


def refuse(message: str) -> PydanticCustomError:
    """The error of a validator; unlike a ValueError it reaches people without a prefix."""
    return PydanticCustomError("rule", "{sentence}", {"sentence": message})


class Part(BaseModel):
    """A frozen piece of a spec or status: snake_case here, camelCase in the API.

    Unknown fields are ignored: a newer CRD may have stored them. A null counts as absent,
    as the API server has it.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="ignore",
        alias_generator=to_camel,
        validate_by_alias=True,
        validate_by_name=True,
        use_attribute_docstrings=True,
    )

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, document: Any) -> Any:
        if not isinstance(document, Mapping) or None not in document.values():
            return document
        return {key: value for key, value in document.items() if value is not None}

    @classmethod
    def read(cls, document: object, *, at: str) -> Self:
        """Validate what stands at the path `at`; raises InvalidReference or InvalidSpec.

        The message names the first wrong field and its rule. It is not chained to
        pydantic's error, which quotes the input, and that may hold a password.
        """
        try:
            return cls.model_validate(document)
        except ValidationError as exc:
            first = exc.errors(include_input=False, include_url=False)[0]
        path, rule = at + _path(first["loc"]), first["msg"]
        if first["type"] == _INVALID_REFERENCE:
            raise InvalidReference(f"{path}: {rule}")
        if first["type"] == _TAG_REQUIRED:
            raise InvalidSpec(path, rule, reason=Reason.TAG_REQUIRED)
        raise InvalidSpec(path, rule)


def _path(location: tuple[int | str, ...]) -> str:
    """The place as kubectl writes it: `.images[3].image`."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in location)


def unique_by(*keys: str) -> AfterValidator:
    """Refuses two items that are equal in these attributes, as a list of type map does."""

    def check(items: tuple[Any, ...]) -> tuple[Any, ...]:
        seen = [tuple(getattr(item, key) for key in keys) for item in items]
        if len(set(seen)) < len(seen):
            raise refuse(f"two items have the same {', '.join(keys)}")
        return items

    return AfterValidator(check)


def seconds(default: str, *, least: str, most: str) -> Any:
    """A field of type Seconds with its default and bounds, all as durations."""
    low, high = duration.parse_duration(least), duration.parse_duration(most)
    rule = f"duration(self) >= duration('{least}') && duration(self) <= duration('{most}')"
    message = f"between {least} and {most}"
    return Field(
        default=duration.parse_duration(default),
        ge=low,
        le=high,
        json_schema_extra={"default": default, **cel((rule, message))},
    )


def optional_seconds(*, least: str, most: str) -> Any:
    """A field of type `Seconds | None` with bounds and without a default."""
    rule = f"duration(self) >= duration('{least}') && duration(self) <= duration('{most}')"
    return Field(
        default=None,
        ge=duration.parse_duration(least),
        le=duration.parse_duration(most),
        json_schema_extra=cel((rule, f"between {least} and {most}")),
    )


def _read_duration(value: object) -> object:
    if not isinstance(value, str):
        raise refuse("not a duration (such as 500ms, 90s, 5m or 1h30m)")
    try:
        return duration.parse_duration(value)
    except ValueError as exc:
        raise refuse(str(exc)) from exc


Seconds = Annotated[
    float,
    BeforeValidator(_read_duration),
    PlainSerializer(duration.format_duration, return_type=str, when_used="json"),
    WithJsonSchema(
        {"type": "string", "pattern": f"^{duration.PATTERN}$", "maxLength": duration.LONGEST}
    ),
]
"""Seconds, written as a Kubernetes duration."""


def _read_platform(value: object) -> object:
    if isinstance(value, Platform):
        return value
    if not isinstance(value, str) or len(value) > 64:
        raise refuse("a platform is a text such as linux/amd64")
    try:
        return Platform.parse(value)
    except InvalidReference as exc:
        raise refuse(str(exc)) from exc


PlatformField = Annotated[
    Platform,
    BeforeValidator(_read_platform),
    PlainSerializer(str, return_type=str, when_used="json"),
    WithJsonSchema(
        {"type": "string", "pattern": r"^[a-z0-9]+/[a-z0-9_]+(/[a-z0-9.]+)?$", "maxLength": 64}
    ),
]
"""A platform in OCI spelling, in normal form once it is read."""

HostText = Annotated[str, Field(pattern=f"^{HOST}$", max_length=255)]
"""host[:port] as Docker recognises it before a slash: a dot, a port, or `localhost`."""


def _distinct(hosts: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(hosts)) < len(hosts):
        raise refuse("the same host twice")
    return hosts


_SET = {"x-kubernetes-list-type": "set"}

HostSet = Annotated[
    tuple[HostText, ...],
    Field(max_length=16, json_schema_extra=_SET),
    AfterValidator(_distinct),
]
"""Hosts, each once."""

SomeHosts = Annotated[
    tuple[HostText, ...],
    # The bounds stand before the validator: behind it pydantic leaves them out of the schema.
    Field(min_length=1, max_length=16, json_schema_extra=_SET),
    AfterValidator(_distinct),
]
"""Hosts, at least one, each once."""


class SecretRef(Part):
    """A Secret in the operator's own namespace."""

    name: str = Field(pattern=NAME, min_length=1, max_length=253)
    """Name of the Secret, such as `cyroid-registry-push`."""


_IMAGE_ID_REFUSED = (
    f"!self.matches('{reference.IMAGE_ID}')",
    "an image ID is not a reference: name the image",
)
_HOW_TO_PIN = (
    "a range needs a tag to run the image by: write name:tag@sha256:<64 hex digits>"
    " instead of name@sha256:<64 hex digits>"
)
_TAG_NEEDED = (f"!self.contains('@') || self.matches('{reference.HAS_TAG}')", _HOW_TO_PIN)
_IMAGE_SCHEMA = {
    "type": "string",
    "minLength": 1,
    "maxLength": reference.LONGEST,
    "pattern": reference.PATTERN,
}


class ImageName(Part):
    """One image by its name."""

    image: Annotated[str, WithJsonSchema({**_IMAGE_SCHEMA, **cel(_IMAGE_ID_REFUSED)})]
    """Name of the image, such as `127.0.0.1:5000/cyroid/kali-attack:latest`. Without tag and
    digest the tag is `latest`."""

    _reference: Reference = PrivateAttr()

    @property
    def reference(self) -> Reference:
        """What `image` means, in normal form."""
        return self._reference

    @model_validator(mode="after")
    def _parse(self) -> Self:
        try:
            self._reference = Reference.parse(self.image)
        except InvalidReference as exc:
            sentence = {"sentence": str(exc)}
            raise PydanticCustomError(_INVALID_REFERENCE, "{sentence}", sentence) from exc
        return self


class ImageWish(ImageName):
    """One image that is wanted in the registry."""

    image: Annotated[str, WithJsonSchema({**_IMAGE_SCHEMA, **cel(_IMAGE_ID_REFUSED)})]
    """Name of the image, such as `127.0.0.1:5000/cyroid/kali-attack:latest` or
    `ghcr.io/a/b@sha256:<64 hex digits>`. Without tag and digest the tag is `latest`; with
    both the digest decides."""

    platform: PlatformField | None = None
    """Platform of the image, such as `linux/amd64`; absent: that of the source."""


class RangeImageWish(ImageWish):
    """One image that is wanted in every target, under the tag that the range runs it by."""

    image: Annotated[str, WithJsonSchema({**_IMAGE_SCHEMA, **cel(_IMAGE_ID_REFUSED, _TAG_NEEDED)})]
    """Name of the image exactly as the range will use it, such as
    `127.0.0.1:5000/cyroid/kali-attack:latest`. Without a tag it is `latest`; to pin content
    write `name:tag@sha256:<64 hex digits>`."""

    platform: PlatformField | None = None
    """Platform of the image, such as `linux/amd64`; absent: the engine's own."""

    @model_validator(mode="after")
    def _has_tag(self) -> Self:
        if self.reference.tag is None:
            raise PydanticCustomError(_TAG_REQUIRED, "{sentence}", {"sentence": _HOW_TO_PIN})
        return self
