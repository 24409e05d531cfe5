"""Is a status told as promised? The rules of both kinds, checked on a raw API object.

Whoever reads one of our objects in a test calls `assert_status_conforms`. It knows nothing
of how a status is made: it reads what a user would read. Bounds and words come from the
model, because the CRD is made from it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cyroid_images.errors import Mark, Reason
from cyroid_images.model.kinds.status import (
    DIGEST_BYTES,
    MOST_DIGESTS,
    MOST_FAILURES,
    MOST_IMAGE_STATUSES,
    MOST_MISSING,
    MOST_REMOVED,
    MOST_SOURCE_IMAGES,
    MOST_TAR_DELIVERIES,
    MOST_TARGETS,
    MOST_TRANSFERS,
    MOST_UNUSED,
)
from cyroid_images.model.text import CONDITION_MESSAGE, ROW_MESSAGE, clean_message
from tests.parts.condition_reasons import fits
from tests.parts.contradictions import contradictions

Object = Mapping[str, Any]

LARGEST = 256 * 1024
"""Bytes of a status as JSON, its digests aside, which have a bound of their own: together far
below the 1.5 MB that etcd takes for a whole object."""

_ALWAYS = {
    "RangeImages": ("Ready", "TargetsAvailable", "RegistryAvailable", "TarFallback"),
    "ImageCache": ("Ready", "RegistryAvailable", "SourceAvailable"),
}
_WHILE_TRUE = ("Reconciling", "Stalled")
_COMMON = {"observedGeneration", "lastHandledReconcileAt", "summary", "images", "conditions"}
_LISTS: dict[str, dict[str, tuple[str, int]]] = {
    "RangeImages": {
        "missing": ("missingOmitted", MOST_MISSING),
        "targetStatuses": ("targetsOmitted", MOST_TARGETS),
        "tarDeliveries": ("tarDeliveriesOmitted", MOST_TAR_DELIVERIES),
        "failures": ("failuresOmitted", MOST_FAILURES),
        "transfers": ("transfersOmitted", MOST_TRANSFERS),
    },
    "ImageCache": {
        "imageStatuses": ("imagesOmitted", MOST_IMAGE_STATUSES),
        "failures": ("failuresOmitted", MOST_FAILURES),
        "transfers": ("transfersOmitted", MOST_TRANSFERS),
        "sourceImages": ("sourceImagesOmitted", MOST_SOURCE_IMAGES),
        "removedImages": ("", MOST_REMOVED),
        "unusedImages": ("", MOST_UNUSED),
    },
}
_FURTHER = {
    "RangeImages": {"targets"},
    "ImageCache": {"storedBytes", "onDemand", "digests", "digestsOmitted", "collection"},
}
_PARTS = {"type", "status", "reason", "message", "observedGeneration", "lastTransitionTime"}
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)


def assert_status_conforms(obj: Object, before: Object | None = None) -> None:
    """Fail with every rule that the status of this object breaks.

    `before` is the object as it was one write earlier (or longer ago, if no condition has
    turned twice since): given that, moments are checked to move only with their status.
    """
    broken = violations(obj, before)
    name = f"{obj.get('kind')} {(obj.get('metadata') or {}).get('name')}"
    told = json.dumps(obj.get("status"), indent=1, default=str)[:8000]
    assert not broken, f"the status of {name} breaks:\n- " + "\n- ".join(broken) + f"\n{told}"


def violations(obj: Object, before: Object | None = None) -> list[str]:
    """Every rule that the status of this object breaks, as sentences."""
    kind = str(obj.get("kind"))
    if kind not in _ALWAYS:
        return [f"{kind!r} is not one of our kinds"]
    status = obj.get("status") or {}
    if not status.get("conditions"):  # nobody has looked yet: what the CRD says by default
        return [] if status in ({}, {"observedGeneration": -1}) else ["a status has no conditions"]
    broken = [*_conditions(kind, status), *_shape(kind, status)]
    if broken:
        return broken  # the rules below read what was just found to be there
    return [
        *_one_story(status),
        *contradictions(status),
        *_generations(obj, status),
        *_counts(kind, status),
        *_kstatus_agrees(obj),
        *(_turns(_by_type(before), _by_type(obj)) if before else ()),
    ]


def kstatus(obj: Object) -> str:
    """What kstatus says of a custom resource, and so `helm --wait`, Flux and Argo CD.

    A port of the generic rules of kubernetes-sigs/cli-utils (pkg/kstatus/status).
    """
    metadata, status = obj["metadata"], obj.get("status") or {}
    if metadata.get("deletionTimestamp"):
        return "Terminating"
    observed = status.get("observedGeneration")
    if observed is not None and observed != metadata["generation"]:
        return "InProgress"
    told = {each["type"]: each["status"] for each in status.get("conditions") or ()}
    if told.get("Reconciling") == "True":
        return "InProgress"
    if told.get("Stalled") == "True":
        return "Failed"
    return "Current" if told.get("Ready", "True") == "True" else "InProgress"


def _conditions(kind: str, status: Object) -> Iterator[str]:
    """Each type of the kind once, complete, with a reason that fits."""
    types = [each.get("type") for each in status["conditions"]]
    for name in _ALWAYS[kind]:
        if name not in types:
            yield f"the condition {name} is missing"
    for name in sorted({str(name) for name in types}):
        if types.count(name) > 1:
            yield f"the condition {name} stands there twice"
        if name not in (*_ALWAYS[kind], *_WHILE_TRUE):
            yield f"{kind} has no condition {name}"
    for each in status["conditions"]:
        yield from _condition(kind, each)


def _condition(kind: str, each: Object) -> Iterator[str]:
    name = each.get("type")
    if set(each) != _PARTS or any(each[part] in ("", None) for part in _PARTS):
        yield f"{name} is not complete, or says more than a condition does"
        return
    if each["status"] not in ("True", "False", "Unknown"):
        yield f"{name} has the status {each['status']!r}"
    elif each["reason"] not in set(Reason):
        yield f"{name} has the reason {each['reason']!r}, which is not in the list"
    elif not fits(kind, str(name), each["status"], Reason(each["reason"])):
        yield f"{name}={each['status']} does not go with the reason {each['reason']}"
    if not _MOMENT.fullmatch(each["lastTransitionTime"]):
        yield f"{name} turned at {each['lastTransitionTime']!r}: not RFC 3339, UTC, whole seconds"
    yield from _message(f"condition {name}", each["message"], CONDITION_MESSAGE)


def _one_story(status: Object) -> Iterator[str]:
    told = {each["type"]: each for each in status["conditions"]}
    abnormal = [name for name in _WHILE_TRUE if name in told]
    ready = told["Ready"]
    if len(abnormal) > 1:
        yield "Reconciling and Stalled stand beside one another"
    if ready["status"] == "True" and abnormal:
        yield f"Ready is True beside {abnormal[0]}"
    is_suspended = ready["reason"] == Reason.SUSPENDED
    if ready["status"] != "True" and bool(abnormal) == is_suspended:
        yield f"Ready={ready['status']}/{ready['reason']} beside {abnormal or 'neither'}"


def _generations(obj: Object, status: Object) -> Iterator[str]:
    """The pass read one generation; the top-level field follows when that is settled."""
    generation = obj["metadata"]["generation"]
    told = {each["type"]: each for each in status["conditions"]}
    read = {each["observedGeneration"] for each in status["conditions"]}
    top = status["observedGeneration"]
    if len(read) > 1:
        yield f"the conditions are of several generations: {sorted(read)}"
    if max(read) > generation:
        yield f"a condition is of generation {max(read)}, the object of {generation}"
    if top > max(read):
        yield f"observedGeneration {top} is above that of the conditions, {max(read)}"
    ready = told["Ready"]
    is_settled = (
        ready["status"] == "True" or "Stalled" in told or ready["reason"] == Reason.SUSPENDED
    )
    if is_settled and top != ready["observedGeneration"]:
        yield f"settled, but observedGeneration is {top}, not {ready['observedGeneration']}"


def _shape(kind: str, status: Object) -> Iterator[str]:
    """Known fields only, lists and messages in bounds, counters where something is left out."""
    lists = _LISTS[kind]
    counters = {counter for counter, _ in lists.values()}
    for field in sorted(set(status) - _COMMON - _FURTHER[kind] - set(lists) - counters):
        yield f"{kind} has no field status.{field}"
    for field in sorted({"observedGeneration", "summary", "images"} - set(status)):
        yield f"status.{field} is missing"
    for field, (counter, most) in lists.items():
        yield from _list(status, field, counter, most)
    digests = status.get("digests", {})
    size = len(json.dumps({**status, "digests": {}}, default=str))
    if size > LARGEST:
        yield f"the status has {size} bytes"
    if len(digests) > MOST_DIGESTS or len(json.dumps(digests, ensure_ascii=False)) > DIGEST_BYTES:
        yield f"the status has {len(digests)} digests, more than fit"


def _list(status: Object, field: str, counter: str, most: int) -> Iterator[str]:
    rows, omitted = status.get(field, ()), status.get(counter, 0)
    if len(rows) > most:
        yield f"{field} has {len(rows)} rows, more than {most}"
    if counter in status and omitted < 1:
        yield f"{counter} stands there as {omitted}"
    if omitted and len(rows) != most:
        yield f"{counter} is {omitted}, but {field} has only {len(rows)} rows"
    for row in rows:
        yield from _row(field, row)
    uids = [row["uid"] for row in rows if field == "targetStatuses"]
    if len(set(uids)) < len(uids):
        yield "two rows of targetStatuses have one uid"


def _row(field: str, row: Object) -> Iterator[str]:
    reason = row.get("reason")
    if reason is not None and reason not in set(Reason):
        yield f"a row of {field} has the reason {reason!r}, which is not in the list"
        return
    if field in ("targetStatuses", "imageStatuses", "missing") and (reason is None) != (
        "message" not in row
    ):
        yield f"a row of {field} has a reason without a message, or the other way round"
    if "message" in row:
        yield from _message(f"a row of {field}", row["message"], ROW_MESSAGE)
    for moment in ("time", "nextAttemptTime"):
        if moment in row and not _MOMENT.fullmatch(row[moment]):
            yield f"{moment} in {field} is {row[moment]!r}: not RFC 3339, UTC, whole seconds"
    if field == "failures":
        is_terminal = reason is not None and Reason(reason).mark is Mark.TERMINAL
        if is_terminal == ("nextAttemptTime" in row):
            yield f"a failure with {reason} has {'a' if is_terminal else 'no'} nextAttemptTime"


def _message(where: str, text: str, most: int) -> Iterator[str]:
    if not text:
        yield f"the message of {where} is empty"
    if len(text) > most:
        yield f"the message of {where} has {len(text)} characters, more than {most}"
    elif clean_message(text, most) != text:
        yield f"the message of {where} is not one clean line: {text[:80]!a}"


def _counts(kind: str, status: Object) -> Iterator[str]:
    """What is counted adds up with what is listed."""
    images, is_range = status["images"], kind == "RangeImages"
    there = images["present" if is_range else "cached"]
    is_ready = any(
        each["type"] == "Ready" and each["status"] == "True" for each in status["conditions"]
    )
    totals = {
        field: len(status.get(field, ())) + status.get(counter, 0)
        for field, (counter, _) in _LISTS[kind].items()
    }
    absent = images["desired"] - there
    yield from _differs("summary.images", status["summary"].get("images"), there, images["desired"])
    if absent < 0:
        yield f"{there} images are there, and {images['desired']} are wanted"
    elif images["failed"] > absent:
        yield f"images.failed is {images['failed']}, and {absent} images are missing"
    if is_ready and absent:
        yield f"Ready is True with {there} of {images['desired']}"
    if is_range:
        yield from _target_counts(status, totals, is_ready=is_ready)
    else:
        yield from _cache_counts(status, totals["imageStatuses"], is_ready=is_ready)


def _cache_counts(status: Object, rows: int, *, is_ready: bool) -> Iterator[str]:
    images, ranges = status["images"], status.get("onDemand") or {}
    wanted, cached = ranges.get("wanted", 0), ranges.get("cached", 0)
    if cached + ranges.get("missing", 0) != wanted:
        yield f"onDemand does not add up: {ranges}"
    if rows != images["desired"] + wanted and (rows or is_ready):
        yield f"{rows} rows of images, and {images['desired'] + wanted} are wanted"
    listed = sum("onDemand" not in row for row in status.get("imageStatuses", ()))
    if listed > images["desired"] or (
        "imagesOmitted" not in status and rows and listed < images["desired"]
    ):
        yield f"{listed} rows of listed images, and {images['desired']} are listed"


def _target_counts(status: Object, totals: Mapping[str, int], *, is_ready: bool) -> Iterator[str]:
    targets, images = status["targets"], status["images"]
    via_tar, absent = images["viaTar"], images["desired"] - images["present"]
    if totals["missing"] != (absent if targets["matched"] else 0):
        yield f"{totals['missing']} rows of missing images, and {absent} are missing"
    if totals["failures"] and not images["failed"]:
        yield f"images.failed is 0 beside {totals['failures']} failures"
    for row in status.get("missing", ()):
        if not 0 < row["pods"] <= targets["matched"]:
            yield f"{row['image']} is missing in {row['pods']} of {targets['matched']} targets"
    yield from _differs(
        "summary.targets", status["summary"].get("targets"), targets["ready"], targets["matched"]
    )
    if totals["targetStatuses"] != targets["matched"]:
        yield f"{totals['targetStatuses']} rows of targets, and {targets['matched']} match"
    if is_ready and not 0 < targets["matched"] == targets["ready"]:
        yield f"Ready is True with {targets['ready']} of {targets['matched']} targets"
    if via_tar > totals["tarDeliveries"]:
        yield f"images.viaTar is {via_tar} beside {totals['tarDeliveries']} tarDeliveries"
    if via_tar == 0 and any(
        each["type"] == "TarFallback" and each["status"] == "True" for each in status["conditions"]
    ):
        yield "TarFallback is True, and images.viaTar is 0"


def _differs(field: str, shown: object, part: int, whole: int) -> Iterator[str]:
    if shown is None and whole == 0:
        return  # an object that cannot even be read: nobody knows what it wants
    if shown != f"{part}/{whole}":
        yield f"{field} shows {shown!r}, and the counts say {part}/{whole}"


def _kstatus_agrees(obj: Object) -> Iterator[str]:
    """Only a Ready of this very generation may look done to the tools."""
    told = {each["type"]: each for each in obj["status"]["conditions"]}
    is_current = told["Ready"]["observedGeneration"] == obj["metadata"]["generation"]
    is_done = is_current and told["Ready"]["status"] == "True"
    if (kstatus(obj) == "Current") != is_done and not obj["metadata"].get("deletionTimestamp"):
        yield f"kstatus says {kstatus(obj)} beside Ready={told['Ready']['status']}"


def _turns(before: Mapping[str, Object], after: Mapping[str, Object]) -> Iterator[str]:
    """lastTransitionTime moves with status, only with status, and never back."""
    for name in sorted(before.keys() & after.keys()):
        old, new = before[name], after[name]
        is_same = old["status"] == new["status"]
        moved_to = new["lastTransitionTime"]
        if is_same and moved_to != old["lastTransitionTime"]:
            yield f"lastTransitionTime of {name} moved, its status {new['status']} did not"
        elif moved_to < old["lastTransitionTime"]:
            yield f"lastTransitionTime of {name} went back"


def _by_type(obj: Object) -> Mapping[str, Object]:
    listed: Iterable[Object] = (obj.get("status") or {}).get("conditions") or ()
    return {each["type"]: each for each in listed}
