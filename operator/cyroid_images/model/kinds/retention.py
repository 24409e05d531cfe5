"""`spec.retention` of an ImageCache: how long the registry keeps what nobody asks for."""

from __future__ import annotations

from cyroid_images.model.kinds.fields import Part, Seconds, optional_seconds


class Retention(Part):
    """What may leave the registry by itself; absent: nothing."""

    unused: Seconds | None = optional_seconds(least="1m", most="8760h")
    """How long an image stays that neither `spec.images` lists nor a range wants, as a duration
    such as `168h`; absent: for ever. Speaks of images that this cache has known only."""

    collect_every: Seconds | None = optional_seconds(least="1m", most="8760h")
    """How often the disk is freed of what no tag needs any more, as a duration such as `24h`;
    absent: only on demand, by the annotation `cyroid.io/collect`."""
