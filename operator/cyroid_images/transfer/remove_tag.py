"""An image leaves our registry: its tag, and of its manifests what nothing else needs.

A manifest stays where a wanted image is known by it, where another tag names it, and where it
is a child of an index that another tag names. Where that cannot be told nothing is removed.
Ends in a proof: the registry is asked again. Safe to repeat: a removal that was cut goes on
where it was, as what the image is known by is handed in anew.

A tag alone is removed by distribution 3; 2.8 only knows manifests, which take all their tags
along. There a tag whose manifest something else needs stays, and the message says what.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.actions import Remove
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.manifest import Index
from cyroid_images.model.images.repository import pin_tag
from cyroid_images.model.removal import Removed
from cyroid_images.registry.client import FetchedManifest, RegistryClient
from cyroid_images.scheduling.cancel_scope import CancelScope

MOST_MANIFESTS = 2500
"""Manifests that are read to learn what others need, in one removal."""

HOW_TO_ALLOW = (
    "allow it in the configuration of the registry (storage.delete.enabled: true; in the"
    " environment REGISTRY_STORAGE_DELETE_ENABLED=true) and restart it"
)
_UNREADABLE = frozenset(
    {
        Reason.PROTOCOL_ERROR,
        Reason.MANIFEST_DIGEST_MISMATCH,
        Reason.IMAGE_NOT_FOUND,  # a schema 1 manifest
    }
)


def remove_tag(action: Remove, registry: RegistryClient, cancellation: CancelScope) -> Removed:
    """Remove the image and prove that it is gone; nothing to remove is a success.

    Raises TransferError: ManifestShared, DeletionRefused or RemovalFailed, or why the registry
    could not be asked.
    """
    return _Removal(action, registry, cancellation).run()


@dataclass(slots=True)
class _Others:
    """What else there is in the repository."""

    needs: dict[Digest, str]
    """What is needed by what does not leave: each digest, and who needs it."""
    tags: dict[Digest, list[str]] = field(default_factory=dict)
    """Of the tags that leave or only pin: which name a digest."""


@dataclass(slots=True)
class _Removal:
    action: Remove
    registry: RegistryClient
    cancellation: CancelScope
    _read: int = 0

    def run(self) -> Removed:
        act = self.action
        named = self._tagged()
        if named is not None and act.named and named not in act.named:
            named = None  # the tag means another image by now
        known = [each for each in sorted(act.known - {named}, key=str) if self._has(each)]
        if named is None and not known:
            return Removed()
        others = self._others({*known, *([named] if named else [])})
        manifests, tags = self._drop(named, known, others)
        self._prove(named, manifests)
        return Removed(tuple(manifests), tuple(dict.fromkeys(tags)))

    def _drop(
        self, named: Digest | None, known: Iterable[Digest], others: _Others
    ) -> tuple[list[Digest], list[str]]:
        """The manifests and the tags that were removed."""
        manifests: list[Digest] = []
        tags: list[str] = []
        waiting = [each for each in (named, *known) if each is not None]
        seen = set(waiting)
        while waiting:
            digest = waiting.pop(0)
            if digest in others.needs:
                if digest == named:
                    self._untag(digest, others.needs[digest])
                    tags.append(self.action.tag)
                continue
            children = self._children(digest)
            self._delete(digest)
            manifests.append(digest)
            tags += [self.action.tag] if digest == named else []
            tags += others.tags.get(digest, ())
            waiting += [each for each in children if each not in seen and self._has(each)]
            seen.update(children)
        return manifests, tags

    # -- what others need ----------------------------------------------------------------

    def _others(self, mine: set[Digest]) -> _Others:
        """Read every tag that stays; raises where one cannot be read."""
        act = self.action
        others = _Others(dict.fromkeys(act.kept, "an image that is wanted"))
        pins = {pin_tag(each) for each in mine}
        for tag in self.registry.tags(act.repository, self.cancellation):
            if tag == act.tag or tag in pins:
                continue
            if tag in act.leaving:
                if (digest := self._tagged(tag)) is not None:
                    others.tags.setdefault(digest, []).append(tag)
                continue
            self._add(tag, others)
        return others

    def _add(self, tag: str, others: _Others) -> None:
        """What this tag needs: its manifest, and all below it where that is an index."""
        who = f"the tag {tag}"
        waiting: list[str | Digest] = [tag]
        while waiting:
            fetched = self._manifest(waiting.pop())
            if fetched is None:
                continue
            others.needs.setdefault(fetched.digest, who)
            if isinstance(fetched.parsed, Index):
                new = [e.descriptor for e in fetched.parsed.entries]
                waiting += [e.digest for e in new if _is_index(e.media_type)]
                for each in new:
                    others.needs.setdefault(each.digest, f"the index of {who}")

    def _manifest(self, reference: str | Digest) -> FetchedManifest | None:
        self._read += 1
        repository = self.action.repository
        if self._read > MOST_MANIFESTS:
            cause = f"{repository}: more than {MOST_MANIFESTS} manifests to look through"
            raise TransferError(Reason.REMOVAL_FAILED, cause)
        try:
            return self.registry.manifest(repository, reference, self.cancellation)
        except TransferError as exc:
            if exc.reason not in _UNREADABLE:
                raise
            cause = f"cannot tell what {repository} {reference} needs, so nothing is removed"
            raise TransferError(Reason.REMOVAL_FAILED, f"{cause}: {exc.message}") from exc

    def _children(self, digest: Digest) -> list[Digest]:
        """Of an index: what it alone needs has no other name, and goes with it."""
        try:
            fetched = self.registry.manifest(self.action.repository, digest, self.cancellation)
        except TransferError as exc:
            if exc.reason not in _UNREADABLE:
                raise
            return []  # damaged: it goes all the same
        if fetched is None or not isinstance(fetched.parsed, Index):
            return []
        return [each.descriptor.digest for each in fetched.parsed.entries]

    # -- calls ---------------------------------------------------------------------------

    def _tagged(self, tag: str | None = None) -> Digest | None:
        act = self.action
        return self.registry.tag_digest(act.repository, tag or act.tag, self.cancellation)

    def _has(self, digest: Digest) -> bool:
        return self.registry.has_manifest(self.action.repository, digest, self.cancellation)

    def _delete(self, digest: Digest) -> None:
        self.cancellation.raise_if_cancelled()  # somebody may want it by now
        try:
            self.registry.delete_manifest(self.action.repository, digest, self.cancellation)
        except TransferError as exc:
            if exc.reason is not Reason.DELETION_REFUSED:
                raise
            raise TransferError(exc.reason, f"{exc.message}; {HOW_TO_ALLOW}") from exc

    def _untag(self, digest: Digest, who: str) -> None:
        act = self.action
        self.cancellation.raise_if_cancelled()
        try:
            self.registry.delete_manifest(act.repository, act.tag, self.cancellation)
        except TransferError as exc:
            if exc.reason not in (Reason.DELETION_REFUSED, Reason.REMOVAL_FAILED):
                raise
            cause = (
                f"{act.repository}:{act.tag} stays: {who} needs the same manifest {digest}, and"
                f" this registry does not remove a tag alone ({exc.message})"
            )
            raise TransferError(Reason.MANIFEST_SHARED, cause) from exc
        if not self._has(digest):
            cause = f"the registry removed {act.repository}@{digest} with its tag {act.tag}"
            raise TransferError(Reason.REMOVAL_FAILED, f"{cause}, although {who} needs it")

    def _prove(self, named: Digest | None, manifests: Iterable[Digest]) -> None:
        act, now = self.action, self._tagged()
        at = f"{act.repository}:{act.tag}"
        if now is not None and now == named:
            cause = f"the registry reported {at} as removed, and still has it; will retry"
            raise TransferError(Reason.REMOVAL_FAILED, cause)
        if now is not None and named is not None:
            cause = f"somebody pushed {at} while it was removed; will retry"
            raise TransferError(Reason.REMOVAL_FAILED, cause)
        for digest in manifests:
            if self._has(digest):
                cause = f"the registry reported {act.repository}@{digest} as removed, and still"
                raise TransferError(Reason.REMOVAL_FAILED, f"{cause} has it; will retry")


def _is_index(media_type: str) -> bool:
    return "index" in media_type or "manifest.list" in media_type
