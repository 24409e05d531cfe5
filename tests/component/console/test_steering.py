"""`kubectl cyroid reconcile`, `suspend`, `resume`, `gc`, `export`."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tests.component.console.conftest import MOMENT, Town, status

pytestmark = pytest.mark.slow

COLLECT = "cyroid.io/collect"


def notes(town: Town, path: str) -> dict[str, str]:
    found: dict[str, str] = town.api.call("GET", path)["metadata"].get("annotations") or {}
    return found


def is_suspended(town: Town, path: str) -> bool:
    return bool(town.api.call("GET", path)["spec"].get("suspend"))


def test_reconcile_asks_for_a_pass_of_what_is_chosen(town: Town) -> None:
    town.ranges("a")
    town.ranges("b", event=f"e-{town.name}")
    town.cache()
    assert town.console.says("reconcile", f"{town.name}/a").endswith("asked to be looked at\n")
    assert "cyroid.io/reconcile-at" in notes(town, town.path("a"))
    assert not notes(town, town.path("b"))
    town.console.says("reconcile", "--event", f"e-{town.name}")
    first = notes(town, town.path("b"))
    town.console.says("reconcile", "-n", town.name)
    assert notes(town, town.path("b")) != first
    town.console.says("reconcile", "--cache", town.name)
    assert "cyroid.io/reconcile-at" in notes(town, town.cache_path)


def test_suspend_and_resume_turn_the_switch(town: Town) -> None:
    town.ranges("a")
    town.cache()
    town.console.says("suspend", f"{town.name}/a")
    town.console.says("suspend", "--cache", town.name)
    assert is_suspended(town, town.path("a"))
    assert is_suspended(town, town.cache_path)
    town.console.says("resume", f"{town.name}/a")
    town.console.says("resume", "--cache", town.name)
    assert "suspend" not in town.api.call("GET", town.path("a"))["spec"]
    assert not is_suspended(town, town.cache_path)


@pytest.mark.parametrize("command", ["reconcile", "suspend", "resume"])
def test_nothing_is_changed_where_nothing_is_chosen(town: Town, command: str) -> None:
    assert "--event" in town.console.complains(command, code=2)
    assert "Either" in town.console.complains(command, "a", "--cache", "b", code=2)
    assert "there are no ranges" in town.console.complains(command, "-n", town.name)


def test_a_right_that_is_missing_is_named(town: Town) -> None:
    town.ranges("a")
    reader = town.as_user("reader", ("cyroid.io", "rangeimages", ["get", "list"]))
    line = reader.complains("suspend", f"{town.name}/a")
    assert 'cannot patch resource "rangeimages"' in line
    assert "rangeimages-edit" in line


def answered(town: Town, word: str, **more: Any) -> str:
    """The end of the collection that was asked for, as the operator tells it."""
    value = str(notes(town, town.cache_path)[COLLECT])
    assert value.startswith(word)
    rest = {"started": MOMENT, "finished": MOMENT, **more}
    town.tell_cache({"collection": {"handled": value, **rest}})
    return value


def test_gc_waits_for_the_end_and_tells_what_was_freed(town: Town) -> None:
    older = {"handled": "run/older", "started": MOMENT, "finished": MOMENT, "freedBytes": 1}
    town.cache({"collection": older})
    with town.console.begun("gc", "--dry-run", "--cache", town.name) as begun:
        begun.until("Dry run asked for")
        answered(town, "dry-run/", freedBytes=2_100_000_000, blobs=12, isDryRun=True)
        assert begun.end() == 0
    assert begun.text.splitlines()[-1] == "It would free 2.1 GB in 12 blobs"
    with town.console.begun("gc", "--cache", town.name) as begun:
        begun.until("Collection asked for")
        answered(town, "run/", reason="RegistryUnreachable", message="no collector")
        assert begun.end() == 1
    assert "the collection failed: RegistryUnreachable: no collector" in begun.text
    assert town.console.run("gc", "--cache", town.name, "--timeout", "1s").returncode == 124
    assert town.console.run("gc", "--cache", town.name, "--no-wait").returncode == 0


def test_what_is_exported_can_be_applied_elsewhere(town: Town) -> None:
    secret = {"name": "push-password"}
    registry = {"pushURL": "http://r.c:5001", "pullHost": "r.c:5000", "pushSecretRef": secret}
    town.cache({}, registry=registry)
    town.ranges("a", status(1, 1), event="spring")
    town.console.says("reconcile", f"{town.name}/a")
    text = town.console.says("export", "-n", town.name)
    assert "# Needs these Secrets beside the operator: push-password" in text
    bodies = [each for each in yaml.safe_load_all(text) if town.name in str(each["metadata"])]
    assert [each["kind"] for each in bodies] == ["ImageCache", "RangeImages"]
    assert bodies[1]["metadata"] == {
        "name": "a",
        "namespace": town.name,
        "labels": {"cyroid.io/event": "spring"},
    }
    assert all("status" not in each for each in bodies)
    town.api.call("DELETE", town.path("a"))
    town.api.call("DELETE", town.cache_path)
    town.api.apply(yaml.safe_dump_all(bodies))
    again = town.console.says("export", f"{town.name}/a")
    assert yaml.safe_load(again) == bodies[1]
    assert town.console.says("export", "--only", "ranges", "-n", town.name) == again


def test_an_empty_export_is_said(town: Town) -> None:
    done = town.console.run("export", "--only", "ranges", "-n", town.name)
    assert (done.returncode, done.stdout) == (0, "")
    assert "there is nothing to export" in done.stderr
