"""Do the engines of ranges answer, trust the registry, and may their namespaces use it?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from cyroid_images.errors import Reason
from cyroid_images.model.kinds.conditions import ConditionStatus, ConditionType
from cyroid_images.model.kinds.range_images import RangeImages
from cyroid_images.model.pod import Pod
from cyroid_images.overview.doctor.checks import Check, no, ok, some, unknown, warn
from cyroid_images.overview.doctor.facts import Facts, NotSeen

TRUST = (
    "mount the ConfigMap cyroid-range-engine as /etc/docker/daemon.json (insecure-registries), or"
    " the CA as /etc/docker/certs.d/HOST:PORT/ca.crt"
)
ENGINE_REASONS = frozenset(
    {
        Reason.ENGINE_UNREACHABLE,
        Reason.ENGINE_TOO_OLD,
        Reason.ENGINE_TOO_NEW,
        Reason.TLS_REJECTED,
        Reason.TARGET_IDENTITY_MISMATCH,
        Reason.INSUFFICIENT_STORAGE,
        Reason.WAITING_FOR_ENGINE,
    }
)


def ranges(facts: Facts) -> Iterator[Check]:
    """What the statuses of the ranges say together."""
    found = facts.ranges
    if found is None or isinstance(found, NotSeen):
        missing = found if isinstance(found, NotSeen) else "the kind is not installed"
        yield unknown("ranges", missing)
        return
    yield _ready(found)
    yield _trust(found)
    yield _engines(found)
    yield _targets(found)
    yield _allowed(facts, found)
    yield _labelled(facts, found)
    yield _gates(facts, found)
    yield from _stalled(found)


def _ready(found: Sequence[RangeImages]) -> Check:
    check = "ranges ready"
    if not found:
        return ok(check, "there are none yet")
    ready = sum(_says(item, ConditionType.READY) == ConditionStatus.TRUE for item in found)
    told = f"{ready} of {len(found)}"
    if ready == len(found):
        return ok(check, told)
    return warn(check, told, "kubectl cyroid status -A shows what is missing")


def _trust(found: Sequence[RangeImages]) -> Check:
    check = "range engines trust the registry"
    wrong = _with_reason(found, {Reason.REGISTRY_NOT_TRUSTED})
    if wrong:
        return no(check, f"{len(wrong)} of {len(found)} do not: {some(list(wrong))}", TRUST)
    blind = [_name(item) for item in found if not item.status.targets.matched]
    if found and len(blind) == len(found):
        return unknown(check, "no range has an engine yet")
    return ok(check, f"{len(found) - len(blind)} of {len(found)} ranges, as far as they pulled")


def _engines(found: Sequence[RangeImages]) -> Check:
    check = "range engines answer"
    wrong = _with_reason(found, ENGINE_REASONS)
    if not wrong:
        return ok(check, "no range says otherwise")
    first = next(iter(wrong.items()))
    return no(
        check,
        f"{len(wrong)} of {len(found)} do not: {some(list(wrong))} ({first[1]})",
        "port, certificates and serverName of spec.targets.docker; network policy",
    )


def _targets(found: Sequence[RangeImages]) -> Check:
    check = "ranges have engines"
    none = [_name(item) for item in found if _reason(item) is Reason.NO_TARGETS]
    if none:
        return warn(
            check,
            f"no pod matches: {some(none)}",
            "the pod needs the labels of spec.targets.selector and cyroid.io/component=dind",
        )
    return ok(check, f"{len(found)}")


def _allowed(facts: Facts, found: Sequence[RangeImages]) -> Check:
    """By the labels of namespaces where they may be read, else by what the operator found."""
    check = "namespaces may use their cache"
    told = _with_reason(found, {Reason.NAMESPACE_NOT_ALLOWED})
    todo = "kubectl label namespace NAME cyroid.io/ranges=true (spec.allowedNamespaces)"
    labels, caches = _labels(facts), facts.caches
    if isinstance(labels, NotSeen) or isinstance(caches, NotSeen) or caches is None:
        if told:
            return no(check, f"refused: {some(list(told))}", todo)
        why = labels if isinstance(labels, NotSeen) else caches
        return unknown(check, why if isinstance(why, NotSeen) else "there is no ImageCache")
    by_name = {cache.metadata.name: cache.spec.allowed_namespaces for cache in caches}
    wrong = []
    for item in found:
        selector = by_name.get(item.cache_name)
        own = labels.get(item.metadata.namespace or "")
        if selector is not None and own is not None and not selector.matches(own):
            wrong.append(_name(item))
    if wrong:
        return no(check, f"not allowed: {some(wrong)}", todo)
    return ok(check, f"{len({item.metadata.namespace for item in found})}")


def _labelled(facts: Facts, found: Sequence[RangeImages]) -> Check:
    """A NetworkPolicy lets namespaces through by their labels."""
    check = "network policies let ranges pull"
    policies, labels = facts.items("policies"), _labels(facts)
    if isinstance(policies, NotSeen):
        return unknown(check, policies)
    wanted = [each for each in (_selects(policy) for policy in policies) if each]
    if not wanted:
        return ok(check, f"none restricts it in namespace {facts.namespace}")
    if isinstance(labels, NotSeen):
        return unknown(check, labels)
    names = sorted({item.metadata.namespace or "" for item in found})
    shut = [
        name
        for name in names
        if not any(_matches(labels.get(name, {}), each) for rule in wanted for each in rule)
    ]
    if shut:
        some_label = ",".join(f"{key}={value}" for key, value in wanted[0][0].items())
        return no(
            check,
            f"not let through: {some(shut)}",
            f"kubectl label namespace {shut[0]} {some_label}",
        )
    return ok(check, f"{len(names)} namespaces are let through")


def _selects(policy: Mapping[str, Any]) -> list[Mapping[str, str]]:
    """The namespace labels by which the registry's policy lets pods in; none for another one."""
    spec = policy.get("spec") or {}
    chosen = (spec.get("podSelector") or {}).get("matchLabels") or {}
    if chosen.get("app.kubernetes.io/component") != "registry":
        return []
    peers = [peer for rule in spec.get("ingress") or () for peer in rule.get("from") or ()]
    selectors = [peer.get("namespaceSelector") for peer in peers]
    return [each.get("matchLabels") or {} for each in selectors if each]


