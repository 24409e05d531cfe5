"""What lies in one archive, whatever it is stored as: names, sizes, links and documents.

A tar read by offset, a tar that came as a stream and a folder all become this; the readers
of the two layouts (`docker_save`, `oci_layout`) see nothing else. Names are never used as
paths of the file system here, and a name that points outside the archive is not there.
"""

from __future__ import annotations

import json
import posixpath
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cyroid_images.archive.damage import LARGEST_DOCUMENT, invalid

_LONGEST_CHAIN = 8
"""Links from name to name before they count as a circle."""


@dataclass(frozen=True, slots=True)
class Contents:
    """The members of one archive; `read` gives the first bytes of a file of `sizes`."""

    archive: str
    sizes: Mapping[str, int]
    """Bytes of each regular file."""
    links: Mapping[str, str]
    """Symbolic and hard links, as written."""
    read: Callable[[str, int], bytes]
    """A file's first bytes, as many as asked; of a stream, only documents are kept whole."""

    def find(self, name: str) -> str | None:
        """The file of that name, links resolved; None when there is none.

        Raises ArchiveInvalid for a name or link that points outside the archive.
        """
        here = self._inside(name, name)
        for _ in range(_LONGEST_CHAIN):
            if here not in self.links:
                return here if here in self.sizes else None
            here = self._target(here)
        raise invalid(self.archive, f"the link {name} is a loop")

    def document(self, name: str) -> bytes | None:
        """The whole file, at most 4 MiB (else ArchiveInvalid); None when there is none."""
        found = self.find(name)
        if found is None:
            return None
        if self.sizes[found] > LARGEST_DOCUMENT:
            raise invalid(self.archive, f"{name} has more than {LARGEST_DOCUMENT} bytes")
        return self.read(found, LARGEST_DOCUMENT)

    def json(self, name: str) -> Any:
        """What the JSON document of that name says; None when there is none."""
        content = self.document(name)
        if content is None:
            return None
        try:
            return json.loads(content)
        except (ValueError, RecursionError) as exc:
            raise invalid(self.archive, f"{name} is not JSON: {exc}") from exc

    def _target(self, link: str) -> str:
        """A symbolic link is relative to its folder, a hard link to the archive: either."""
        written = self.links[link]
        from_folder = posixpath.join(posixpath.dirname(link), written)
        for name in (plain_name(from_folder), plain_name(written)):
            if name is not None and (name in self.sizes or name in self.links):
                return name
        return self._inside(from_folder, f"the link {link}")

    def _inside(self, name: str, shown: str) -> str:
        if (plain := plain_name(name)) is None:
            raise invalid(self.archive, f"{shown} points outside the archive")
        return plain


def plain_name(name: str) -> str | None:
    """A member's name in its one normal form; None for one that leads out or is no name."""
    plain = posixpath.normpath(name)
    leads_out = plain.startswith(("/", "../")) or plain in ("..", ".")
    return None if leads_out or "\0" in name else plain
