"""Two objects that want one name with different content in one pod: the older object wins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cyroid_images.errors import Reason
from cyroid_images.model.fault import Fault
from cyroid_images.model.images.reference import Reference
from cyroid_images.model.kinds.range_images import RangeImages
from cyroid_images.model.knowledge import Wish
from cyroid_images.model.pod import Pod


def conflicts(
    item: RangeImages, older: Iterable[RangeImages], pods: Iterable[Pod]
) -> Mapping[str, Mapping[Wish, Fault]]:
    """By UID of the pod: the wishes of `item` whose name an older object has there with other
    content; `older` begins with the oldest, and pods without any conflict are left out.

    One name means one content while cache, platform and digest agree.
    """
    before = tuple(older)
    if not before:
        return {}
    mine = tuple(pods)
    near = (rival for rival in before if any(rival.selects(pod) for pod in mine))
    rivals = [(rival, shared) for rival in near if (shared := _shared(item, rival))]
    if not rivals:  # as a rule: then nothing is asked per pod
        return {}
    found = {pod.uid: _in_pod(pod, rivals) for pod in mine}
    return {uid: lost for uid, lost in found.items() if lost}


def _shared(item: RangeImages, rival: RangeImages) -> Mapping[Wish, str]:
    """The wishes of `item` whose name the rival has too, and what other content it means by it;
    empty where it means the same."""
    theirs: dict[Reference, Wish] = {}
    for wish in rival.wishes:
        theirs.setdefault(wish.reference.tagged, wish)
    return {
        wish: _difference(item, wish, rival, theirs[name])
        for wish in item.wishes
        if (name := wish.reference.tagged) in theirs
    }


def _in_pod(
    pod: Pod, rivals: Iterable[tuple[RangeImages, Mapping[Wish, str]]]
) -> Mapping[Wish, Fault]:
    """The oldest that wants a name in this pod has it."""
    taken: dict[Wish, Fault | None] = {}
    for rival, shared in rivals:
        if rival.selects(pod):
            for wish, other in shared.items():
                taken.setdefault(wish, _fault(wish, pod, rival, other) if other else None)
    return {wish: fault for wish, fault in taken.items() if fault}


def _fault(wish: Wish, pod: Pod, rival: RangeImages, other: str) -> Fault:
    return Fault(
        Reason.CONFLICTING_IMAGES,
        f"{wish.reference.tagged} in {pod.name} is wanted {other} by the older"
        f" RangeImages {rival.metadata.name}",
    )


def _difference(item: RangeImages, wish: Wish, rival: RangeImages, theirs: Wish) -> str:
    """What the rival asks for instead by the same name, in words; empty: the same."""
    if item.cache_name != rival.cache_name:
        return f"from ImageCache {rival.cache_name}, not {item.cache_name},"
    if wish.platform != theirs.platform:
        return f"for {theirs.platform or 'the platform of the engine'}"
    if wish.reference.digest != theirs.reference.digest:
        return f"as {theirs.reference.digest}" if theirs.reference.digest else "without a digest"
    return ""
