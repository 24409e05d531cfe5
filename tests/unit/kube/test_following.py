"""How a kind is followed: what is silent is not taken for dead too soon."""

from __future__ import annotations

from cyroid_images.kube import following


def test_a_watch_may_be_silent_from_its_begin_to_its_end() -> None:
    """The API server sends no bookmark before a first event: seen on a quiet cluster, where
    the ranges were told to be lost every 90 seconds."""
    assert following.IDLE_SECONDS > following.WATCH_SECONDS + 10
