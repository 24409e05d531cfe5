"""`kubectl cyroid status`: a table, JSON, one range in full, and what changes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from cyroid_images.model.kinds.range_images import RangeImages
from cyroid_images.overview.events import event_view
from cyroid_images.overview.ranges import range_detail, range_row
from tests.component.console.conftest import DIGEST, MERGE, Town, condition, status
from tests.parts.api_proxy import before_api_server
from tests.parts.console import Console
from tests.parts.proxy import Answer

pytestmark = pytest.mark.slow

IMAGE = "127.0.0.1:5000/cyroid/samba-dc:latest"
MISSING: Mapping[str, Any] = {
    "image": "dockurr/windows:latest",
    "reason": "ImageNotFound",
    "message": "no source has it (looked in builder, hub)",
    "pods": 1,
    "firstPod": "dind-5",
}
MOVING: Mapping[str, Any] = {
    "image": IMAGE,
    "pod": "dind-3",
    "route": "Registry",
    "doneBytes": 212_000_000,
    "totalBytes": 450_000_000,
    "bytesPerSecond": 48_000_000,
}


def spring(town: Town) -> None:
    """An event of four ranges, each in another state."""
    event = f"spring-{town.name}"
    town.ranges("range-01", status(13, 13), event=event)
    town.ranges("range-03", status(9, 13, transfers=[MOVING]), event=event)
    tar = condition("TarFallback", "True", "RegistryNotTrusted", "the engine lacks the CA")
    town.ranges("range-04", status(13, 13, tar, images={"viaTar": 13}), event=event)
    stalled = condition("Stalled", "True", "ImageNotFound", MISSING["message"])
    worst = status(
        12, 13, stalled, ready=("False", "ImageNotFound"), missing=[MISSING], images={"failed": 1}
    )
    town.ranges("range-05", worst, event=event)


def test_an_event_is_shown_the_worst_first_with_why(town: Town) -> None:
    spring(town)
    head, *rows, total = town.console.says("status", "--event", f"spring-{town.name}").splitlines()
    assert head.split() == ["NAMESPACE", "RANGE", "READY", "IMAGES", "ROUTE", "WHY"]
    assert [row.split()[1:4] for row in rows] == [
        ["range-05", "failed", "12/13"],
        ["range-03", "no", "9/13"],
        ["range-04", "yes", "13/13"],
        ["range-01", "yes", "13/13"],
    ]
    assert "pulling cyroid/samba-dc:latest 47% 212/450 MB 48 MB/s, 5s left" in rows[1]
    assert "13 tar" in rows[2]
    assert (
        f"RegistryNotTrusted: the engine lacks the CA (kubectl cyroid doctor {town.name}/"
        in rows[2]
    )
    assert total == "2 of 4 ready, 1 failed, 1 by tar"


def test_the_same_ranges_are_those_of_their_namespace(town: Town) -> None:
    spring(town)
    shown = town.console.says("status", "-n", town.name)
    assert shown.splitlines()[0].split()[0] == "RANGE"
    assert shown == town.console.says("-n", town.name, "status")
    assert town.name in town.console.says("status", "-A")


def test_json_and_yaml_are_the_answers_of_the_api(town: Town) -> None:
    spring(town)
    bodies = town.api.call("GET", town.path(""))["items"]
    items = [RangeImages.parse(body) for body in bodies]
    event = f"spring-{town.name}"
    wanted = event_view(event, map(range_row, items)).model_dump(mode="json")
    assert json.loads(town.console.says("status", "--event", event, "-o", "json")) == wanted
    assert yaml.safe_load(town.console.says("status", "--event", event, "-o", "yaml")) == wanted
    listed = json.loads(town.console.says("status", "-n", town.name, "-o", "json"))
    assert (listed["total"], listed["ready"]) == (4, 2)
    assert [row["name"] for row in listed["items"]] == [row["name"] for row in wanted["ranges"]]
    one = json.loads(town.console.says("status", f"{town.name}/range-05", "-o", "json"))
    assert one == range_detail(items[3]).model_dump(mode="json")


def test_one_range_is_shown_in_full(town: Town) -> None:
    spring(town)
    shown = town.console.says("status", "range-05", "-n", town.name)
    assert "MISSING" in shown
    assert MISSING["message"] in shown
    assert f"range    {town.name}/range-05" in shown


def test_names_can_be_given_to_other_commands(town: Town) -> None:
    spring(town)
    names = town.console.says("status", "-n", town.name, "-o", "name").split()
    assert names == [f"{town.name}/range-0{number}" for number in (1, 3, 4, 5)]
    assert (
        town.console.says("status", *names).splitlines()[-1] == "2 of 4 ready, 1 failed, 1 by tar"
    )


def test_wide_has_more_columns(town: Town) -> None:
    spring(town)
    head, row, *_ = town.console.says("status", "-n", town.name, "-o", "wide").splitlines()
    assert head.split()[-4:] == ["EVENT", "CACHE", "TARGETS", "WHY"]
    assert f"spring-{town.name}" in row


def test_a_range_that_nobody_looked_at_is_unknown_and_an_edited_one_again(town: Town) -> None:
    town.ranges("new")
    town.ranges("edited", status(1, 1))
    town.api.call("PATCH", town.path("edited"), {"spec": {"interval": "7m"}}, **MERGE)
    for line in town.console.says("status", "-n", town.name).splitlines()[1:3]:
        assert "unknown" in line
        assert "no pass has looked at it yet" in line


def test_no_ranges_and_no_such_range_are_said_in_words(town: Town) -> None:
    empty = town.console.run("status", "-n", town.name)
    assert (empty.returncode, empty.stdout) == (0, "")
    assert empty.stderr == f"no ranges in namespace {town.name}; -A looks in all namespaces\n"
    line = town.console.complains("status", f"{town.name}/none")
    assert line.startswith(f"kubectl cyroid: there is no RangeImages none in namespace {town.name}")
    assert "status -A" in line


def test_what_steers_a_terminal_in_a_status_does_nothing(town: Town) -> None:
    evil = "\x1b]0;owned\x07\x1b[2Jgone\r\nnext \u202e\u009b31mx"
    town.ranges("evil", status(0, 1, ready=("False", "PullFailed")))
    body = {"status": {"conditions": [condition("Ready", "False", "PullFailed", evil)]}}
    town.api.call("PATCH", f"{town.path('evil')}/status", body, **MERGE)
    with town.console.on_terminal("status", "-n", town.name) as begun:
        assert begun.end() == 0
    for wrong in ("\x1b]", "\x1b[2J", "\u202e", "\u009b", "owned"):
        assert wrong not in begun.raw
    assert "gone next" in begun.text
    for form in ("json", "yaml"):
        shown = town.console.says("status", "-n", town.name, "-o", form)
        assert shown.replace("\n", "").isprintable()


def test_a_terminal_shows_marks_and_colours_within_its_width(town: Town) -> None:
    spring(town)
    with town.console.on_terminal("status", "-n", town.name, columns=80) as begun:
        assert begun.end() == 0
    for mark in ("✔", "…", "✕", "▲"):
        assert mark in begun.raw
    assert "\x1b[31m" in begun.raw
    assert all(len(line) <= 80 for line in begun.text.splitlines())
    plain = Console(town.api.kubeconfig, town.home, NO_COLOR="1")
    with plain.on_terminal("status", "-n", town.name, columns=80) as begun:
        assert begun.end() == 0
    assert "\x1b[" not in begun.raw
    assert "failed" in begun.raw


def test_what_sources_have_and_the_registry_lacks_is_hinted_at(town: Town) -> None:
    rows = [{"image": IMAGE, "source": "builder", "id": DIGEST, "inRegistry": False}]
    town.cache({"sourceImages": rows})
    town.ranges("range-01", status(1, 1))
    done = town.console.run("status", "-n", town.name)
    assert done.returncode == 0
    assert f"{IMAGE} of sources: not in the registry" in done.stderr
    assert "push IMAGE" in done.stderr


def test_watching_without_a_terminal_prints_a_line_per_change(town: Town) -> None:
    town.ranges("range-01", status(1, 2))
    with town.console.begun("status", "-w", "-n", town.name) as begun:
        begun.until("range-01  no")
        moving = {**MOVING, "doneBytes": 213_000_000}
        town.tell("range-01", status(1, 2, transfers=[moving]))  # bytes alone are no news
        town.ranges("range-02")
        begun.until("range-02  unknown")
        town.tell("range-01", status(2, 2))
        begun.until("range-01  yes")
        town.api.call("DELETE", town.path("range-02"))
        begun.until(f"{town.name}/range-02 is gone")
        begun.interrupt()
        assert begun.end() == 130
    assert begun.text.count("range-01") == 2
    assert "Traceback" not in begun.text


def test_watching_on_a_terminal_repaints_in_place(town: Town) -> None:
    town.ranges("range-01", status(1, 2, transfers=[MOVING]))
    with town.console.on_terminal("status", "-w", "-n", town.name) as begun:
        begun.until("0 of 1 ready", "212/450 MB")
        town.tell("range-01", status(2, 2, transfers=[]))
        begun.until("1 of 1 ready")
        begun.interrupt()
        assert begun.end() == 130
    assert "\x1b[1A" in begun.raw  # the cursor went up
    assert "Traceback" not in begun.text


def test_a_lost_watch_is_said_and_taken_up_again(town: Town) -> None:
    account = town.api.kubeconfig_for(f"watcher-{town.name}")
    town.as_user("watcher", ("cyroid.io", "rangeimages", ["list", "watch"]))
    town.ranges("range-01", status(1, 2))
    with (
        before_api_server(account) as (proxy, path),
        Console(path, town.home).begun("status", "-w", "-n", town.name) as begun,
    ):
        begun.until("range-01  no")
        proxy.on("GET", ".*rangeimages.*", Answer(503, body=b"not now"))
        proxy.reset()
        begun.until("trying again")
        town.tell("range-01", status(2, 2))
        proxy.heal()
        begun.until("the Kubernetes API answers again", "range-01  yes")
    assert "Traceback" not in begun.text


def test_a_right_that_is_taken_away_ends_watching_with_its_name(town: Town) -> None:
    nobody = town.as_user("nobody")
    line = nobody.complains("status", "-w", "-n", town.name)
    assert 'cannot list resource "rangeimages"' in line
    assert "cyroid-view" in line
