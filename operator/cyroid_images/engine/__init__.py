"""Leaf: one Docker engine, whatever its version and image store.

`Engine` is the face; behind it, one question per file:

    dialling   how a connection is made: by address, checked by name, cuttable
    tls        which certificates we show and which we accept
    control    short calls, in docker-py's vocabulary: info, list, inspect, tag, untag
    listing    the rows of the list of images, and whether all of an image is there
    view       what the answers of list and inspect mean as values
    events     the JSON objects of a stream, found in bytes cut anywhere
    image_events  that the images of the engine change, as one long answer
    layers     how far a pull or push is
    streams    pull and push, ended by a result or an error
    save_load  save and load
    limits     how long a stream may be silent, per phase
    classify   which reason the words of an engine lead to
    faults     which reason a broken connection leads to

Sources of the facts: the Engine API reference (1.41 to 1.48), moby 20.10 to 29 as read,
and recorded answers (`tests/unit/engine/recordings`).
"""

from cyroid_images.engine.engine import Engine
from cyroid_images.engine.limits import StreamLimits
from cyroid_images.engine.streams import UnwantedBlob

__all__ = ["Engine", "StreamLimits", "UnwantedBlob"]
