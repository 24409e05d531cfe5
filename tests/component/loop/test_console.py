"""`kubectl cyroid` beside the whole operator: what people do in one session, on real parts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.parts.apiserver import wait_for
from tests.parts.console import Console
from tests.parts.engines import EnginePart
from tests.parts.registry import RegistryPart
from tests.parts.site import Site, holds
from tests.parts.waiting import A_WHILE

pytestmark = pytest.mark.slow


@pytest.fixture
def console(site: Site, tmp_path: Path) -> Console:
    """The tool as an administrator."""
    return Console(site.api.kubeconfig, tmp_path)


def shown(console: Console, *arguments: str) -> Any:
    return json.loads(console.run(*arguments, "-o", "json").stdout)


def test_a_session_from_a_build_to_the_removal_of_an_image(
    site: Site, console: Console, registry: RegistryPart, containerd_engine: EnginePart
) -> None:
    cache = ["--cache", site.name]
    site.cache(registry)
    image = site.image("tool:1")
    wait_for(
        lambda: image in {row["image"] for row in shown(console, "images", *cache)["unpushed"]},
        "the new image of the source to be told",
        A_WHILE,
        site.operator.log,
    )
    assert f"{image}" in console.run("status", "-n", site.name).stderr

    pushed = console.says("push", image, *cache, "--wait", "--timeout", "1m")
    assert pushed.startswith(f"Push started: {image}")
    assert f"{image}: in the registry, sha256:" in pushed
    row = shown(console, "images", *cache)["items"][0]
    assert (row["image"], row["listed"], row["source"]) == (image, True, "builder")

    site.serve("a", containerd_engine, [image])
    range_ = f"{site.name}/a"
    console.says("wait", range_, "--timeout", "1m")
    assert holds(containerd_engine, image)
    told = shown(console, "status", range_)
    assert (told["ready"], told["images_present"], told["route"]) == (True, 1, "registry")
    assert "1 range wants it, of which 1 got it" in console.says("explain", image, *cache)

    checks = {each["check"]: each["result"] for each in shown(console, "doctor", range_)}
    assert checks["operator active"] == "ok"
    assert checks[f"registry answers (cache {site.name})"] == "ok"
    assert checks["custom resources fit this version"] == "ok"

    line = console.complains("delete", image, *cache, "--yes")
    assert f"is wanted by {range_}" in line
    site.delete("a")
    console.says("delete", image, *cache, "--yes")
    site.until_cache()
    wait_for(lambda: _is_removed(site, image), "the tag to be removed", A_WHILE, site.operator.log)


def test_what_no_source_has_ends_a_wait_with_why(
    site: Site, console: Console, registry: RegistryPart, containerd_engine: EnginePart
) -> None:
    site.cache(registry)
    image = f"{site.name}.example/none:1"
    site.serve("b", containerd_engine, [image])
    done = console.run("wait", f"{site.name}/b", "--timeout", "1m")
    assert done.returncode == 1, done
    assert "ImageNotFound" in done.stdout
    line = console.says("explain", image, "--cache", site.name)
    assert "ImageNotFound" in line
    assert "1 range wants it, of which 0 got it" in line


def test_a_suspended_range_gets_nothing_until_it_is_resumed(
    site: Site, console: Console, registry: RegistryPart, containerd_engine: EnginePart
) -> None:
    site.cache(registry)
    image = site.image("late:1")
    site.pod("c", containerd_engine.address)
    site.ranges("c", containerd_engine.port, [image], suspend=True)
    site.until("c", Ready="False/Suspended")
    assert "suspended" in console.run("status", "-n", site.name).stdout
    assert not holds(containerd_engine, image)
    console.says("resume", f"{site.name}/c")
    console.says("wait", f"{site.name}/c", "--timeout", "1m")
    assert holds(containerd_engine, image)


def _is_removed(site: Site, image: str) -> bool:
    rows = site.read(site.cache_path)["status"].get("removedImages") or []
    return any(row["image"] == image and row.get("isRemoved") for row in rows)
