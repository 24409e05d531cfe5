"""Into a range engine as a tar, whatever the tar is made of; no file, a chunk in memory.

From a source engine `save` is the body of `load`; from a registry or an archive the tar is
built on the way (`tar_sources`). Either way the image arrives under a transport name that
no person uses. So the tar cannot bring along other names of the image, a failed load leaves
no name that looks right (a containerd store keeps the name of a load that failed), and the
wanted name appears only after the proof. An image that the engine has under another name is
given the wanted one, and no byte moves.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace

from cyroid_images.archive import watched
from cyroid_images.archive.hybrid import HybridTar, hybrid
from cyroid_images.engine import Engine
from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.actions import Load
from cyroid_images.model.engine import EngineView, FoundImages
from cyroid_images.model.images.image import EngineImage
from cyroid_images.model.images.reference import Reference
from cyroid_images.model.knowledge import HeldByEngine
from cyroid_images.model.telemetry.milestones import Milestone
from cyroid_images.model.telemetry.progress import Progress, ProgressObserver, furthest
from cyroid_images.transfer.proof import confirm_identity, prove, prove_delivered
from cyroid_images.transfer.supervision import Supervision
from cyroid_images.transfer.tar_sources import ArchiveReader, TarParts, taken_apart
from cyroid_images.transfer.target_layers import without_present
from cyroid_images.transfer.transport_names import carrying, dropping, give_name, new_name

_log = logging.getLogger(__name__)


def load(action: Load, target: Engine, under: Supervision, archives: ArchiveReader) -> FoundImages:
    """Bring the image into the target, prove it, give it the wanted name. May be repeated.

    Returns what stands under the names that it touched. Raises TransferError with the reason
    of whichever side failed.
    """
    confirm_identity(target, action.target, action.info)
    view = target.view(action.info, {}, under.cancellation)
    wanted = action.wish.reference.tagged
    here = next((image for image in view.listed if image.holds(action.content)), None)
    name = new_name(action.source.id)
    if here is not None:
        give_name(target, here.id, wanted)
        _say(action, "was there under another name", Milestone.TAGGED)
        return prove_delivered(target, action.info, wanted, here, name)
    watching = replace(under, observer=_forwards(under.observer, _estimate(action)))
    loading = _Loading(action, target, watching, view, name)
    with dropping(target, name):
        proven = loading.bring(archives)
        give_name(target, proven.id, wanted)
        _say(action, "has its name", Milestone.TAGGED)
    _say(action, "transport name dropped", Milestone.TIDIED)
    return prove_delivered(target, action.info, wanted, proven, name)


@dataclass(frozen=True, slots=True)
class _Loading:
    """One load: what is asked and of whom, what the target held before, the name in transit."""

    action: Load
    target: Engine
    under: Supervision
    view: EngineView
    name: Reference

    def bring(self, archives: ArchiveReader) -> EngineImage:
        """Load it under the transport name; the image as the target has it, proven."""
        match self.action.source:
            case HeldByEngine() as held:
                return self._pass_on(held)
            case held:
                with taken_apart(held, self.name, archives, self.under) as parts:
                    self._refuse_unreadable(parts.plan)
                    return self._build(parts)

    def _pass_on(self, held: HeldByEngine) -> EngineImage:
        """The tar of a source engine, as it comes; its length is not known before."""
        under = self.under
        source = Engine(held.endpoint, on_request=under.on_requests.engines)
        with (
            carrying(source, held.id, self.name),
            source.save(
                self.name,
                limits=under.limits,
                cancellation=under.cancellation,
                platform=held.content.platform if held.info.saves_by_platform else None,
            ) as tar,
        ):
            self._send(watched(tar))
        return self._prove()

    def _build(self, parts: TarParts) -> EngineImage:
        """Without the layers that the target has; if it proves to lack one, with all."""
        lean = without_present(parts.plan, self.view, parts.look_up)
        try:
            return self._send_parts(lean, parts)
        except TransferError as exc:
            if lean == parts.plan or exc.reason is not Reason.LOAD_FAILED:
                raise
        return self._send_parts(parts.plan, parts)

    def _send_parts(self, plan: HybridTar, parts: TarParts) -> EngineImage:
        with contextlib.closing(parts.read(plan.blobs.values())) as blobs:
            self._send(hybrid(plan, blobs), plan.length)
        return self._prove()

    def _send(self, tar: Iterator[bytes], length: int | None = None) -> None:
        _say(self.action, "load begins", Milestone.LOAD_STARTED)
        self.target.load(
            tar,
            self.under.observer,
            limits=self.under.limits,
            cancellation=self.under.cancellation,
            length=length,
        )
        _say(self.action, "loaded", Milestone.LOADED)

    def _prove(self) -> EngineImage:
        self.under.cancellation.raise_if_cancelled()
        image = prove(self.target, self.action.info, self.name, self.action.content)
        _say(self.action, "proven", Milestone.PROVEN)
        return image

    def _refuse_unreadable(self, plan: HybridTar) -> None:
        """An old engine would only report an invalid tar of a layer."""
        zstd = [layer for layer in plan.layers if "zstd" in layer.blob.media_type]
        if zstd and not self.action.info.reads_zstd:
            raise TransferError(
                Reason.COMPRESSION_UNSUPPORTED,
                f"{self.action.wish}: Docker {self.action.info.version} cannot read Zstd"
                f" layers, and {self.action.source.source} has {len(zstd)} of them: set"
                " spec.registry.compression: Gzip in the cache",
            )


def _say(action: Load, what: str, step: Milestone) -> None:
    _log.info("%s into %s by tar: %s", action.wish, action.target.pod, what, extra={"step": step})


def _estimate(action: Load) -> int | None:
    """Bytes of a tar whose length nobody tells before."""
    return action.source.size or None if isinstance(action.source, HeldByEngine) else None


def _forwards(observer: ProgressObserver, estimate: int | None) -> ProgressObserver:
    """Tells an estimate as the total where none is known; never less done than before.

    A second load of the same image goes on where the first one was, not from zero.
    """
    told: Progress | None = None

    def tell(progress: Progress) -> None:
        nonlocal told
        told = furthest(told, Progress(progress.done, progress.total or estimate))
        observer(told)

    return tell
