"""What a good engineer does by hand: the docker command against the same engines and registry.

Each way is one call that ends when the image is where it should be, under its name. No
time is taken here.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.lab import tools
from tests.parts.engines import EnginePart
from tests.parts.registry import CREDENTIALS, RegistryPart

SECONDS = 900.0
"""For one way: many times what the slowest takes."""


class HandFailed(Exception):
    """A manual way failed, so there is nothing to compare with; says what docker said."""


def docker(engine: EnginePart, *arguments: str) -> str:
    """What the docker command says to this engine."""
    return run([*_client(engine), *arguments])


def push(source: EnginePart, registry: RegistryPart, image: str) -> None:
    """Tag for the push listener, push, as in every tutorial."""
    name = f"{registry.push_host}/{image}"
    with _logged_in(registry) as settings:
        docker(source, "tag", image, name)
        run([*_client(source, settings), "push", "--quiet", name])
    docker(source, "rmi", "--no-prune", name)


def pull(target: EnginePart, registry: RegistryPart, image: str) -> None:
    """Pull what `push` left and give it its name."""
    pull_and_tag(target, f"{registry.pull_host}/{image}", image)


def pull_and_tag(target: EnginePart, name: str, image: str) -> None:
    """Pull by this name (or digest) and give it the wanted name."""
    docker(target, "pull", "--quiet", name)
    docker(target, "tag", name, image)


def save_to_load(source: EnginePart, target: EnginePart, image: str) -> None:
    """`docker save | docker load`, over TCP on both sides."""
    save = " ".join([*_client(source), "save", image])
    load = " ".join([*_client(target), "load", "--quiet"])
    shell(f"{save} | {load}")


def save_to_nowhere(source: EnginePart, image: str) -> None:
    """The half of `save_to_load` that nothing made from a save can be faster than."""
    shell(" ".join([*_client(source), "save", image]) + " > /dev/null")


def load(target: EnginePart, tar: Iterable[bytes]) -> None:
    """`docker load` of a stream."""
    command = [*_client(target), "load", "--quiet"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        assert process.stdin is not None
        for chunk in tar:
            process.stdin.write(chunk)
        said, _ = process.communicate(timeout=SECONDS)
    if process.returncode or b"Loaded image" not in said:
        raise HandFailed(f"docker load: {said.decode(errors='replace')[-500:]}")


def script(
    source: EnginePart,
    registry: RegistryPart,
    targets: Sequence[EnginePart],
    images: Sequence[str],
    jobs: int,
) -> None:
    """Everything by `xargs`: so many pushes at a time, then so many pulls."""
    pushed = registry.push_host
    one = f"{tools.ensure('docker')} -H {source.endpoint.url}"
    line = f"{one} tag $1 {pushed}/$1 && {one} push -q {pushed}/$1"
    with _logged_in(registry) as settings:
        _parallel(line, [[image] for image in images], jobs, settings)
    pull_all(registry, targets, {image: image for image in images}, jobs)
    docker(source, "rmi", "--no-prune", *(f"{pushed}/{image}" for image in images))


def pull_all(
    registry: RegistryPart, targets: Sequence[EnginePart], images: Mapping[str, str], jobs: int
) -> None:
    """`images` into all of them, so many at a time; each is in the registry as its value says."""
    client, pulled = tools.ensure("docker"), registry.pull_host
    line = f"{client} -H $1 pull -q {pulled}/$3 && {client} -H $1 tag {pulled}/$3 $2"
    words = [[each.endpoint.url, *pair] for pair in images.items() for each in targets]
    _parallel(line, words, jobs)


def _parallel(
    line: str, words: Sequence[Sequence[str]], jobs: int, settings: Path | None = None
) -> None:
    """The line for the shell once per row of words, so many at a time."""
    command = ["xargs", "-P", str(jobs), "-n", str(len(words[0])), "sh", "-ec", line, "sh"]
    run(command, stdin="\n".join(" ".join(row) for row in words), settings=settings)


def shell(line: str) -> str:
    """A line for bash, in which a failure anywhere in a pipe counts."""
    return run(["bash", "-o", "pipefail", "-ec", line])


def run(command: Sequence[str], *, stdin: str = "", settings: Path | None = None) -> str:
    """What the command says; HandFailed with its own words if it fails."""
    environment = {"PATH": os.environ["PATH"], "DOCKER_CONFIG": str(settings or "/nonexistent")}
    done = subprocess.run(
        command,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
        env=environment,
    )
    if done.returncode:
        raise HandFailed(f"{' '.join(command)[:200]}: {done.stderr[-500:]}")
    return done.stdout.strip()


def _client(engine: EnginePart, settings: Path | None = None) -> list[str]:
    """The docker command over TCP, as from another machine."""
    config = ["--config", str(settings)] if settings else []
    return [str(tools.ensure("docker")), *config, "-H", engine.endpoint.url]


@contextmanager
def _logged_in(registry: RegistryPart) -> Iterator[Path]:
    """The folder that `docker login` would leave."""
    pair = base64.b64encode(f"{CREDENTIALS.username}:{CREDENTIALS.password}".encode()).decode()
    with tempfile.TemporaryDirectory(prefix="cyroid-bench-docker-") as folder:
        content = {"auths": {registry.push_host: {"auth": pair}}}
        Path(folder, "config.json").write_text(json.dumps(content))
        yield Path(folder)
