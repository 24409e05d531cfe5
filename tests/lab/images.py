"""The images that the lab's pods run, built here and kept in the cache.

All but the operator are a root file system and a few files. The operator is
built by Docker from the project's own Dockerfile, with the lab's bases.
"""

import os
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from tests.lab import archive, cache, context, engine, rootfs, tools
from tests.lab.archive import File, Recipe
from tests.lab.errors import LabError
from tests.lab.progress import told

PODS = ("pause", "registry", "dind", "operator")  # `base` and `build` are no pods
_FILES = Path(__file__).parent / "image"
_PROJECT = Path(__file__).parents[2]
_DOCKERFILE = _PROJECT / "operator" / "Dockerfile"
_BUNDLE = "/usr/local/share/lab/host-ca.crt"
_KEPT = 3  # operator images: one of now, one of before, one of another working copy
_PIP = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_TRUSTED_HOST", "PIP_DEFAULT_TIMEOUT")
_PROXIES = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "no_proxy", "NO_PROXY")


def available() -> tuple[str, ...]:
    """The images for pods that can be built from what the project has now."""
    return tuple(name for name in PODS if name != "operator" or _DOCKERFILE.exists())


def ensure(names: Iterable[str]) -> dict[str, str]:
    """The full reference of each image, which is built if it is absent.

    The tag stands for the content: an image with the same tag is the same.
    """
    return {name: f"docker.io/lab/{name}:{_tag(name)}" for name in names}


def archive_of(reference: str) -> Path:
    """The archive of an image that `ensure` gave."""
    name, _, tag = reference.rpartition("/")[2].partition(":")
    return _archive(name, tag)


def _tag(name: str) -> str:
    if name == "operator":
        return _operator()
    if name not in _RECIPES:
        raise LabError(f"the lab knows no image {name!r}; it has {', '.join(sorted(_RECIPES))}")
    recipe = _RECIPES[name]()
    # A root file system is named after its content; where the cache lies is no content.
    named = replace(recipe, rootfs=Path(recipe.rootfs.name) if recipe.rootfs else None)
    tag = cache.key(repr(named))

    def write(path: Path) -> None:
        with told(f"writing image {name}"):
            archive.write(recipe, f"lab/{name}:{tag}", path)

    cache.made(_archive(name, tag), write)
    return tag


def _archive(name: str, tag: str) -> Path:
    return cache.root() / "images" / f"{name}-{tag}.tar"


def _pause() -> Recipe:
    program = tools.ensure("pause").read_bytes()
    return Recipe(files={"/pause": File(program, executable=True)}, entrypoint=("/pause",))


def _base() -> Recipe:
    return Recipe(rootfs=rootfs.trixie("ca-certificates", "python3"), arguments=("python3",))


def _build() -> Recipe:
    """The base plus pip, and this machine's way to its package index."""
    packages = ("ca-certificates", "python3", "python3-pip", "python3-venv")
    env = {name: os.environ[name] for name in _PIP if name in os.environ}
    files = {}
    bundle = rootfs.host_bundle()
    if bundle:
        files[_BUNDLE] = File(bundle.read_bytes())
        env |= {"PIP_CERT": _BUNDLE, "SSL_CERT_FILE": _BUNDLE, "REQUESTS_CA_BUNDLE": _BUNDLE}
    return Recipe(rootfs=rootfs.trixie(*packages), files=files, env=env)


def _registry() -> Recipe:
    script = File((_FILES / "registry-entrypoint.sh").read_bytes(), executable=True)
    settings = File((_FILES / "registry-config.yml").read_bytes())
    return Recipe(
        rootfs=rootfs.trixie("ca-certificates", "docker-registry"),
        files={"/entrypoint.sh": script, "/etc/docker/registry/config.yml": settings},
        links={"/usr/local/bin/registry": "/usr/bin/docker-registry"},
        entrypoint=("/entrypoint.sh",),
        arguments=("/etc/docker/registry/config.yml",),
    )


def _dind() -> Recipe:
    script = File((_FILES / "dind-entrypoint.sh").read_bytes(), executable=True)
    return Recipe(
        rootfs=rootfs.trixie("docker.io", "docker-cli", "iptables"),
        files={"/usr/local/bin/dockerd-entrypoint.sh": script},
        entrypoint=("dockerd-entrypoint.sh",),
    )


def _operator() -> str:
    if not _DOCKERFILE.exists():
        raise LabError(f"the image of the operator needs {_DOCKERFILE.relative_to(_PROJECT)}")
    bases = {name: _tag(name) for name in ("base", "build")}
    files = context.files(_PROJECT, _DOCKERFILE)
    contents = (part for path in files for part in (str(path), (_PROJECT / path).read_bytes()))
    built_from = cache.key(*bases.values(), *contents)
    known = cache.root() / "images" / f"operator-{built_from}.tag"
    if known.exists() and _archive("operator", known.read_text()).exists():
        return known.read_text()
    known.unlink(missing_ok=True)
    return cache.made(known, lambda path: _build_operator(path, bases, files)).read_text()


def _build_operator(known: Path, bases: dict[str, str], files: list[Path]) -> None:
    """Builds the image, saves its archive and notes its tag at `known`."""
    building = told("building image operator")
    with building, engine.running() as docker, context.copied(_PROJECT, files) as folder:
        for name, tag in bases.items():
            if f"{name}:{tag}" not in _names(docker):
                docker("load", "--quiet", "--input", _archive(name, tag))
        dockerfile = folder / _DOCKERFILE.relative_to(_PROJECT)
        options = ["--quiet", "--network=host", *_build_arguments(bases), "--file", dockerfile]
        image_id = docker("build", *options, folder).split()[-1]
        tag = image_id.removeprefix("sha256:")[:12]
        docker("tag", image_id, f"lab/operator:{tag}")

        def save(path: Path) -> None:
            docker("save", "--output", path, f"lab/operator:{tag}")

        cache.made(_archive("operator", tag), save)
        old = [name for name in _names(docker) if name.startswith("operator:")][_KEPT:]
        for name in old:
            docker("rmi", f"lab/{name}")
    known.write_text(tag)
    for path in _newest_first("operator-*.tar")[_KEPT:]:
        path.unlink()


def _build_arguments(bases: dict[str, str]) -> list[str]:
    arguments = {
        "BASE": f"lab/base:{bases['base']}",
        "BUILD_BASE": f"lab/build:{bases['build']}",
        **{name: os.environ[name] for name in _PROXIES if name in os.environ},
    }
    return [f"--build-arg={name}={value}" for name, value in arguments.items()]


def _names(docker: engine.Engine) -> list[str]:
    """The name and tag of each image of ours in the engine, the newest first."""
    listed = docker("images", "--filter=reference=lab/*", "--format={{.Repository}}:{{.Tag}}")
    return [line.removeprefix("lab/") for line in listed.split()]


def _newest_first(pattern: str) -> list[Path]:
    found = (cache.root() / "images").glob(pattern)
    return sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)


_RECIPES: dict[str, Callable[[], Recipe]] = {
    "base": _base,
    "build": _build,
    "dind": _dind,
    "pause": _pause,
    "registry": _registry,
}
