"""`spec.limits` of an ImageCache: how far the ranges that use it may go."""

from __future__ import annotations

from typing import Self

from pydantic import ConfigDict, model_validator

from cyroid_images.model.kinds.fields import Part, Seconds, cel, optional_seconds, refuse

_STALL_IS_SHORTER = (
    "!has(self.stall) || !has(self.total) || duration(self.stall) < duration(self.total)",
    "stall must be shorter than total",
)


class Limits(Part):
    """How far the ranges that use the cache may go; what is absent is the operator's setting."""

    model_config = ConfigDict(json_schema_extra=cel(_STALL_IS_SHORTER))

    stall: Seconds | None = optional_seconds(least="1s", most="24h")
    """Most that `timeouts.stall` of a range may be, as a duration such as `5m`: how long a
    transfer without a single byte holds its turn."""

    total: Seconds | None = optional_seconds(least="1s", most="168h")
    """Most that `timeouts.total` of a range may be, as a duration such as `2h`."""

    interval: Seconds | None = optional_seconds(least="1s", most="168h")
    """Least that `interval` of a range may be, as a duration such as `30s`."""

    @model_validator(mode="after")
    def _stall_is_shorter(self) -> Self:
        if self.stall is not None and self.total is not None and self.stall >= self.total:
            raise refuse(_STALL_IS_SHORTER[1])
        return self
