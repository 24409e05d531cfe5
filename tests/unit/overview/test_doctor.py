"""The doctor: what makes a row ok, a warning, a fault, and unknown."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cyroid_images.model.kinds.image_cache import ImageCacheSpec
from cyroid_images.model.kinds.range_images import RangeImagesSpec
from cyroid_images.model.kinds.status import ImageCacheStatus, RangeImagesStatus
from cyroid_images.overview.doctor.checks import Check, CheckResult, some
from cyroid_images.overview.doctor.examination import examine, is_well
from cyroid_images.overview.doctor.facts import Certificate, Facts, NotSeen, looks, secrets_of
from tests.unit.overview.bodies import NOT_READY, READY, a_cache, a_condition, a_range, told

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
OK, WARN, NO, UNKNOWN = CheckResult
DENIED = NotSeen("you may not", "list things", is_denied=True)
AVAILABLE = [a_condition(k, "True", "Available") for k in ("RegistryAvailable", "SourceAvailable")]
TLS = {"registry": {"pushURL": "https://r.c:5001", "pullHost": "r.c:5000"}}


def schema(*parts: tuple[str, Any]) -> dict[str, Any]:
    """As the API server describes a kind with every field of these models."""
    described: dict[str, Any] = {}
    for part, model in parts:
        names = (field.alias or name for name, field in model.model_fields.items())
        described[part] = {"properties": {name: {} for name in names}}
    return {"properties": described}


SCHEMAS = {
    "components": {
        "schemas": {
            "io.cyroid.v1alpha1.ImageCache": schema(
                ("spec", ImageCacheSpec), ("status", ImageCacheStatus)
            ),
            "io.cyroid.v1alpha1.RangeImages": schema(
                ("spec", RangeImagesSpec), ("status", RangeImagesStatus)
            ),
        }
    }
}
KINDS = {"resources": [{"name": "imagecaches"}, {"name": "rangeimages"}, {"name": "x/status"}]}
RENEWED = {
    "spec": {
        "holderIdentity": "pod-1",
        "leaseDurationSeconds": 35,
        "renewTime": "2026-05-01T11:59:50.000000Z",
        "acquireTime": "2026-05-01T10:00:00.000000Z",
    }
}
DEPLOYED = {
    "metadata": {"labels": {"app.kubernetes.io/version": "1.0"}},
    "status": {"availableReplicas": 1},
}
GOOD: dict[str, Any] = {
    "kinds": KINDS,
    "schemas": SCHEMAS,
    "lease": RENEWED,
    "deployments": {"items": [DEPLOYED]},
    "policies": {"items": []},
    "namespaces": {"items": [{"metadata": {"name": "n", "labels": {"a": "b"}}}]},
    "pods": {"items": []},
}
SOUND = Facts(
    now=NOW,
    version="1.0",
    namespace="cyroid",
    caches=[a_cache({"conditions": AVAILABLE}, **TLS)],
    ranges=[a_range("a", told(READY))],
    certificates=[Certificate("s", "tls.crt", NOW + timedelta(days=83))],
    answers=GOOD,
)


def row(check: str, facts: Facts) -> Check:
    """The row of that name; of several the first."""
    return next(each for each in examine(facts) if each.check.startswith(check))


def answering(**answers: Any) -> Facts:
    return replace(SOUND, answers={**GOOD, **answers})


def test_a_sound_installation_has_only_the_disk_unknown() -> None:
    rows = examine(SOUND)
    assert {each.check: each.result for each in rows if each.result is not OK} == {
        "registry disk (cache default)": UNKNOWN
    }
    assert is_well(rows)
    assert all(each.what for each in rows)


def test_what_may_not_be_read_is_unknown_with_its_right_and_never_ok() -> None:
    blind = replace(
        SOUND,
        caches=DENIED,
        ranges=DENIED,
        certificates=[DENIED],
        answers=dict.fromkeys(GOOD, DENIED),
    )
    rows = examine(blind)
    assert {each.result for each in rows} == {UNKNOWN}
    assert all("list things" in each.todo for each in rows)
    never = examine(replace(blind, answers={}))
    assert {each.result for each in never} == {UNKNOWN}


@pytest.mark.parametrize("name", [look.name for look in looks("cyroid")])
def test_each_look_is_of_use_to_some_row(name: str) -> None:
    before = {each.check: each for each in examine(SOUND)}
    after = {each.check: each for each in examine(answering(**{name: DENIED}))}
    assert before != after


def test_a_kind_that_is_not_served_and_one_that_lacks_fields_are_faults() -> None:
    assert row("custom resources installed", answering(kinds=None)).result is NO
    old = {"components": {"schemas": {"io.cyroid.v1alpha1.ImageCache": schema()}}}
    found = row("custom resources fit", answering(schemas=old))
    assert (found.result, "ImageCache.spec.aliases" in found.what) == (NO, True)
    assert row("custom resources fit", answering(schemas=None)).result is UNKNOWN


@pytest.mark.parametrize(
    ("lease", "result", "word"),
    [
        (RENEWED, OK, "pod-1 since 2 h, renewed 10 s ago"),
        (None, NO, "no operator has ever run"),
        ({"spec": {**RENEWED["spec"], "holderIdentity": ""}}, NO, "nobody holds"),
        ({"spec": {**RENEWED["spec"], "renewTime": "2026-05-01T11:57:00Z"}}, NO, "for 3 min"),
        ({"spec": {"holderIdentity": "pod-1"}}, UNKNOWN, "does not say"),
        ({"spec": {**RENEWED["spec"], "renewTime": "nonsense"}}, UNKNOWN, "does not say"),
    ],
)
def test_the_lease_tells_whether_the_operator_works(
    lease: Any, result: CheckResult, word: str
) -> None:
    found = row("operator active", answering(lease=lease))
    assert found.result is result
    assert word in found.what


@pytest.mark.parametrize(
    ("change", "result"),
    [
        ({}, OK),
        ({"status": {}}, NO),
        ({"metadata": {"labels": {"app.kubernetes.io/version": "2.0"}}}, WARN),
        ({"metadata": {}}, WARN),
    ],
)
def test_the_deployment_tells_its_version(change: dict[str, Any], result: CheckResult) -> None:
    found = row("operator's version", answering(deployments={"items": [{**DEPLOYED, **change}]}))
    assert found.result is result
    assert row("operator's version", answering(deployments={"items": []})).result is UNKNOWN


@pytest.mark.parametrize(
    ("days", "more", "result"),
    [
        (83, (), OK),
        (29, (), WARN),
        (-1, (), NO),
        (83, (DENIED,), UNKNOWN),
        (-1, (DENIED,), NO),
        (None, (), UNKNOWN),
    ],
)
def test_certificates_are_judged_by_the_first_that_ends(
    days: int | None, more: tuple[NotSeen, ...], result: CheckResult
) -> None:
    late = Certificate("t", "ca.crt", NOW + timedelta(days=900))
    ends = [] if days is None else [Certificate("s", "tls.crt", NOW + timedelta(days=days)), late]
    found = row("certificates", replace(SOUND, certificates=[*more, *ends]))
    assert found.result is result


def with_cache(status: dict[str, Any], **spec: Any) -> Facts:
    return replace(SOUND, caches=[a_cache(status, **{**TLS, **spec})])


@pytest.mark.parametrize(
    ("status", "result"),
    [("True", OK), ("False", NO), ("Unknown", UNKNOWN)],
)
def test_a_registry_answers_as_its_condition_says(status: str, result: CheckResult) -> None:
    told_so = a_condition("RegistryAvailable", status, "RegistryUnreachable", "refused")
    assert row("registry answers", with_cache({"conditions": [told_so]})).result is result
    assert row("registry answers", with_cache({})).result is UNKNOWN
    older = {**told_so, "observedGeneration": 0}
    assert row("registry answers", with_cache({"conditions": [older]})).result is UNKNOWN


def test_an_open_engine_and_a_plain_registry_are_told() -> None:
    source = {"name": "builder", "engine": {"endpoint": "tcp://b.c:2375", "insecure": True}}
    found = row("engines and registry by TLS", with_cache({}, sources=[source]))
    assert (found.result, found.what) == (WARN, "without TLS: builder")
    plain = replace(SOUND, caches=[a_cache({})])
    assert row("engines and registry by TLS", plain).result is WARN


def test_a_full_disk_a_stalled_and_a_suspended_cache_are_told() -> None:
    full = {"image": "a", "reason": "RegistryFull", "message": "no space left"}
    found = row("registry disk", with_cache({"imageStatuses": [full]}))
    assert (found.result, found.what) == (NO, "no space left")
    stalled = a_condition("Stalled", "True", "SecretMissing", "no password")
    assert row("caches at work", with_cache({"conditions": [stalled]})).result is NO
    assert row("caches at work", with_cache({}, suspend=True)).result is WARN
    assert row("image caches", replace(SOUND, caches=[])).result is NO


def with_ranges(*ranges: Any, **answers: Any) -> Facts:
    return replace(answering(**answers), ranges=list(ranges))


def test_an_engine_that_does_not_trust_the_registry_is_named_wherever_it_stands() -> None:
    fell = a_condition("TarFallback", "True", "RegistryNotTrusted", "x509")
    failure = {"image": "a", "reason": "RegistryNotTrusted", "message": "x509", "attempts": 1}
    target = {"pod": "p", "uid": "u", "reason": "RegistryNotTrusted", "message": "x509"}
    for status in (told(READY, fell), told(failures=[failure]), told(targetStatuses=[target])):
        found = row("range engines trust", with_ranges(a_range("a", status), a_range("b")))
        assert (found.result, found.what) == (NO, "1 of 2 do not: n/a")
    over = {**fell, "status": "False"}
    assert row("range engines trust", with_ranges(a_range("a", told(over)))).result is OK
    blind = a_range("a", told(READY, targets={"matched": 0}))
    assert row("range engines trust", with_ranges(blind)).result is UNKNOWN


def test_engines_that_do_not_answer_and_ranges_without_one_are_told() -> None:
    cut = a_condition("TargetsAvailable", "False", "TLSRejected", "wrong name")
    found = row("range engines answer", with_ranges(a_range("a", told(NOT_READY, cut))))
    assert (found.result, "TLSRejected: wrong name" in found.what) == (NO, True)
    none = a_condition("Ready", "False", "NoTargets")
    assert row("ranges have engines", with_ranges(a_range("a", told(none)))).result is WARN


def test_namespaces_are_judged_by_their_labels_else_by_what_the_operator_found() -> None:
    cache = a_cache({}, **TLS, allowedNamespaces={"matchLabels": {"x": "y"}})
    facts = replace(SOUND, caches=[cache])
    assert row("namespaces may", facts).result is NO
    allowed = a_cache({}, **TLS, allowedNamespaces={"matchLabels": {"a": "b"}})
    assert row("namespaces may", replace(SOUND, caches=[allowed])).result is OK
    blind = replace(facts, answers={**GOOD, "namespaces": DENIED})
    assert row("namespaces may", blind).result is UNKNOWN
    refused = a_range("a", told(a_condition("Ready", "False", "NamespaceNotAllowed")))
    assert row("namespaces may", replace(blind, ranges=[refused])).result is NO


def test_a_network_policy_lets_through_by_label() -> None:
    def policy(**labels: str) -> dict[str, Any]:
        peer = {"namespaceSelector": {"matchLabels": labels}}
        chosen = {"matchLabels": {"app.kubernetes.io/component": "registry"}}
        return {"items": [{"spec": {"podSelector": chosen, "ingress": [{"from": [peer]}]}}]}

    assert row("network policies", answering(policies=policy(a="b"))).result is OK
    found = row("network policies", answering(policies=policy(x="y")))
    assert (found.result, found.todo) == (NO, "kubectl label namespace n x=y")
    unseen = answering(policies=policy(x="y"), namespaces=DENIED)
    assert row("network policies", unseen).result is UNKNOWN


def test_a_gate_that_is_never_answered_is_a_fault() -> None:
    pod: dict[str, Any] = {
        "metadata": {"name": "p", "namespace": "n", "uid": "u"},
        "spec": {"readinessGates": [{"conditionType": "cyroid.io/images-ready"}]},
        "status": {"containerStatuses": [{"name": "d", "state": {"running": {}}}]},
    }
    assert row("readiness gates", answering(pods={"items": [pod]})).result is NO
    gate = {"type": "cyroid.io/images-ready", "status": "False"}
    answered = {**pod, "status": {**pod["status"], "conditions": [gate]}}
    assert row("readiness gates", answering(pods={"items": [answered, {}]})).result is OK


def test_every_stalled_range_has_a_row_up_to_a_bound() -> None:
    stalled = a_condition("Stalled", "True", "ImageNotFound", "no source has it")
    ranges = [a_range(f"r{at}", told(NOT_READY, stalled)) for at in range(30)]
    rows = examine(with_ranges(*ranges))
    named = [each for each in rows if each.check.startswith("range n/")]
    assert len(named) == 20
    assert named[0].what == "ImageNotFound: no source has it"
    assert rows[-1].what == "10 more are stalled"
    assert not is_well(rows)


def test_secrets_are_those_that_the_caches_name() -> None:
    tls = {"endpoint": "tcp://b.c:2376", "tls": {"secretRef": {"name": "client"}}}
    registry = {**TLS["registry"], "caSecretRef": {"name": "ca"}}
    cache = a_cache({}, registry=registry, sources=[{"name": "b", "engine": tls}])
    assert secrets_of([cache, cache]) == ("cyroid-docker-client", "ca", "client")


def test_long_lists_of_names_are_cut() -> None:
    assert some(["a", "b"]) == "a, b"
    assert some([str(at) for at in range(9)]) == "0, 1, 2, 3, 4 and 4 more"
