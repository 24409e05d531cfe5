"""The lines of the log: kopf's keys, what the work is about, and no secret in any form."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import logging
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from cyroid_images import logs
from cyroid_images.logs import HIDDEN, Redaction
from cyroid_images.model.telemetry.log_context import about, fields
from cyroid_images.scheduling.threads import Threads

CANARY = 'hush "quoted" \\ canary'
Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """Where lines go; the root logger and all levels are as before afterwards."""
    names = (None, logs.OWN, *logs.QUIET)
    before = {name: logging.getLogger(name).level for name in names}
    handlers = logging.getLogger().handlers[:]
    yield io.StringIO()
    logging.getLogger().handlers[:] = handlers
    for name, level in before.items():
        logging.getLogger(name).setLevel(level)


@pytest.fixture
def redaction() -> Redaction:
    return Redaction()


@pytest.fixture
def lines(stream: io.StringIO, redaction: Redaction) -> Lines:
    """Everything that was logged, as JSON."""
    logs.configure("DEBUG", as_json=True, redaction=redaction, stream=stream)
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


def own(name: str = "any") -> logging.Logger:
    return logging.getLogger(f"{logs.OWN}.{name}")


def test_a_line_has_the_keys_of_kopf_and_what_its_work_is_about(lines: Lines) -> None:
    object_ = {"kind": "RangeImages", "namespace": "range-7", "name": "lab", "uid": "u-1"}
    with about(object=object_, generation=4), about(transfer_id="c0ffee"):
        own().info("%s: pulled", "nginx", extra={"step": "pulled", "duration_ms": 12})
    (line,) = lines()
    assert line.pop("timestamp").endswith("+00:00")
    assert line == {
        "severity": "info",
        "logger": "cyroid_images.any",
        "message": "nginx: pulled",
        "object": object_,
        "generation": 4,
        "transfer_id": "c0ffee",
        "step": "pulled",
        "duration_ms": 12,
    }


def test_lines_of_kopf_about_an_object_name_it_under_the_same_key(lines: Lines) -> None:
    reference = {"kind": "Pod", "name": "dind", "namespace": "range-7"}
    # kopf's own handler of this logger asks for them, once anything has imported kopf.
    unposted = SimpleNamespace(posting=SimpleNamespace(level=1000, enabled=False, loggers=False))
    extra = {"k8s_ref": reference, "k8s_skip": True, "settings": unposted}
    logging.getLogger("kopf.objects").warning("odd", extra=extra)
    (line,) = lines()
    assert line["object"] == reference
    assert not {"k8s_ref", "k8s_skip", "settings"} & line.keys()


def test_work_in_a_thread_of_the_pool_is_about_the_same(lines: Lines) -> None:
    async def work() -> None:
        pool = Threads("move", 1)
        with about(image="nginx"):
            task = asyncio.create_task(pool.run(lambda: own().info("moved")))
        await task
        pool.close()

    asyncio.run(work())
    assert lines()[0]["image"] == "nginx"
    assert not fields()


def test_a_traceback_is_one_line_of_the_log(lines: Lines) -> None:
    log_traceback(ValueError("broken"))
    (line,) = lines()
    assert line["severity"] == "error"
    assert "ValueError: broken" in line["exc_info"]


def log_traceback(error: Exception) -> None:
    try:
        raise error
    except type(error):
        own().exception("a defect")


@pytest.mark.row("P10")
@pytest.mark.parametrize(
    "log",
    [
        pytest.param(lambda: own().info("is %s", CANARY), id="argument"),
        pytest.param(lambda: own().info(CANARY), id="message"),
        pytest.param(lambda: own().info("x", extra={"why": {"deep": [CANARY]}}), id="extra"),
        pytest.param(lambda: log_traceback(ValueError(CANARY)), id="traceback"),
        pytest.param(
            lambda: own().info("Basic %s", base64.b64encode(CANARY.encode()).decode()), id="base64"
        ),
        pytest.param(lambda: logging.getLogger("kopf").warning(CANARY), id="other-package"),
    ],
)
def test_the_value_of_a_secret_reaches_no_line(
    lines: Lines, redaction: Redaction, log: Callable[[], None]
) -> None:
    redaction.learn(CANARY)
    log()
    text = json.dumps(lines())
    assert HIDDEN in text
    assert "canary" not in text
    assert base64.b64encode(CANARY.encode()).decode()[:20] not in text


@pytest.mark.row("P10")
@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("https://user:pw@host/x", "https://***@host/x"),
        ("https://token@host/x", "https://***@host/x"),
        ("user:pw@host:5000/x", "***@host:5000/x"),
        ("pull user:p/w:1@host/x failed", "pull ***@host/x failed"),
        ("nginx:1.25@sha256:" + "ab" * 32, "nginx:1.25@sha256:" + "ab" * 32),
        ("h:5000/a:1@sha256:00 of h:5000/b", "h:5000/a:1@sha256:00 of h:5000/b"),
        ("mail a@b.example", "mail a@b.example"),
    ],
)
def test_a_password_before_an_at_sign_is_cut_and_a_digest_is_not(said: str, shown: str) -> None:
    assert Redaction().cut(said) == shown


def test_a_secret_too_short_to_hide_does_not_blacken_the_log() -> None:
    redaction = Redaction()
    redaction.learn("a\n \n")
    assert redaction.cut("a banana") == "a banana"


def test_each_line_of_a_key_is_hidden() -> None:
    redaction = Redaction()
    redaction.learn("-----BEGIN KEY-----\nMIIEvQIBADAN\n")
    assert redaction.cut("the line MIIEvQIBADAN of it") == f"the line {HIDDEN} of it"


def test_hidden_values_are_bounded() -> None:
    redaction = Redaction()
    for number in range(logs.MOST_SECRETS):
        redaction.learn(f"secret-{number:05}")
    assert redaction.cut(f"secret-{logs.MOST_SECRETS - 1:05}") == HIDDEN
    assert redaction.cut("secret-00000") == "secret-00000"


def test_other_packages_never_say_more_than_info(lines: Lines) -> None:
    own().debug("ours")
    logging.getLogger("httpcore.http11").debug("send_request_headers Authorization")
    logging.getLogger("httpx").info("HTTP Request: GET")
    assert [line["message"] for line in lines()] == ["ours"]


def test_text_for_people_is_redacted_as_well(stream: io.StringIO, redaction: Redaction) -> None:
    logs.configure("INFO", as_json=False, redaction=redaction, stream=stream)
    redaction.learn(CANARY)
    own().info("say %s", CANARY)
    assert stream.getvalue().endswith(f"INFO cyroid_images.any say {HIDDEN}\n")
