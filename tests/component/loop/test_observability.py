"""What an operator tells of itself while it works: lines, and never a secret."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest

from cyroid_images.model.telemetry.milestones import Milestone
from tests.component.loop.conftest import UPSTREAM_SECRET, WRONG_PASSWORD, WRONG_SECRET
from tests.parts import objects
from tests.parts.apiserver import wait_for
from tests.parts.engines import EnginePart
from tests.parts.images import tiny_image
from tests.parts.operator import OperatorPart
from tests.parts.registry import CREDENTIALS, NewRegistry, RegistryPart
from tests.parts.save_tars import noise
from tests.parts.site import PUSH_SECRET, Site

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("talkative")]

EVERYTHING = {"CYROID_LOG_FORMAT": "json", "CYROID_LOG_LEVEL": "DEBUG"}


@pytest.fixture(scope="module")
def talkative(operator_process: OperatorPart) -> Iterator[OperatorPart]:
    """The operator with a log for machines that says everything, for the time of this file."""
    operator_process.kill()
    operator_process.settings.update(EVERYTHING)
    yield operator_process
    operator_process.kill()
    for name in EVERYTHING:
        del operator_process.settings[name]


@pytest.fixture
def began(site: Site) -> int:
    """Where the log of this test begins."""
    return site.operator.log_size()


def lines(site: Site, began: int) -> list[dict[str, Any]]:
    """The lines since then that are about objects of this site; every line must be JSON."""
    with site.operator.log_file.open("rb") as log:
        log.seek(began)
        every = [json.loads(line) for line in log]
    return [each for each in every if site.name in json.dumps(each.get("object", {}))]


def steps_of(site: Site, began: int, name: str) -> list[str]:
    """What was done for the object of this name, in order."""
    said = [line for line in lines(site, began) if line["object"]["name"] == name]
    return [line["step"] for line in said if "step" in line]


def audited(site: Site, began: int) -> list[dict[str, Any]]:
    return [line for line in lines(site, began) if line.get("audit")]


def everything_told(site: Site, began: int) -> str:
    """The log, all events, and all that stands in the objects of both kinds."""
    with site.operator.log_file.open("rb") as log:
        log.seek(began)
        said = log.read().decode()
    lists = ["/apis/events.k8s.io/v1/events", "/api/v1/events"]
    lists += [f"{objects.API}/{kind}" for kind in ("imagecaches", "rangeimages")]
    return said + "".join(json.dumps(site.api.call("GET", path)) for path in lists)


def test_a_delivery_is_told_step_by_step_with_what_it_is_about(
    site: Site, began: int, registry: RegistryPart, containerd_engine: EnginePart
) -> None:
    image = site.image("told:1")
    site.cache(registry)
    site.serve("told", containerd_engine, [image])
    body = site.until("told", Ready="True/AllImagesPresent")
    (row,) = body["status"]["targetStatuses"]
    # The line comes after the write that a reader of the status may see at once.
    wait_for(lambda: Milestone.READY in steps_of(site, began, "told"), "it to be told", 10)
    said = lines(site, began)
    of_pull = [line for line in said if line.get("target")]
    assert [line["step"] for line in of_pull if "step" in line] == [
        Milestone.PULL_STARTED,
        Milestone.PULLED,
        Milestone.PROVEN,
        Milestone.TAGGED,
        Milestone.TIDIED,
    ]
    assert len({line["transfer_id"] for line in of_pull}) == 1
    for line in of_pull:
        assert (line["target"], line["target_uid"]) == (row["pod"], row["uid"])
        assert line["object"]["uid"] == body["metadata"]["uid"]
        assert (line["image"], line["generation"]) == (image, 1)
        assert line["digest"].startswith("sha256:")
        assert line["severity"] == "info"
    steps = [line["step"] for line in said if "step" in line]
    assert steps.index(Milestone.STATUS_FIRST) < steps.index(Milestone.PUSH_STARTED)
    assert steps.index(Milestone.PUSHED) < steps.index(Milestone.PULL_STARTED)
    # Looks have threads of their own: one may be over before the first status is written.
    of_range = [step for step in steps_of(site, began, "told") if step != Milestone.LOOKED]
    assert (of_range[0], of_range[-1]) == (Milestone.STATUS_FIRST, Milestone.READY)


def test_each_push_and_pull_is_one_audited_line(
    site: Site, began: int, registry: RegistryPart, containerd_engine: EnginePart
) -> None:
    image = site.image("audited:1")
    site.cache(registry)
    site.serve("audited", containerd_engine, [image])
    site.until("audited", Ready="True")
    push, pull = audited(site, began)
    assert (push["route"], pull["route"]) == ("stream", "pull")
    for line, kind in ((push, "ImageCache"), (pull, "RangeImages")):
        assert line["object"]["kind"] == kind
        assert line["result"] == "done"
        assert line["duration_ms"] > 0
        assert {"uid"} <= line["object"].keys()
        assert {"generation", "digest", "image", "transfer_id"} <= line.keys()
    assert pull["target_uid"]


def test_a_fallback_its_failure_and_its_load_are_audited_with_their_reason(
    site: Site, began: int, new_registry: NewRegistry, containerd_engine: EnginePart
) -> None:
    registry = new_registry()
    registry.stop()
    site.cache(registry)
    site.serve("fell", containerd_engine, [site.image("fell:1")])
    site.until("fell", Ready="True", TarFallback="True/RegistryUnreachable")
    told = [line for line in audited(site, began) if line["object"]["name"] == "fell"]
    assert [(line["route"], line["result"]) for line in told] == [
        ("tar", "fallback"),
        ("tar", "done"),
    ]
    assert told[0]["reason"] == "RegistryUnreachable"
    assert told[0]["target_uid"] == told[1]["target_uid"]


def test_a_refusal_is_audited_once(
    site: Site, began: int, registry: RegistryPart, containerd_engine: EnginePart
) -> None:
    image = site.image("refused:1")
    site.cache(registry, allowedNamespaces={"matchLabels": {"nobody": "has-it"}})
    site.serve("refused", containerd_engine, [image])
    site.until("refused", Ready="False/NamespaceNotAllowed", Stalled="True")
    site.edit("refused", interval="2s")
    site.until("refused", Stalled="True", at=lambda body: body["metadata"]["generation"] == 2)
    refused = [line for line in audited(site, began) if line["result"] == "refused"]
    assert [line["reason"] for line in refused] == ["NamespaceNotAllowed"]
    assert refused[0]["severity"] == "warn"


@pytest.mark.row("P10")
def test_passwords_wrong_and_right_stand_in_no_line_event_or_status(
    site: Site, began: int, new_registry: NewRegistry, containerd_engine: EnginePart
) -> None:
    registry, upstream = new_registry(), new_registry()
    copied, pushed = f"{upstream.push_host}/{site.name}/tool:1", site.image("pushed:1")
    upstream.push(f"{site.name}/tool", "1", tiny_image([{"noise": noise(60_000, 77)}]))
    where = {"pushSecretRef": {"name": WRONG_SECRET}}

    def sources(secret: str) -> list[dict[str, Any]]:
        hosts = {"hosts": [upstream.push_host], "insecure": True, "secretRef": {"name": secret}}
        engine = {"endpoint": site.source.endpoint.url, "insecure": True}
        return [{"name": "builder", "engine": engine}, {"name": "elsewhere", "upstream": hosts}]

    site.cache(registry, registry=where, sources=sources(WRONG_SECRET))
    site.serve("canary", containerd_engine, [pushed, copied])
    site.until_cache(RegistryAvailable="False/Unauthorized")
    site.edit_cache(registry={"pushSecretRef": {"name": PUSH_SECRET}})
    site.until_cache(RegistryAvailable="True")
    site.until("canary", Ready="False/Unauthorized")
    site.edit_cache(sources=sources(UPSTREAM_SECRET))
    site.until("canary", Ready="True/AllImagesPresent")
    site.until_cache(Ready="True/AllImagesCached")
    told = everything_told(site, began)
    assert "Unauthorized" in told
    assert "RangeImages" in told
    for password in (CREDENTIALS.password, WRONG_PASSWORD):
        for secret in (password, f"{CREDENTIALS.username}:{password}"):
            assert secret not in told
            assert base64.b64encode(secret.encode()).decode().rstrip("=") not in told
    for header in ("Authorization", "X-Registry-Auth", "Bearer "):
        assert header not in told