def _gates(facts: Facts, found: Sequence[RangeImages]) -> Check:
    check, pods = "readiness gates", facts.items("pods")
    if isinstance(pods, NotSeen):
        return unknown(check, pods)
    here = {item.metadata.namespace for item in found}
    waiting = [pod for pod in map(_pod, pods) if pod is not None and pod.waits_for_images]
    shut = [
        f"{pod.namespace}/{pod.name}"
        for pod in waiting
        if pod.namespace in here and pod.gate is None and pod.running
    ]
    if shut:
        return no(
            check,
            f"never answered: {some(shut)}",
            "does a RangeImages select the pod, and may the operator patch pods/status?",
        )
    return ok(check, f"{len(waiting)} of {len(pods)} engine pods wait for cyroid.io/images-ready")


def _stalled(found: Sequence[RangeImages]) -> Iterator[Check]:
    """Each range that only somebody can help, at most twenty."""
    stalled = [item for item in found if _says(item, ConditionType.STALLED)]
    for item in stalled[:20]:
        condition = item.status.condition(ConditionType.STALLED)
        if condition is not None:
            yield no(
                f"range {_name(item)}",
                f"{condition.reason}: {condition.message}",
                f"kubectl cyroid status {_name(item)}",
            )
    if len(stalled) > 20:
        yield no("more ranges", f"{len(stalled) - 20} more are stalled", "kubectl cyroid status -A")


def _with_reason(found: Iterable[RangeImages], reasons: Iterable[Reason]) -> dict[str, str]:
    """The ranges whose status names one of these reasons anywhere, with its message."""
    wanted = frozenset(reasons)
    told: dict[str, str] = {}
    for item in found:
        first = next((text for reason, text in _told(item) if reason in wanted), None)
        if first is not None:
            told[_name(item)] = first
    return told


def _told(item: RangeImages) -> Iterator[tuple[Reason | None, str]]:
    """Every reason of a status that holds now, with its message."""
    status = item.status
    for each in status.conditions:
        if each.type is not ConditionType.TAR_FALLBACK or each.status == ConditionStatus.TRUE:
            yield each.reason, f"{each.reason}: {each.message}"
    for target in status.target_statuses:
        yield target.reason, f"{target.reason}: {target.message}"
    for missing in status.missing:
        yield missing.reason, f"{missing.reason}: {missing.message}"
    for failure in status.failures:
        yield failure.reason, f"{failure.reason}: {failure.message}"


def _labels(facts: Facts) -> dict[str, Mapping[str, str]] | NotSeen:
    found = facts.items("namespaces")
    if isinstance(found, NotSeen):
        return found
    metadata = [each.get("metadata") or {} for each in found]
    return {str(each.get("name")): each.get("labels") or {} for each in metadata}


def _matches(labels: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    return all(labels.get(key) == value for key, value in wanted.items())


def _pod(body: Mapping[str, Any]) -> Pod | None:
    try:
        return Pod.parse(body)
    except (KeyError, TypeError):
        return None


def _says(item: RangeImages, kind: ConditionType) -> ConditionStatus | None:
    found = item.status.condition(kind)
    return None if found is None else found.status


def _reason(item: RangeImages) -> Reason | None:
    found = item.status.condition(ConditionType.READY)
    return None if found is None else found.reason


def _name(item: RangeImages) -> str:
    return f"{item.metadata.namespace}/{item.metadata.name}"
