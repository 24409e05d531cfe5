"""Is it installed, does the operator work, and until when are its certificates good?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from cyroid_images.model.kinds.fields import Part
from cyroid_images.model.kinds.image_cache import ImageCacheSpec
from cyroid_images.model.kinds.range_images import RangeImagesSpec
from cyroid_images.model.kinds.status import ImageCacheStatus, RangeImagesStatus
from cyroid_images.overview.doctor.checks import Check, no, ok, some, unknown, warn
from cyroid_images.overview.doctor.facts import Certificate, Facts, NotSeen

KINDS = ("imagecaches", "rangeimages")
MODELS: Mapping[str, Mapping[str, type[Part]]] = {
    "ImageCache": {"spec": ImageCacheSpec, "status": ImageCacheStatus},
    "RangeImages": {"spec": RangeImagesSpec, "status": RangeImagesStatus},
}
APPLY = "kubectl apply --server-side -f crds/ (helm upgrade leaves them as they are)"
SOON = timedelta(days=30)
LEASE_DURATIONS = 3
"""Of the Lease without a renewal, after which nobody works."""


def installation(facts: Facts) -> Iterator[Check]:
    """In the order in which a fault of one explains the next."""
    yield _kinds(facts)
    yield _schemas(facts)
    yield _lease(facts)
    yield _deployment(facts)
    yield _certificates(facts)


def _kinds(facts: Facts) -> Check:
    check, found = "custom resources installed", facts.answer("kinds")
    if isinstance(found, NotSeen):
        return unknown(check, found)
    served = {str(each.get("name")) for each in (found or {}).get("resources") or ()}
    missing = [kind for kind in KINDS if kind not in served]
    if missing:
        return no(check, f"the API server serves no {some(missing)}", APPLY)
    return ok(check, "imagecaches, rangeimages of cyroid.io/v1alpha1")


def _schemas(facts: Facts) -> Check:
    """Fields that this version knows and the API server would drop without a word."""
    check, found = "custom resources fit this version", facts.answer("schemas")
    if isinstance(found, NotSeen):
        return unknown(check, found)
    if found is None:
        return unknown(check, "the API server describes no custom resource", APPLY)
    missing = sorted(_missing_fields(found))
    if missing:
        return no(check, f"they lack {some(missing)}: older than this tool", APPLY)
    return ok(check, f"every field of {facts.version}")


def _missing_fields(document: Mapping[str, Any]) -> Iterator[str]:
    schemas = ((document.get("components") or {}).get("schemas")) or {}
    for kind, parts in MODELS.items():
        schema: Mapping[str, Any] = next(
            (body for name, body in schemas.items() if name.endswith(f".{kind}")), {}
        )
        for part, model in parts.items():
            there = ((schema.get("properties") or {}).get(part) or {}).get("properties") or {}
            for name, about in model.model_fields.items():
                field = about.alias or name
                if field not in there:
                    yield f"{kind}.{part}.{field}"


def _lease(facts: Facts) -> Check:
    check, found = "operator active", facts.answer("lease")
    where = f"namespace {facts.namespace}"
    if isinstance(found, NotSeen):
        return unknown(check, found)
    if found is None:
        return no(
            check,
            f"no operator has ever run in {where}",
            "helm install cyroid-images, or name its namespace: --operator-namespace",
        )
    spec = found.get("spec") or {}
    holder = str(spec.get("holderIdentity") or "")
    renewed = _moment(spec.get("renewTime"))
    logs = f"kubectl logs -n {facts.namespace} deployment/cyroid-operator"
    if not holder:
        return no(check, f"nobody holds the Lease in {where}: it was stopped", logs)
    if renewed is None:
        return unknown(check, "the Lease does not say when it was renewed", logs)
    silent = facts.now - renewed
    limit = timedelta(seconds=LEASE_DURATIONS * int(spec.get("leaseDurationSeconds") or 35))
    if silent > limit:
        return no(check, f"{holder} has not renewed its Lease for {_length(silent)}", logs)
    since = _moment(spec.get("acquireTime"))
    told = f" since {_length(facts.now - since)}" if since and since != renewed else ""
    return ok(check, f"{holder}{told}, renewed {_length(silent)} ago")


def _deployment(facts: Facts) -> Check:
    check, found = "operator's version", facts.items("deployments")
    if isinstance(found, NotSeen):
        return unknown(check, found)
    if not found:
        return unknown(
            check,
            f"no Deployment of the chart in namespace {facts.namespace}",
            "name its namespace with --operator-namespace, if it was installed by the chart",
        )
    metadata, status = found[0].get("metadata") or {}, found[0].get("status") or {}
    version = str((metadata.get("labels") or {}).get("app.kubernetes.io/version") or "?")
    if not status.get("availableReplicas"):
        return no(
            check,
            f"{version}, and no pod of it is ready",
            f"kubectl describe pods -n {facts.namespace} -l app.kubernetes.io/component=operator",
        )
    if version != facts.version:
        todo = "use the same version of both, or one minor version apart"
        return warn(check, f"{version}, and this tool is {facts.version}", todo)
    return ok(check, version)


def _certificates(facts: Facts) -> Check:
    check = "certificates"
    known = [each for each in facts.certificates if isinstance(each, Certificate)]
    unseen = [each for each in facts.certificates if isinstance(each, NotSeen)]
    ending = sorted(known, key=lambda each: each.expires)
    todo = "renew it (cert-manager, or delete the Secret and run the bootstrap again)"
    if ending and ending[0].expires <= facts.now:
        first = ending[0]
        return no(check, f"{first.key} of Secret {first.secret} has expired", todo)
    if ending and ending[0].expires - facts.now < SOON:
        first, left = ending[0], ending[0].expires - facts.now
        return warn(check, f"{first.key} of Secret {first.secret} expires in {left.days} d", todo)
    if unseen:
        return unknown(check, unseen[0])
    if not ending:
        return unknown(check, "no certificate was found in a Secret", "nothing, where TLS is off")
    return ok(check, f"{len(known)}, the first expires in {(ending[0].expires - facts.now).days} d")


def _moment(text: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def _length(time: timedelta) -> str:
    seconds = max(0, round(time.total_seconds()))
    if seconds < 120:
        return f"{seconds} s"
    if seconds < 7200:
        return f"{seconds // 60} min"
    return f"{seconds // 3600} h" if seconds < 172_800 else f"{seconds // 86_400} d"
