"""A blueprint as far as images go: which are wanted, by how many VMs, and what is none."""

from __future__ import annotations

from dataclasses import dataclass

from cyroid_images.errors import CyroidError
from cyroid_images.model.images.platform import Platform
from cyroid_images.model.images.reference import Reference


class UnreadableBlueprint(CyroidError):
    """What was given is no blueprint; the message says what it is and what would be one."""


@dataclass(frozen=True, slots=True)
class BlueprintImage:
    """One image of a lab, however many of its VMs start from it."""

    image: str
    """As the blueprint writes it, with a tag: the range runs it by exactly this name."""
    platform: Platform | None
    """None: that of the engine."""
    machines: tuple[str, ...]
    """The VMs that start from it."""

    @property
    def reference(self) -> Reference:
        return Reference.parse(self.image)


@dataclass(frozen=True, slots=True)
class RefusedMachine:
    """A VM whose image cannot be delivered, and why."""

    machine: str
    wanted: str
    """What it names instead of an image, such as `iso:https://...`."""
    why: str


@dataclass(frozen=True, slots=True)
class Blueprint:
    """The images of one lab, each once, in the order in which its VMs name them."""

    name: str
    version: str
    machines: int
    """VMs in all."""
    images: tuple[BlueprintImage, ...]
    refused: tuple[RefusedMachine, ...] = ()
    warnings: tuple[str, ...] = ()
    """What was understood although it is not written as it should be."""
