"""An API server of their own: these tests install and uninstall what the others rely on.

An uninstalled chart takes the CRDs along, and its namespace stays Terminating for ever
where no controller empties it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.parts.apiserver import ApiServerPart


@pytest.fixture(scope="session")
def apiserver() -> Iterator[ApiServerPart]:
    """The same part, for this folder only."""
    with tempfile.TemporaryDirectory(prefix="cyroid-apiserver-") as folder:
        part = ApiServerPart(Path(folder))
        try:
            part.start()
            yield part
        finally:
            part.close()
