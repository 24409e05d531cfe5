"""Notices that a watch of kopf had to list its kind again, because such a list loses deletions.

kopf tells what it lists as events without a type, and says nothing of what the list lacks:
an object that was deleted while the watch was down would live on in our store.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from cyroid_images.store.keys import Kind


class Relists:
    """Remembers which objects each watch reported; used from the event loop only."""

    def __init__(self) -> None:
        self._told: defaultdict[Kind, set[str]] = defaultdict(set)

    def shows(self, kind: Kind, event: str | None, body: Mapping[str, Any]) -> bool:
        """Does this event begin a list that is not the first one of its watch?

        It does if it has no type, and its object was told before. True once per list. A list
        that begins with objects not heard of is noticed at the first one that was; an empty
        one is not (our own sweep finds that out, too).
        """
        told, uid = self._told[kind], body["metadata"]["uid"]
        if event == "DELETED":
            told.discard(uid)
            return False
        is_again = event is None and uid in told
        if is_again:
            told.clear()  # so that what was lost is not remembered for ever
        told.add(uid)
        return is_again
