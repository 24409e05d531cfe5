"""Ten images for one range: how many move at a time, and how long it takes."""

from __future__ import annotations

import json
import time
from statistics import median

from cyroid_images.model.reference import Reference
from cyroid_images.model.repository import repository_of, tag_of
from tests.bench.reaction import RARELY, pulls
from tests.bench.stage import Stage
from tests.bench.table import Row
from tests.bench.traces import engine_trace
from tests.parts.engines import EnginePart
from tests.parts.save_tars import noise
from tests.parts.site import Site

IMAGES = 10
SIZE = 20_000_000
RUNS = 6


def parallel(stage: Stage) -> list[Row]:
    """Cached images into one empty engine, by us and by `docker pull` one after the other."""
    site, engine = stage.site("many"), stage.engine()
    images = [f"{site.name}.example/tool-{number}:1" for number in range(IMAGES)]
    for number, image in enumerate(images):
        stage.source.load_image(image, ({"disk": noise(SIZE, 100 + number)},))
    wanted = [{"image": image} for image in images]
    site.cache(stage.registry, images=wanted, refresh={"interval": RARELY})
    site.until_cache(Ready="True", seconds=300)
    ours, theirs, lanes = [], [], []
    for number in range(RUNS):
        if number % 2:  # neither always finds the machine as the other left it
            theirs.append(_by_docker(engine, _names(stage, images)))
        took, most = _by_us(site, engine, images, f"r{number}")
        ours.append(took)
        lanes.append(most)
        if not number % 2:
            theirs.append(_by_docker(engine, _names(stage, images)))
        stage.tell(f"parallel: ours {took:.2f} s, {most} at a time; docker {theirs[-1]:.2f} s")
    site.remove_all()
    for image in images:
        stage.source.docker("rmi", image)
    spread = f"{min(ours):.2f} to {max(ours):.2f} against {min(theirs):.2f} to {max(theirs):.2f}"
    what = f"{IMAGES} x {SIZE // 1_000_000} MB registry to engine; docker pull one by one; {spread}"
    at_a_time = "most pulls that had begun (debug log) and not ended (event pull), medians"
    return [
        Row("parallel: pod to Ready [s]", median(ours), median(theirs), bound=what),
        Row("parallel: transfers at a time", median(lanes), bound=at_a_time),
    ]


def _by_us(site: Site, engine: EnginePart, images: list[str], name: str) -> tuple[float, int]:
    """Seconds from the pod to Ready, and the most pulls at a time."""
    site.ranges(name, engine.port, images, interval=RARELY)
    site.until(name, Ready="False/NoTargets")
    trace, since, began = engine_trace(engine), time.time(), time.monotonic()
    site.pod(name, engine.address)
    site.until(name, Ready="True", seconds=300)
    took = time.monotonic() - began
    site.delete(name)
    site.api.delete_pod(f"dind-{name}", site.name)
    most = most_at_a_time([call.time for call in pulls(trace)], _ends(engine, since))
    engine.docker("rmi", *images)
    return took, most


def _by_docker(engine: EnginePart, names: list[str]) -> float:
    began = time.monotonic()
    for name in names:
        engine.docker("pull", "--quiet", name)
    took = time.monotonic() - began
    engine.docker("rmi", *names)
    return took


def _names(stage: Stage, images: list[str]) -> list[str]:
    """What docker pulls them by: the registry's names."""
    found = [Reference.parse(image) for image in images]
    host = stage.registry.pull_host
    return [f"{host}/{repository_of(each, ())}:{tag_of(each)}" for each in found]


def _ends(engine: EnginePart, since: float) -> list[float]:
    said = engine.docker(
        "events", f"--since={since:.6f}", "--until=0s", "--filter=event=pull", "--format={{json .}}"
    )
    return [json.loads(line)["timeNano"] / 1e9 for line in said.splitlines()]


def most_at_a_time(starts: list[float], ends: list[float]) -> int:
    """The most that had started and not ended at any moment."""
    steps = sorted([*((at, 1) for at in starts), *((at, -1) for at in ends)])
    now = most = 0
    for _, change in steps:
        now += change
        most = max(most, now)
    return most
