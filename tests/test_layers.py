"""The layers of the package, as a table that is checked: imports point downwards only."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "operator" / "cyroid_images"

# layer: (layers it may import, packages from outside, guarded standard modules)
LAYERS: dict[str, tuple[str, str]] = {
    "errors": ("", ""),
    "settings": ("errors", "pydantic pydantic_settings os pathlib"),
    "logs": ("model", "pythonjsonlogger"),
    "model": ("errors", "pydantic pydantic_core"),
    # it is about tasks, threads and turns, and about nothing else
    "scheduling": ("errors", "asyncio threading time"),
    # both HTTP leaves need connections that a CancelScope can cut; time: how long one took
    "sockets": ("model scheduling", "httpx ssl socket time"),
    "plan": ("errors model", ""),
    # time: the moment until which a bearer token is good, the end of a call
    "registry": ("errors model scheduling sockets", "httpx ssl time"),
    # tempfile, pathlib: ssl takes a client certificate only from a file; requests: what
    # docker-py raises and sends by; time: how fast an engine that talks without end is read
    "engine": (
        "errors model scheduling sockets",
        "httpx docker requests ssl tempfile pathlib time",
    ),
    # pathlib, os: the archive volume; zstandard, isal: archives come compressed; threading:
    # the lock of what is remembered of archives
    "archive": ("errors model scheduling", "tarfile pathlib os zstandard isal threading"),
    # random: who lost a watch does not come back at the same moment as all others
    "kube": ("errors model scheduling", "kubernetes aiohttp asyncio pathlib random"),
    # threads read, compress and send at the same time
    "transfer": (
        "errors model scheduling registry engine archive",
        "threading concurrent time zstandard isal",
    ),
    "store": ("errors model", ""),
    "defects": ("errors model", ""),
    # threading: looks run in threads, and ask the gate of a host there
    "observe": ("errors model scheduling defects", "asyncio threading"),
    # time: how long a transfer took
    "execute": ("errors model scheduling defects", "asyncio time"),
    "report": ("errors model plan scheduling store execute", "asyncio time"),
    "reconcile": (
        "errors model plan scheduling store observe execute report defects",
        "asyncio time",
    ),
    # time: how long ago the last event came
    "metrics": ("errors model", "prometheus_client time"),
    "probes": ("", "aiohttp"),
    "wiring": (
        (
            "errors settings model scheduling plan registry engine archive kube transfer observe"
            " report reconcile metrics probes"
        ),
        "asyncio random pathlib",
    ),
    "handlers": ("", "kopf asyncio random"),
    # what people see is JSON; yaml: a range as it can be applied again
    "overview": ("errors model", "pydantic yaml"),
    "edits": ("errors model", ""),
    # pathlib, os: a person's files, and the archive volume that an upload comes to; asyncio: a
    # disk is written to by threads, never by whoever serves everybody else; time: how old a
    # leftover is
    "blueprints": (
        "errors model scheduling archive overview",
        "yaml pathlib os asyncio concurrent time",
    ),
    # asyncio, time: pauses, and the end of a call; ssl, pathlib: CA and token of a pod; http: its
    # statuses
    "client": ("errors model overview", "httpx pydantic asyncio time ssl pathlib http"),
    # time, pathlib: how long lists took, the page's files; pydantic: what is sent to it
    "api": (
        "errors settings model scheduling registry kube overview edits blueprints",
        "fastapi starlette uvicorn python_multipart pydantic asyncio random time pathlib http",
    ),
    "crds": ("model", "yaml pathlib"),
    # runs once, as a Job of its own: it talks to the API without the operator around it
    "bootstrap": ("errors", "kubernetes bcrypt yaml urllib3 pathlib time"),
    "cli": ("errors settings logs wiring handlers crds bootstrap api collect", "kopf pathlib os"),
    # what people start: quick to import, and with the official client's reading of a kubeconfig;
    # threading: a watch beside the picture of it
    "console": (
        "errors model overview edits crds blueprints client",
        "click rich kubernetes urllib3 yaml cryptography os pathlib time threading shutil tarfile",
    ),
    # runs beside the registry, over its files; threading: one collection, beside the server
    "collect": ("errors model", "aiohttp asyncio bcrypt os pathlib shutil socket threading time"),
}
GUARDED = frozenset(
    [
        "asyncio",
        "concurrent",
        "http",
        "os",
        "pathlib",
        "random",
        "shutil",
        "socket",
        "ssl",
        "subprocess",
        "tarfile",
        "tempfile",
        "threading",
        "time",
        "urllib",
    ]
)
FREE = frozenset({"urllib.parse"})  # pure text


def _layer_of(file: Path) -> str:
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


def _imports(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: imports are absolute"
            module = node.module or ""
            if module == "cyroid_images":
                yield from (f"{module}.{alias.name}" for alias in node.names)
            else:
                yield module


def _breach(layer: str, name: str) -> str | None:
    """Why this layer may not import that, or None."""
    below, outside = (part.split() for part in LAYERS[layer])
    top, _, rest = name.partition(".")
    if top == "cyroid_images":
        target = rest.partition(".")[0]
        return None if target in (layer, *below) else f"imports the layer {target or 'face'}"
    if name in FREE or (top in sys.stdlib_module_names and top not in GUARDED):
        return None
    return None if top in outside else f"imports {name}"


FILES = [
    file
    for file in sorted(PACKAGE.rglob("*.py"))
    if file.parent != PACKAGE or file.stem not in ("__init__", "__main__")
]


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_a_module_imports_only_what_its_layer_may(file: Path) -> None:
    layer = _layer_of(file)
    assert layer in LAYERS, f"{layer} has no row in the table of layers"
    breaches = [why for name in _imports(file) if (why := _breach(layer, name))]
    assert not breaches, f"{file.relative_to(PACKAGE)} {'; '.join(breaches)}"


def test_every_layer_of_the_table_exists() -> None:
    there = {_layer_of(file) for file in FILES}
    assert set(LAYERS) == there


def test_the_check_sees_an_import_that_points_upwards() -> None:
    assert _breach("plan", "cyroid_images.reconcile.queue") == "imports the layer reconcile"
    assert _breach("model", "asyncio") == "imports asyncio"
    assert _breach("registry", "cyroid_images.engine") == "imports the layer engine"
