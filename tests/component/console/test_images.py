"""`kubectl cyroid images`, `push`, `delete`, `explain`."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from tests.component.console.conftest import DIGEST, Town, cached, status

pytestmark = pytest.mark.slow

ALIAS = "127.0.0.1:5000"
KALI, SAMBA = f"{ALIAS}/cyroid/kali-attack:latest", f"{ALIAS}/cyroid/samba-dc:latest"
READ = ("cyroid.io", "imagecaches", ["get", "list", "watch"])


def spec(town: Town) -> dict[str, Any]:
    found: dict[str, Any] = town.api.call("GET", town.cache_path)["spec"]
    return found


def listed(town: Town) -> list[str]:
    return [row["image"] for row in spec(town).get("images") or ()]


def a_cache(town: Town) -> None:
    """One image in it, one that fails, one that a source has beyond it."""
    failed = {"image": SAMBA, "reason": "ImageNotFound", "message": "no source has it"}
    source = {"image": f"{ALIAS}/cyroid/new:1", "source": "builder", "id": DIGEST}
    town.cache(
        {
            "storedBytes": 170_000_000,
            "imageStatuses": [cached(KALI, source="builder", platform="linux/amd64"), failed],
            "sourceImages": [{**source, "inRegistry": False, "sizeBytes": 5_000_000}],
        },
        aliases=[ALIAS],
        images=[{"image": KALI}, {"image": SAMBA}],
        sources=[{"name": "builder", "engine": {"endpoint": "tcp://b.c:2375", "insecure": True}}],
    )


def test_images_shows_what_is_there_what_is_not_and_what_sources_have(town: Town) -> None:
    a_cache(town)
    town.ranges("a", images=[{"image": KALI}])
    done = town.console.run("images", "--cache", town.name)
    assert done.returncode == 0
    head, *rows, total = done.stdout.splitlines()
    assert head.split() == ["IMAGE", "THERE", "SIZE", "DIGEST", "FROM", "USED", "BY", "WHY"]
    assert rows[0].split() == [KALI, "yes", "170", "MB", DIGEST[:19], "builder", "1"]
    assert "failed" in rows[1]
    assert "ImageNotFound: no source has it" in rows[1]
    assert "in builder, not in the registry: kubectl cyroid push" in rows[2]
    assert total == "1 of 2 in the registry, 170 MB"
    assert "1 image of sources not in the registry" in done.stderr


def test_images_as_json_has_the_fields_of_the_api(town: Town) -> None:
    a_cache(town)
    town.ranges("a", images=[{"image": KALI}])
    shown = json.loads(town.console.says("images", "--cache", town.name, "-o", "json"))
    first = shown["items"][0]
    assert (shown["total"], len(shown["unpushed"])) == (2, 1)
    assert first["name"] == "local/cyroid/kali-attack"
    assert first["tag"] == "latest"
    assert first["used_by"] == [f"{town.name}/a"]
    assert first["listed"] is True
    names = town.console.says("images", "--cache", town.name, "-o", "name").split()
    assert names == [KALI, SAMBA]


def test_who_may_not_list_ranges_is_told_that_users_are_not_known(town: Town) -> None:
    a_cache(town)
    done = town.as_user("admin", READ).run("images", "--cache", town.name)
    assert done.returncode == 0
    assert "who wants it is not known: a right is missing" in done.stderr
    assert done.stdout.splitlines()[1].split()[-1] == "?"


def test_a_push_lists_the_image_and_says_what_it_is_not_more(town: Town) -> None:
    a_cache(town)
    push = ["push", "--cache", town.name]
    assert town.console.says(*push, "nginx:1.25") == "Push started: nginx:1.25\n"
    assert listed(town) == [KALI, SAMBA, "nginx:1.25"]
    again = town.console.says(*push, "nginx:1.25")
    assert again == "Push already in progress: nginx:1.25 (0%)\n"
    assert town.console.says(*push, KALI).startswith("In the registry already, looked at anew: ")
    assert town.console.says(*push, SAMBA).startswith("Push started again: ")
    body = town.api.call("GET", town.cache_path)
    assert "cyroid.io/reconcile-at" in body["metadata"]["annotations"]


def test_two_people_who_push_at_once_lose_nothing(town: Town) -> None:
    a_cache(town)
    names = [f"tool-{number}:1" for number in range(4)]
    codes: list[int] = []

    def push(name: str) -> None:
        codes.append(town.console.run("push", "--cache", town.name, name).returncode)

    threads = [threading.Thread(target=push, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == [0, 0, 0, 0]
    assert set(listed(town)) == {KALI, SAMBA, *names}


def test_push_wait_follows_to_the_proof(town: Town) -> None:
    town.cache({}, aliases=[ALIAS])
    with town.console.begun("push", "--cache", town.name, KALI, "--wait") as begun:
        begun.until("Push started", "starting")
        moving = {"image": KALI, "route": "Registry", "doneBytes": 50, "totalBytes": 100}
        town.tell_cache({"transfers": [moving]})
        begun.until("pushing 50% 50/100 B")
        body = town.api.call("GET", town.cache_path)
        token = body["metadata"]["annotations"]["cyroid.io/reconcile-at"]
        done = {"transfers": None, "imageStatuses": [cached(KALI)]}
        town.tell_cache({**done, "lastHandledReconcileAt": token})
        assert begun.end() == 0
    assert f"in the registry, {DIGEST}" in begun.text


def test_push_wait_ends_with_1_only_for_a_failure_of_this_wish(town: Town) -> None:
    failed = {"image": SAMBA, "reason": "ImageNotFound", "message": "no source has it"}
    town.cache({"imageStatuses": [failed]}, aliases=[ALIAS], images=[{"image": SAMBA}])
    with town.console.begun("push", "--cache", town.name, SAMBA, "--wait") as begun:
        begun.until("ImageNotFound: no source has it")
        body = town.api.call("GET", town.cache_path)
        token = body["metadata"]["annotations"]["cyroid.io/reconcile-at"]
        town.tell_cache({"lastHandledReconcileAt": token})
        assert begun.end() == 1


def test_push_wait_ends_with_124_at_its_time(town: Town) -> None:
    town.cache({})
    done = town.console.run("push", "--cache", town.name, KALI, "--wait", "--timeout", "1s")
    assert done.returncode == 124


@pytest.mark.parametrize(
    ("name", "word"),
    [("user:secret@host/x", "credentials"), ("https://a/b", "URL"), ("Local/x", "host")],
)
def test_what_is_no_image_is_refused_before_anything_is_asked(
    town: Town, name: str, word: str
) -> None:
    for command in ("push", "delete", "explain"):
        line = town.console.complains(command, name)
        assert word in line
        assert "secret" not in line


def test_delete_takes_off_the_list_and_asks_for_the_removal(town: Town) -> None:
    a_cache(town)
    delete = ["delete", "--cache", town.name]
    line = town.console.complains(*delete, KALI, code=2)
    assert "--yes" in line
    assert town.console.says(*delete, KALI, "-y") == f"Removal asked for: {KALI}\n"
    assert listed(town) == [SAMBA]
    assert spec(town)["removedImages"] == [{"image": KALI}]
    town.console.says("push", "--cache", town.name, KALI)
    assert "removedImages" not in spec(town)


def test_what_a_range_wants_is_not_deleted_and_who_wants_it_is_said(town: Town) -> None:
    a_cache(town)
    town.ranges("a", images=[{"image": "localhost/none"}, {"image": KALI}])
    line = town.console.complains("delete", "--cache", town.name, KALI, "--yes")
    assert f"{KALI} is wanted by {town.name}/a" in line
    assert listed(town) == [KALI, SAMBA]


def test_delete_asks_on_a_terminal(town: Town) -> None:
    a_cache(town)
    for word, code, rest in (("n", 130, [KALI, SAMBA]), ("y", 0, [SAMBA])):
        with town.console.on_terminal("delete", "--cache", town.name, KALI) as begun:
            begun.until("Remove", "[y/N]")
            begun.write(f"{word}\n")
            assert begun.end() == code
        assert listed(town) == rest


def test_explain_tells_how_it_is_read_where_it_is_and_who_wants_it(town: Town) -> None:
    a_cache(town)
    town.ranges("a", status(1, 1), images=[{"image": KALI}])
    missing = {"image": KALI, "reason": "PullFailed", "message": "cut", "pods": 1, "firstPod": "d"}
    town.ranges("b", status(0, 1, missing=[missing]), images=[{"image": KALI}])
    shown = town.console.says("explain", KALI, "--cache", town.name).splitlines()
    assert f"host {ALIAS} (an alias of cache {town.name}), path cyroid/kali-attack" in shown[0]
    assert "local/cyroid/kali-attack:latest" in shown[1]
    assert DIGEST in shown[1]
    assert "2 ranges want it, of which 1 got it" in "\n".join(shown)
    assert f"{town.name}/b: PullFailed: cut" in shown[-1]


def test_explain_tells_why_it_is_not_here(town: Town) -> None:
    a_cache(town)
    shown = town.console.says("explain", SAMBA, "--cache", town.name)
    assert "ImageNotFound: no source has it" in shown
    shown = town.console.says("explain", f"{ALIAS}/cyroid/new:1", "--cache", town.name)
    assert "nobody asks for it" in shown
    assert "the registry lacks that content" in shown
    told = json.loads(town.console.says("explain", SAMBA, "--cache", town.name, "-o", "json"))
    assert told[0]["reason"] == "ImageNotFound"


def test_a_cache_that_is_not_there_is_said(town: Town) -> None:
    for command in (["images"], ["push", "a"], ["delete", "a", "-y"], ["explain", "a"], ["gc"]):
        line = town.console.complains(*command, "--cache", "none")
        assert "there is no ImageCache none" in line
