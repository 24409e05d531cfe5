"""What is no Lease is no answer: an odd body must not end whoever renews."""

from __future__ import annotations

from typing import Any

import pytest

from cyroid_images.errors import ApiUnavailable
from cyroid_images.kube.leases import read_lease

METADATA = {"resourceVersion": "7", "uid": "u"}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"metadata": None},
        {"metadata": {"uid": "u"}},
        {"metadata": METADATA, "spec": {"leaseDurationSeconds": "soon"}},
        {"metadata": METADATA, "spec": ["holderIdentity"]},
    ],
)
def test_b6_an_odd_body_is_no_usable_answer(body: Any) -> None:
    with pytest.raises(ApiUnavailable, match="the response is not a Lease"):
        read_lease(body)


def test_what_a_lease_lacks_is_empty() -> None:
    lease = read_lease({"metadata": METADATA})
    assert (lease.holder, lease.seconds, lease.version) == ("", 0, "7")
