"""Two objects that want one name with different content in one pod: the older object wins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cyroid_images.errors import Reason
from cyroid_images.model.fault import Fault
from cyroid_images.model.knowledge import Wish
from cyroid_images.model.pod import Pod
from cyroid_images.model.range_images import RangeImages


def conflicts(item: RangeImages, older: Iterable[RangeImages], pod: Pod) -> Mapping[Wish, Fault]:
    """The wishes of `item` whose name an older object claims in this pod with other content.

    One name means one content while cache, platform and digest agree.
    """
    claimed: dict[str, tuple[RangeImages, tuple[object, ...]]] = {}
    for rival in older:
        if rival.selects(pod):
            for wish in _wishes(rival):
                claimed.setdefault(str(wish.reference.tagged), (rival, _meaning(rival, wish)))
    found: dict[Wish, Fault] = {}
    for wish in _wishes(item):
        name = str(wish.reference.tagged)
        rival, meaning = claimed.get(name, (item, _meaning(item, wish)))
        if meaning != _meaning(item, wish):
            found[wish] = Fault(
                Reason.CONFLICTING_IMAGES,
                f"{name} in {pod.name} is wanted with other content by the older RangeImages"
                f" {rival.metadata.name}",
            )
    return found


def _wishes(item: RangeImages) -> Iterable[Wish]:
    return (Wish(each.reference, each.platform) for each in item.spec.images)


def _meaning(item: RangeImages, wish: Wish) -> tuple[object, ...]:
    return item.cache_name, wish.platform, wish.reference.digest
