"""The base of what people are shown."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Answer(BaseModel):
    """A frozen JSON object, snake_case on the wire; what is unknown is null, never empty.

    A field that this version does not know is ignored, so that an old client reads a newer API.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", use_attribute_docstrings=True)
