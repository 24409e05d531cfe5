"""Compares real engines and statuses with what is wanted; each answer is a list of differences.

It asks only parts that are well, and changes nothing but the containers that it makes to
see whether an image is whole, and removes again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from cyroid_images.model.images.repository import TRANSPORT_HOST
from tests.chaos.engine_images import Content, Holding, can_be_run, holding, names
from tests.chaos.faults import ENGINES
from tests.chaos.world import BYSTANDER, World
from tests.parts.registry import CREDENTIALS
from tests.parts.site import condition

Object = Mapping[str, Any]


def untrue(world: World, held: Iterable[Holding]) -> list[str]:
    """P1: images that are wanted somewhere and are not there as the source has them."""
    differences = []
    for engine, each in enumerate(held):
        named = each.named()
        for image in world.wanted(engine):
            wanted, found = world.versions[image][-1], named.get(image)
            if found is None or found.content != wanted:
                told = _told(world, image, found.content) if found else "is not there"
                differences.append(f"{image} in {ENGINES[engine]}: {told}")
    return differences


def untidy(world: World, held: Iterable[Holding]) -> list[str]:
    """P3: names of ours that a transfer left in range engines or in the source."""
    hosts = [(each.push_host, each.pull_host) for each in world.stack.registries]
    ours = (f"{TRANSPORT_HOST}/", *(f"{host}/" for pair in hosts for host in pair))
    places = {place: each.names() for place, each in zip(ENGINES, held, strict=True)}
    places["source"] = names(world.stack.source)
    return [
        f"{name} is left in {place}"
        for place, listed in places.items()
        for name in sorted(listed)
        if name.startswith(ours)
    ]


def unknown(world: World, engine: int, held: Holding) -> list[str]:
    """P4: wanted names whose content the source never had under them."""
    bystander = held.named()[BYSTANDER].content
    return [
        f"{name} in {ENGINES[engine]} is none of its {len(world.versions[name])} versions"
        for name, image in held.named().items()
        if name in world.versions
        and image.content not in (*world.versions[name], bystander)  # that one, we retagged
    ]


def not_whole(world: World, engine: int, images: Iterable[str]) -> list[str]:
    """P4: images that are listed and that no container can be made of."""
    part = world.stack.engines[engine]
    return [
        f"{image} in {ENGINES[engine]} cannot be run: {why}"
        for image in images
        if (why := can_be_run(part, image))
    ]


def differing(world: World, held: Iterable[Holding]) -> tuple[list[str], int]:
    """P5: names with different contents in two engines; and how many were compared."""
    first, second = (each.named() for each in held)
    both = sorted(set(world.wanted(0)) & set(world.wanted(1)) & first.keys() & second.keys())
    found = [
        f"{name}: {first[name].content} and {second[name].content}"
        for name in both
        if first[name].content != second[name].content
    ]
    return found, len(both)


def lost(world: World, held: Iterable[Holding]) -> list[str]:
    """P6: bystanders that are gone or another."""
    named = [each.named() for each in (*held, holding(world.stack.source))]
    return [
        f"{name} is gone from {place}"
        for place, each in zip((*ENGINES, "source"), named, strict=True)
        for name in (BYSTANDER, world.by_hand)
        if name not in each or each[name].content.command != ("/kept",)
    ]


def unready(objects: Mapping[str, Object]) -> list[str]:
    """P3: objects that are not Ready in their present generation."""
    differences = []
    for name, body in objects.items():
        ready = condition(body, "Ready")
        if not is_ready(body):
            words = f"{ready.get('status')}/{ready.get('reason')}: {ready.get('message')}"
            differences.append(f"{name} says Ready={words}")
    return differences


def is_ready(body: Object) -> bool:
    """Ready=True, and of the generation that the object has."""
    ready = condition(body, "Ready")
    is_current = ready.get("observedGeneration") == body["metadata"]["generation"]
    return is_current and ready.get("status") == "True"


def misread(world: World, objects: Mapping[str, Object]) -> list[str]:
    """P3: rows and records that speak of pods or images that are no longer there or wanted."""
    differences = []
    for name, range_ in world.ranges.items():
        status = objects[name]["status"]
        uids = {world.pods[pod] for pod in range_.pods}
        rows = {row["uid"] for row in status.get("targetStatuses", ())}
        if rows != uids:
            differences.append(f"{name} tells of the pods {rows}, not {uids}")
        differences += [
            f"{name} has a record of {record['image']} in {record['uid']}"
            for record in status.get("tarDeliveries", ())
            if record["uid"] not in uids or record["image"] not in range_.images
        ]
    return differences


def defects(log: str) -> list[str]:
    """Lines that no log of ours may hold."""
    words = ("Traceback", "InternalError", CREDENTIALS.password)
    return [line[:3000] for line in log.splitlines() if any(word in line for word in words)]


def _told(world: World, image: str, found: Content) -> str:
    versions = world.versions[image]
    if found in versions:
        return f"is version {versions.index(found)}, not {len(versions) - 1}"
    return f"is {found}"
