"""An API server of their own: these tests install and uninstall what the others rely on.

An uninstalled chart takes the CRDs along, and its namespace stays Terminating for ever
where no controller empties it.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.parts.apiserver import ApiServerPart, running_api_server


@pytest.fixture(scope="session")
def apiserver() -> Iterator[ApiServerPart]:
    """The same part, for this folder only."""
    with running_api_server() as part:
        yield part
