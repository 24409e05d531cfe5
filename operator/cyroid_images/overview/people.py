"""Who asks, what they may do, that something was asked, and what this installation can do."""

from __future__ import annotations

from collections.abc import Mapping

from cyroid_images.overview.answer import Answer


class MyRights(Answer):
    """What the owner of a token may do with one cache."""

    read: bool
    """See caches, and with them what the registry holds."""
    push: bool
    """Patch the ImageCache: push images, have things looked at again."""
    delete: bool
    """Delete the ImageCache, and so any image in it: remove images, collect, upload."""
    create_ranges: bool
    """Create RangeImages in every namespace."""


class Me(Answer):
    """Whose token this is."""

    user: str
    groups: tuple[str, ...]
    rights: MyRights


class Asked(Answer):
    """Something was asked of the operator; nothing has come of it yet."""

    success: bool = True
    message: str


class Capabilities(Answer):
    """What CYROID's clients ask before they show anything of a registry."""

    substrate: str
    substrate_label: str
    features: Mapping[str, bool]


CAPABILITIES = Capabilities(
    substrate="kubernetes",
    substrate_label="Kubernetes (Docker-in-Docker ranges)",
    features={
        "docker_registry": True,
        "image_cache": True,
        "image_push": True,
        "image_delete": True,
        "image_upload": True,
        "ranges": True,
        "events": True,
        "garbage_collection": True,
        "server_sent_events": True,
    },
)
