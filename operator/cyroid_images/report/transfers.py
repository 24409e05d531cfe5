"""One line and one count of each transfer that had begun and is over."""

from __future__ import annotations

import logging
import time

from cyroid_images.execute.transfer import Ended, Job
from cyroid_images.model.telemetry.measured import Transferred
from cyroid_images.model.telemetry.measures import Measures, way_of
from cyroid_images.report.audit import tell_ended

_log = logging.getLogger(__name__)


def tell_transfer(measures: Measures, job: Job, ended: Ended | None) -> None:
    """`ended`: None where it was cancelled."""
    action = job.transfer.action
    way = way_of(action, ended.result if ended else None)
    fault = ended.fault if ended else None
    if way is None:
        if fault is not None:
            what = type(action).__name__
            _log.warning("%s failed: %s: %s", what, fault.reason, fault.message)
        return
    told = Transferred(
        id=job.id,
        way=way,
        seconds=time.monotonic() - job.started,
        done=job.progress.done if job.progress else 0,
        reason=fault.reason if fault else None,
        is_cut=ended is None,
    )
    tell_ended(action, told, fault.message if fault else "")
    measures.transferred(told)
