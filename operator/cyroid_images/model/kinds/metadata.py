"""What the operator needs of `metadata`: which object, which version, whose wish for a pass."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, Field

from cyroid_images.model.kinds.fields import Part
from cyroid_images.model.text import clean_message

RECONCILE_AT = "cyroid.io/reconcile-at"
"""A new value of this annotation asks for a pass now."""

COLLECT = "cyroid.io/collect"
"""A new value of this annotation of an ImageCache, `run/TOKEN` or `dry-run/TOKEN`, has the disk
of its registry collected now."""

LONGEST_NAME = 63
"""Characters of an object's name: it is used as a label value."""

LONGEST_TOKEN = 128
"""Characters of a reconcile token that come back in status; a timestamp has about 30."""


class Metadata(Part):
    """The identity and version of one object, as the API server wrote them."""

    name: Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]
    """Name of the object."""
    namespace: str | None = None
    """Its namespace; None for a kind of the cluster."""
    uid: str
    """Another uid is another object, whatever its name."""
    generation: int
    """Version of the spec."""
    resource_version: str
    """Version of the whole object; opaque, only ever compared for equality."""
    creation_timestamp: AwareDatetime
    """When it was created: the older object wins a conflict."""
    labels: dict[str, str] = Field({})
    """Its labels."""
    annotations: dict[str, str] = Field({}, repr=False)
    """Its annotations; `kubectl apply` keeps a copy of the spec in one of them."""

    @property
    def reconcile_at(self) -> str | None:
        """The token of a manual pass, cut to what status can echo."""
        token = self.annotations.get(RECONCILE_AT)
        return clean_message(token, LONGEST_TOKEN) if token else None

    @property
    def collect(self) -> str | None:
        """Which collection of the registry's disk is asked for, cut to what status can echo."""
        asked = self.annotations.get(COLLECT)
        return clean_message(asked, LONGEST_TOKEN) if asked else None

    def asks_the_same(self, other: Metadata) -> bool:
        """Whether the other metadata are of the same object and ask for no new pass."""
        return (self.uid, self.generation, self.reconcile_at, self.collect) == (
            other.uid,
            other.generation,
            other.reconcile_at,
            other.collect,
        )

    def at_version(self, resource_version: str) -> Metadata:
        """The same after a write that gave the object this version."""
        return self.model_copy(update={"resource_version": resource_version})
