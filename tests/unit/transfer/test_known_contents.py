"""What an image ID means, kept for as long as somebody holds the image."""

from __future__ import annotations

import gc
from dataclasses import replace

from cyroid_images.transfer.known_contents import KnownContents
from tests.unit.plan.examples import content, digest


def test_a_content_is_known_by_its_config_and_its_manifest_and_by_nothing_else() -> None:
    known = KnownContents()
    config, manifest, index = digest("config"), digest("manifest"), digest("index")
    held = replace(content(), config=config, manifest=manifest, aliases=frozenset({index}))
    known.learn(held)
    assert known[config] is known[manifest] is held
    assert index not in known
    assert (set(known), len(known)) == ({config, manifest}, 2)


def test_what_nobody_holds_is_forgotten() -> None:
    known = KnownContents()
    held = replace(content(), config=digest("config"), manifest=None)
    known.learn(held)
    assert len(known) == 1
    del held
    gc.collect()
    assert known.get(digest("config")) is None
    assert len(known) == 0
