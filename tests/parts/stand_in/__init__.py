"""Engines for load: a thousand of them in one process, told apart by the address that is called.

Each has images of its own and really asks the registry: a pull reads the manifest, the
config and every layer that this engine lacks, checks each digest, and drops the bytes. What
they do not do is unpack, run, save or push. They keep the contract of a range engine
(tests/component/engine), which real engines keep too, and stand in for them only where a
machine has no room for a thousand dockerds.
"""

from tests.parts.stand_in.lies import Lie
from tests.parts.stand_in.part import StandInEngine, StandIns

__all__ = ["Lie", "StandInEngine", "StandIns"]
