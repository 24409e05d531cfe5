"""The command `support-bundle`: what helps to find a fault, in one file, without any Secret.

No Secret is read. What is packed is scrubbed besides: managed fields and applied copies go,
values of variables that are not ours go, and whatever looks like a credential is struck out.
"""

from __future__ import annotations

import io
import json
import re
import tarfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from cyroid_images.console.cluster.api_server import ApiServer
from cyroid_images.console.cluster.objects import CACHES, ranges_path
from cyroid_images.console.examining import facts_of, operator_namespace_of
from cyroid_images.console.options import ChosenRanges, access, api_of
from cyroid_images.console.screen.output import Screen
from cyroid_images.console.screen.words import own_version, size
from cyroid_images.errors import CyroidError
from cyroid_images.overview.doctor.examination import examine
from cyroid_images.overview.doctor.facts import OPERATOR

LONGEST_LOG = 5 << 20
MOST_PODS = 5
STRUCK = "(struck out)"
_CREDENTIAL = re.compile(
    r"(://)[^/\s:@\"]+:[^/\s@\"]+(@)"  # user:password in a URL
    r"|(?i:(authorization|bearer|basic)[\"':=\s]+)[A-Za-z0-9._~+/=-]{8,}"
    r"|(?i:(password|passwd|token|secret)[\"']?\s*[:=]\s*[\"']?)[^\s\"',}]{3,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----",
    re.DOTALL,
)

ReadLater = Callable[[], bytes]


@click.command("support-bundle")
@click.option("-f", "--file", "path", type=click.Path(path_type=Path), help="Where to write it.")
@click.option("--operator-namespace", metavar="NAME", help="Where the operator lives.")
@access
@click.pass_context
def support_bundle(ctx: click.Context, path: Path | None, operator_namespace: str | None) -> None:
    """Pack what helps to find a fault into a tar.gz: both kinds, events, the operator's log and
    Deployment, versions, the doctor's table. No Secret is read; what your rights do not show is
    named in it.
    """
    screen, api = Screen(), api_of(ctx)
    namespace = operator_namespace or operator_namespace_of(api)
    target = path or Path(f"cyroid-support-{time.strftime('%Y%m%d-%H%M%S')}.tar.gz")
    missing: list[str] = []
    try:
        with target.open("xb") as file, tarfile.open(fileobj=file, mode="w:gz") as bundle:
            for name, content in contents(api, namespace, screen):
                try:
                    _add(bundle, name, content())
                except CyroidError as exc:
                    missing.append(f"{name}: {exc}")
            _add(bundle, "missing.txt", "\n".join(missing).encode())
    except FileExistsError as exc:
        raise CyroidError(f"{target} is there already: name another with --file") from exc
    except OSError as exc:
        raise CyroidError(f"{target} cannot be written: {exc.strerror or exc}") from exc
    for line in missing:
        screen.tell(f"left out {line}")
    screen.say(f"{target} ({size(target.stat().st_size)}): look into it before you send it")


def contents(api: ApiServer, namespace: str, screen: Screen) -> Iterator[tuple[str, ReadLater]]:
    """The files of the bundle; each is read when it is packed."""
    yield "version.json", lambda: _json({"tool": own_version(), "server": api.get("/version")})
    yield "imagecaches.json", lambda: _json(_bare(api.list(CACHES)[0]))
    yield "rangeimages.json", lambda: _json(_bare(api.list(ranges_path(None))[0]))
    yield "events.json", lambda: _json(_events(api))
    yield "doctor.json", lambda: _doctor(api, namespace, screen)
    place = f"/apis/apps/v1/namespaces/{namespace}/deployments"
    ours = {"labelSelector": "app.kubernetes.io/name=cyroid-images"}
    yield "deployments.json", lambda: _json(_bare(api.list(place, ours)[0]))
    pods = f"/api/v1/namespaces/{namespace}/pods"
    yield "pods.json", lambda: _json(_bare(api.list(pods, ours)[0]))
    yield "operator.log", lambda: _log(api, pods, is_previous=False)
    yield "operator-previous.log", lambda: _log(api, pods, is_previous=True)


def _events(api: ApiServer) -> list[Any]:
    """Those about our kinds and by our operator."""
    items = api.list("/apis/events.k8s.io/v1/events")[0]
    group = "cyroid.io/"
    return _bare(
        [
            each
            for each in items
            if str((each.get("regarding") or {}).get("apiVersion")).startswith(group)
            or "cyroid" in str(each.get("reportingController"))
        ]
    )


def _doctor(api: ApiServer, namespace: str, screen: Screen) -> bytes:
    facts = facts_of(api, ChosenRanges(None, None, (), namespace), namespace, screen)
    return _json([each.model_dump(mode="json") for each in examine(facts)])


def _log(api: ApiServer, pods: str, *, is_previous: bool) -> bytes:
    """The last of what the operator's pods wrote, or of what the container before did."""
    parts = []
    for pod in api.list(pods, {"labelSelector": OPERATOR})[0][:MOST_PODS]:
        name = pod["metadata"]["name"]
        query = {"limitBytes": str(LONGEST_LOG), "tailLines": "20000", "timestamps": "true"}
        if is_previous:
            query["previous"] = "true"
        parts.append(f"==== {name}\n".encode())
        parts.append(api.text(f"{pods}/{name}/log", query, LONGEST_LOG))
    return b"".join(parts)


def _bare(bodies: list[Any]) -> list[Any]:
    """Objects without what is noise, and without values of variables that are not ours."""
    return [_scrubbed(body) for body in bodies]


def _scrubbed(value: Any) -> Any:
    if isinstance(value, list):
        return [_scrubbed(each) for each in value]
    if not isinstance(value, Mapping):
        return value
    if "name" in value and isinstance(value.get("value"), str):
        is_ours = str(value["name"]).startswith("CYROID_")
        return {**value, "value": value["value"] if is_ours else STRUCK}
    return {
        key: _scrubbed(inner)
        for key, inner in value.items()
        if key not in ("managedFields", "kubectl.kubernetes.io/last-applied-configuration")
    }


def _json(value: Any) -> bytes:
    return json.dumps(value, indent=1).encode()


def struck_out(text: str) -> str:
    """The text without what looks like a credential."""
    return _CREDENTIAL.sub(lambda found: f"{_kept(found)}{STRUCK}{found[2] or ''}", text)


def _kept(found: re.Match[str]) -> str:
    """What stood before the credential itself."""
    return found[1] or next((each for each in found.groups()[2:] if each), "")


def _add(bundle: tarfile.TarFile, name: str, content: bytes) -> None:
    clean = struck_out(content.decode(errors="replace")).encode()
    entry = tarfile.TarInfo(f"cyroid-support/{name}")
    entry.size, entry.mtime = len(clean), int(time.time())
    bundle.addfile(entry, io.BytesIO(clean))
