"""The image that one VM of a blueprint starts from, or why it starts from none.

Fields come from several versions: `base_image_tag` is a full reference or only the word
`latest`, with the name in `base_image_name`; older ones have `template_name`. A snapshot, a
golden image and an ID name content of one installation, which no registry knows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cyroid_images.blueprints.architectures import platform_of
from cyroid_images.errors import InvalidReference
from cyroid_images.model.images.platform import Platform
from cyroid_images.model.images.reference import Reference

_LOCAL = {
    "snapshot_id": "a snapshot",
    "golden_image_id": "a golden image",
}
_NOTHING = "it names no image (base_image_tag)"
_LONGEST_SHOWN = 120
_LONGEST_NAME = 63


@dataclass(frozen=True, slots=True)
class MachineImage:
    """What one VM wants: an image, or `why` it is none; `odd` is what to warn of."""

    machine: str
    wanted: str
    platform: Platform | None = None
    why: str | None = None
    odd: tuple[str, ...] = ()


def machine_image(machine: Mapping[str, Any], number: int) -> MachineImage:
    """Of the VM that stands at this place (from 1) of the list."""
    name = _name(machine, number)
    platform, odd = platform_of(machine.get("arch"))
    warnings = () if odd is None else (f"{name}: {odd}",)
    for field, what in _LOCAL.items():
        if machine.get(field):
            advice = (
                f"it starts from {what}, which only the installation that made it has: save it"
                " as an image and name that in base_image_tag"
            )
            return MachineImage(name, f"{field} {_shown(machine[field])}", why=advice)
    wanted, note = _written(machine)
    if wanted is None:
        return MachineImage(name, "nothing", why=note or _NOTHING)
    if (why := _refusal(wanted)) is not None:
        return MachineImage(name, _shown(wanted), why=why)
    if note is not None:
        warnings = (*warnings, f"{name}: {note}")
    return MachineImage(name, _with_tag(wanted), platform, odd=warnings)


def _written(machine: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """The image as it is written, and a note; without an image the note says why."""
    tag, name = _text(machine.get("base_image_tag")), _text(machine.get("base_image_name"))
    if tag == "latest":
        if name is None:
            return None, "base_image_tag is only `latest`: write the whole name of the image there"
        return f"{name}:latest", f"base_image_tag is only `latest`: read as {_shown(name)}:latest"
    if tag is not None:
        return tag, None
    if name is not None:
        return name, f"it has no base_image_tag: base_image_name {_shown(name)} is taken"
    return _written_by_older(machine)


def _written_by_older(machine: Mapping[str, Any]) -> tuple[str | None, str | None]:
    if (template := _text(machine.get("template_name"))) is not None:
        return template, f"it has only template_name: {_shown(template)} is taken for an image"
    if machine.get("base_image_id"):
        return None, (
            "it names its image only by an ID of the installation that made the blueprint: write"
            " the name of the image to base_image_tag"
        )
    return None, _NOTHING


def _refusal(wanted: str) -> str | None:
    """Why this text cannot be delivered; None where it is an image that a range can run."""
    if wanted.lower().startswith("iso:"):
        return "an ISO is a disk of a virtual machine and no container image: it is not delivered"
    try:
        reference = Reference.parse(wanted)
    except InvalidReference as exc:
        return f"it is no image reference: {exc}"
    if reference.tag is None:
        return "a range needs a tag to run the image by: write name:tag@sha256:<64 hex digits>"
    return None


def _with_tag(wanted: str) -> str:
    """As written, but for the tag that is implied: both kinds and people then see one name."""
    last = wanted.partition("@")[0].rpartition("/")[2]
    return wanted if ":" in last or "@" in wanted else f"{wanted}:latest"


def _name(machine: Mapping[str, Any], number: int) -> str:
    for field in ("hostname", "name", "id"):
        if (text := _text(machine.get(field))) is not None:
            return text[:_LONGEST_NAME]
    return f"VM {number}"


def _text(value: object) -> str | None:
    """A text that says something."""
    return value.strip() if isinstance(value, str) and value.strip() else None


def _shown(value: object) -> str:
    return str(value)[:_LONGEST_SHOWN]
