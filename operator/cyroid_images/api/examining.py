"""What the doctor wants to know, as far as the API itself may read it.

Namespaces, pods and Secrets are not the API's to read: those rows are unknown here, and
`kubectl cyroid doctor` fills them in with the rights of whoever calls it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from cyroid_images.errors import AccessDenied, ApiUnavailable
from cyroid_images.kube.api import Api, success
from cyroid_images.model.kinds.image_cache import ImageCache
from cyroid_images.model.kinds.range_images import RangeImages
from cyroid_images.overview.doctor.facts import Facts, NotSeen, WantedLook, looks

READ = frozenset({"kinds", "schemas", "lease", "deployments"})
"""Looks for which the chart gives the API a right, or which need none."""
ELSEWHERE = "the REST API does not read it: kubectl cyroid doctor, with your own rights"

Looked = Mapping[str, Any] | NotSeen | None


@dataclass(frozen=True, slots=True)
class Examining:
    """Looks at one installation."""

    api: Api
    namespace: str
    """Where the operator lives."""

    async def facts(self, caches: Sequence[ImageCache], ranges: Sequence[RangeImages]) -> Facts:
        """What is there now; of what could not be read, why."""
        wanted = looks(self.namespace)
        answers = await asyncio.gather(*(self._look(each) for each in wanted))
        return Facts(
            now=datetime.now(UTC),
            version=_version(),
            namespace=self.namespace,
            caches=caches,
            ranges=ranges,
            certificates=(NotSeen(ELSEWHERE, "get secrets", is_denied=True),),
            answers={each.name: found for each, found in zip(wanted, answers, strict=True)},
        )

    async def _look(self, look: WantedLook) -> Looked:
        if look.name not in READ:
            return NotSeen(ELSEWHERE, look.right, is_denied=True)
        try:
            answer = await self.api.get(look.path, **look.query)
            return None if answer.code == 404 else success(answer, look.right)
        except AccessDenied as exc:
            return NotSeen(str(exc), look.right, is_denied=True)
        except ApiUnavailable as exc:
            return NotSeen(str(exc), look.right, is_denied=False)


def _version() -> str:
    try:
        return version("cyroid-images")
    except PackageNotFoundError:
        return "unknown"
