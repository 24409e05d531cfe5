"""The last question of a delivery: what stands under the wanted name and that of the transfer."""

from __future__ import annotations

import pytest

from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.images.image import EngineImage
from cyroid_images.model.images.reference import Reference
from cyroid_images.transfer.proof import prove_delivered
from tests.component.transfer.moving import image_in
from tests.parts.engines import EnginePart

pytestmark = pytest.mark.slow

NAME, OTHER = "delivered.example/tool:1", "delivered.example/other:1"
WANTED = Reference.parse(NAME)
TRANSPORT = Reference.parse("transfer.cyroid.io/image:one")


@pytest.mark.row("P1", "D11")
def test_who_takes_a_delivered_image_away_is_noticed_before_it_is_called_ready(
    any_engine: EnginePart,
) -> None:
    engine = any_engine.engine
    info = engine.info()
    for name in (NAME, OTHER):
        any_engine.load_image(name, ({"name": name.encode()},), {"Cmd": ["/x"]})
    proven = image_in(any_engine, NAME)
    assert proven is not None
    assert prove_delivered(engine, info, WANTED, proven, TRANSPORT) == {
        WANTED: proven,
        TRANSPORT: None,
    }
    engine.tag(proven.id, TRANSPORT)  # as where the name of the transfer could not be dropped
    left = prove_delivered(engine, info, WANTED, proven, TRANSPORT)[TRANSPORT]
    assert left is not None
    assert left.id == proven.id
    engine.tag(Reference.parse(OTHER), WANTED)
    assert refused(any_engine, proven) is Reason.TRANSFER_INTERRUPTED
    engine.untag(WANTED)
    assert refused(any_engine, proven) is Reason.TRANSFER_INTERRUPTED
    engine.untag(TRANSPORT)
    engine.untag(Reference.parse(OTHER))


def refused(part: EnginePart, proven: EngineImage) -> Reason:
    with pytest.raises(TransferError, match="removed or retagged") as caught:
        prove_delivered(part.engine, part.engine.info(), WANTED, proven, TRANSPORT)
    return caught.value.reason
