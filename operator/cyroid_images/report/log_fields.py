"""What log lines say besides their text: which object, which image, into which target.

The keys of `object` are those of kopf; the others are our own. No addresses, no secrets.
"""

from __future__ import annotations

from typing import Any

from cyroid_images.model.actions import Copy, Load, Pull, Push, Remove, Untag
from cyroid_images.model.kinds.metadata import Metadata
from cyroid_images.store.keys import Key

API_VERSION = "cyroid.io/v1alpha1"


def about_object(key: Key, metadata: Metadata | None) -> dict[str, Any]:
    """The fields of every line of a pass; without metadata the object is gone."""
    named = {"apiVersion": API_VERSION, "kind": str(key.kind), "name": key.name}
    if key.namespace:
        named["namespace"] = key.namespace
    if metadata is None:
        return {"object": named}
    return {"object": {**named, "uid": metadata.uid}, "generation": metadata.generation}


def about_action(action: Any) -> dict[str, Any]:
    """The fields of every line of a transfer; nothing for what moves no image."""
    match action:
        case Pull():
            digest = action.stored.manifest.digest
            return {**_image(action, digest), **_target(action)}
        case Load():
            return {**_image(action, action.source.id), **_target(action)}
        case Push() | Copy():
            return {**_image(action, action.source.id), "source": action.source.source}
        case Remove():
            return {"image": str(action.image)}
        case Untag() | _:
            return {}


def _image(action: Pull | Load | Push | Copy, digest: object) -> dict[str, Any]:
    return {"image": str(action.wish.reference), "digest": str(digest)}


def _target(action: Pull | Load) -> dict[str, Any]:
    return {"target": action.target.pod, "target_uid": action.target.uid}
