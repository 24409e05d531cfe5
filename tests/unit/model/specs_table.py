"""Specs that are accepted and refused, once for the models and for a real API server.

Each case says what it is about, and how it differs from a spec that is in order: a path
such as `targets__docker` and the value that is put there; ABSENT removes the field.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

ABSENT = object()
"""The value of a case that removes the field."""


@dataclass(frozen=True, slots=True)
class Case:
    """One spec: what it is about, what is changed, and whether it is accepted."""

    about: str
    changes: Mapping[str, Any]
    accepted: bool


RANGE_IMAGES: dict[str, Any] = {
    "targets": {"selector": {"matchLabels": {"cyroid.io/range-id": "42"}}},
    "images": [{"image": "nginx:1.25"}],
}
"""The least that a RangeImages says."""

IMAGE_CACHE: dict[str, Any] = {
    "registry": {"pushURL": "https://registry.cyroid.svc:5001", "pullHost": "registry:5000"},
    "sources": [{"name": "builder", "archive": {"path": "bundles"}}],
}
"""The least that an ImageCache says, and one source to change."""


def spec_of(base: Mapping[str, Any], case: Case) -> dict[str, Any]:
    """The base with the changes of the case."""
    spec = copy.deepcopy(dict(base))
    for path, value in case.changes.items():
        _put(spec, path.split("."), value)
    return spec


def _put(node: dict[str, Any], path: list[str], value: Any) -> None:
    *way, last = path
    for step in way:
        node = node.setdefault(step, {})
    if value is ABSENT:
        del node[last]
    else:
        node[last] = copy.deepcopy(value)


def _good(about: str, **changes: Any) -> Case:
    return Case(about, {_dotted(path): value for path, value in changes.items()}, accepted=True)


def _bad(about: str, **changes: Any) -> Case:
    return Case(about, {_dotted(path): value for path, value in changes.items()}, accepted=False)


def _dotted(path: str) -> str:
    return path.replace("__", ".")


def _images(count: int, image: str = "a") -> list[dict[str, str]]:
    return [{"image": f"{image}{number}"} for number in range(count)]


def _selecting(**requirement: Any) -> dict[str, Any]:
    return {"matchExpressions": [{"key": "a", **requirement}]}


_SELECTORS = (
    _good("a label with an empty value", SELECTOR={"matchLabels": {"a": ""}}),
    _good("one of several values", SELECTOR=_selecting(operator="In", values=["b", ""])),
    _good("a label that must exist", SELECTOR=_selecting(operator="Exists")),
    _good("a label that must exist, no values", SELECTOR=_selecting(operator="Exists", values=[])),
    _good("a label that must not exist", SELECTOR=_selecting(operator="DoesNotExist")),
    _good("a label that is not", SELECTOR=_selecting(operator="NotIn", values=["b"])),
    _bad("In without values", SELECTOR=_selecting(operator="In")),
    _bad("In with an empty list", SELECTOR=_selecting(operator="In", values=[])),
    _bad("Exists with values", SELECTOR=_selecting(operator="Exists", values=["b"])),
    _bad("an unknown operator", SELECTOR=_selecting(operator="Gt", values=["1"])),
    _bad("a requirement without a key", SELECTOR={"matchExpressions": [{"operator": "Exists"}]}),
    _bad("a key that is no label", SELECTOR={"matchLabels": {"a b": "c"}}),
    _bad("an empty key", SELECTOR={"matchLabels": {"": "c"}}),
    _bad("a key of 64 characters", SELECTOR={"matchLabels": {"k" * 64: "c"}}),
    _bad("a value that is no label", SELECTOR={"matchLabels": {"a": "b c"}}),
    _bad("a value of 64 characters", SELECTOR={"matchLabels": {"a": "v" * 64}}),
    _bad("a number for a value", SELECTOR={"matchLabels": {"a": 42}}),
    _bad("17 labels", SELECTOR={"matchLabels": {f"k{n}": "v" for n in range(17)}}),
)


def _at(path: str) -> tuple[Case, ...]:
    return tuple(
        Case(case.about, {path: case.changes["SELECTOR"]}, accepted=case.accepted)
        for case in _SELECTORS
    )


_GOOD_DURATIONS = ("1s", "1000ms", "30s", "1m30s", "1.5m", "0.25h", "59m59.5s")
_BAD_DURATIONS = (
    "",
    "5",
    "5 m",
    "-5m",
    "5d",
    "5M",
    "1e3s",
    ".5m",
    "5.m",
    "5m\n",
    "0s",
    "999ms",
    300,
)


def _durations(path: str, *, most: str, beyond: str) -> tuple[Case, ...]:
    """Durations in a field whose least is 1s; below an hour, which `total` is by default."""
    never = ("9" * 20 + "h", "1" + "0" * 30 + "ms", beyond)
    return (
        *(Case(f"{path} of {text}", {path: text}, accepted=True) for text in _GOOD_DURATIONS),
        *(Case(f"{path} of {text!r}", {path: text}, accepted=False) for text in _BAD_DURATIONS),
        *(Case(f"{path} of {text}", {path: text}, accepted=False) for text in never),
        Case(f"{path} of {most}", {path: most}, accepted=True),
    )


RANGE_IMAGES_CASES = (
    _good("the least"),
    _good("an unknown field", later=1),
    _good("a null for a field with a default", delivery=None, timeouts=None),
    _good("a null for a field without a default", suspend=None),
    _good("suspended", suspend=True),
    _good("another port", targets__docker={"port": 12376, "serverName": "engine"}),
    _good("no TLS", targets__docker={"port": 2375, "insecure": True}),
    _good("TLS, written out", targets__docker={"insecure": False, "serverName": "engine"}),
    _good("128 images", images=_images(128)),
    _good("128 long images", images=_images(128, "i" * 508)),
    _good("one image by two spellings", images=[{"image": "nginx"}, {"image": "nginx:latest"}]),
    _good("a platform", images=[{"image": "a", "platform": "linux/amd64"}]),
    _good("a platform variant", images=[{"image": "a", "platform": "linux/arm/v7"}]),
    _good("never tar", delivery="RegistryOnly"),
    _good("always tar", delivery="TarOnly"),
    _good("another cache", imageCacheRef={"name": "site-b.example"}),
    _good("stall below total", timeouts={"stall": "59m", "total": "1h"}),
    _bad("suspend as a text", suspend="true"),
    _bad("no targets", targets=ABSENT),
    _bad("no selector", targets={}),
    _bad("an empty selector", targets__selector={}),
    _bad("a selector with empty parts", targets__selector={"matchLabels": {}}),
    _bad("a server name without TLS", targets__docker={"insecure": True, "serverName": "dind"}),
    _bad("port 0", targets__docker={"port": 0}),
    _bad("port 65536", targets__docker={"port": 65536}),
    _bad("a port as a text", targets__docker={"port": "2376"}),
    _bad("an empty server name", targets__docker={"serverName": ""}),
    _bad("no images", images=ABSENT),
    _bad("an empty list of images", images=[]),
    _bad("129 images", images=_images(129)),
    _bad("the same image twice", images=[{"image": "a"}, {"image": "a"}]),
    _bad(
        "the same image for two platforms",
        images=[{"image": "a"}, {"image": "a", "platform": "linux/arm64"}],
    ),
    _bad("an image that is a text", images=["nginx"]),
    _bad("an item without an image", images=[{"platform": "linux/amd64"}]),
    _bad("a platform without architecture", images=[{"image": "a", "platform": "linux"}]),
    _bad("a platform in upper case", images=[{"image": "a", "platform": "Linux/amd64"}]),
    _bad("a platform of 65 characters", images=[{"image": "a", "platform": "linux/" + "a" * 59}]),
    _bad("an unknown delivery", delivery="Tar"),
    _bad("a cache without a name", imageCacheRef={}),
    _bad("a cache with a name that cannot be", imageCacheRef={"name": "A"}),
    _bad("a cache with a name of 64 characters", imageCacheRef={"name": "a" * 64}),
    _bad("stall equal to total", timeouts={"stall": "1h", "total": "60m"}),
    _bad("stall above the total that is the default", timeouts={"stall": "2h"}),
    _bad("total below the stall that is the default", timeouts={"total": "1m"}),
    *_at("targets.selector"),
    *_durations("interval", most="168h", beyond="168h1ms"),
    _good("the longest total", timeouts={"total": "168h"}),
    _bad("a total that is too long", timeouts={"total": "168h1ms", "stall": "1h"}),
    _bad("a total that is too short", timeouts={"total": "999ms", "stall": "1ms"}),
    _bad("a stall that is too long", timeouts={"total": "168h", "stall": "24h1ms"}),
    *_durations("timeouts.stall", most="59m", beyond="1h"),
)


def _source(**changes: Any) -> list[dict[str, Any]]:
    return [{"name": "builder", **changes}]


def _engine(endpoint: str, **more: Any) -> list[dict[str, Any]]:
    return _source(engine={"endpoint": endpoint, **more})


def _upstream(*hosts: str, **more: Any) -> list[dict[str, Any]]:
    return _source(upstream={"hosts": list(hosts), **more})


_TLS = {"secretRef": {"name": "cyroid-docker-client"}}
_TCP = "tcp://cyroid-builder.cyroid.svc:2376"

IMAGE_CACHE_CASES = (
    _good("the least, with a source"),
    _good("no sources", sources=ABSENT),
    _good("an empty list of sources", sources=[]),
    _good("a push URL without TLS", registry__pushURL="http://10.0.0.1:5001"),
    _good("a push URL in IPv6", registry__pushURL="https://[fd00::1]:5001"),
    _good("a push URL without a port", registry__pushURL="https://registry"),
    _good("a pull host with a dot", registry__pullHost="registry.example.com"),
    _good("a pull host that is localhost", registry__pullHost="localhost"),
    _good("Gzip", registry__compression="Gzip"),
    _good("Secrets", registry__pushSecretRef={"name": "p"}, registry__caSecretRef={"name": "c.a"}),
    _good("an engine with TLS", sources=_engine(_TCP, tls=_TLS)),
    _good("an engine with a server name", sources=_engine(_TCP, tls={**_TLS, "serverName": "b"})),
    _good("an engine without TLS", sources=_engine("tcp://10.0.0.1:2375", insecure=True)),
    _good("an engine in IPv6", sources=_engine("tcp://[fd00::1]:2376", tls=_TLS)),
    _good("an engine on a socket", sources=_engine("unix:///run/docker.sock")),
    _good("an engine with insecure: false", sources=_engine(_TCP, tls=_TLS, insecure=False)),
    _good("an upstream", sources=_upstream("docker.io", "ghcr.io", secretRef={"name": "hub"})),
    _good("an upstream without TLS", sources=_upstream("registry:5000", insecure=True)),
    _good("an upstream with a CA", sources=_upstream("registry:5000", caSecretRef={"name": "c"})),
    _good("an archive in a folder", sources=_source(archive={"path": "b 1/x..y.tar"})),
    _good("the whole archive volume", sources=_source(archive={"path": "."})),
    _good("aliases", aliases=["127.0.0.1:5000", "172.30.0.16:5000", "registry:5000"]),
    _good("images", images=[{"image": "nginx"}, {"image": "a", "platform": "linux/arm64"}]),
    _good("128 images", images=_images(128)),
    _good("every namespace, written out", allowedNamespaces={}),
    _good("Pin", refresh={"policy": "Pin"}),
    _good("Automatic", pushPolicy="Automatic"),
    _good("nulls for what has a default", refresh=None, pushPolicy=None),
    _bad("no registry", registry=ABSENT),
    _bad("no push URL", registry__pushURL=ABSENT),
    _bad("no pull host", registry__pullHost=ABSENT),
    _bad("a push URL with a path", registry__pushURL="https://registry/v2"),
    _bad("a push URL with credentials", registry__pushURL="https://me:pw@registry"),
    _bad("a push URL of another scheme", registry__pushURL="ftp://registry"),
    _bad("a push URL with a line end", registry__pushURL="https://registry\n"),
    _bad("a pull host that Docker takes for a namespace", registry__pullHost="registry"),
    _bad("a pull host with a scheme", registry__pullHost="http://registry:5000"),
    _bad("a pull host in IPv6", registry__pullHost="[fd00::1]:5000"),
    _bad("an unknown compression", registry__compression="None"),
    _bad("a Secret without a name", registry__pushSecretRef={}),
    _bad("a Secret with a path for a name", registry__pushSecretRef={"name": "../x"}),
    _bad(
        "a source of two kinds", sources=_source(archive={"path": "a"}, upstream={"hosts": ["a.b"]})
    ),
    _bad("a source of no kind", sources=_source()),
    _bad("a source without a name", sources=[{"archive": {"path": "a"}}]),
    _bad("two sources of one name", sources=_source(archive={"path": "a"}) * 2),
    _bad("17 sources", sources=[{"name": f"s{n}", "archive": {"path": "a"}} for n in range(17)]),
    _bad("an engine with neither TLS nor insecure", sources=_engine(_TCP)),
    _bad("an engine with insecure: false alone", sources=_engine(_TCP, insecure=False)),
    _bad("an engine with TLS and insecure", sources=_engine(_TCP, tls=_TLS, insecure=True)),
    _bad("an engine on a socket with TLS", sources=_engine("unix:///run/docker.sock", tls=_TLS)),
    _bad("an insecure socket", sources=_engine("unix:///run/docker.sock", insecure=True)),
    _bad("an engine without a port", sources=_engine("tcp://builder", tls=_TLS)),
    _bad("an engine by ssh", sources=_engine("ssh://builder:22", tls=_TLS)),
    _bad("an upstream without hosts", sources=_upstream()),
    _bad("an upstream that is a namespace", sources=_upstream("library")),
    _bad("an upstream twice", sources=_upstream("docker.io", "docker.io")),
    _bad("a CA without TLS", sources=_upstream("a.b", insecure=True, caSecretRef={"name": "c"})),
    _bad("an absolute path", sources=_source(archive={"path": "/bundles"})),
    _bad("a path that leaves", sources=_source(archive={"path": "../x"})),
    _bad("a path that leaves later", sources=_source(archive={"path": "a/../../x"})),
    _bad("a path that ends outside", sources=_source(archive={"path": "a/.."})),
    _bad("an empty path", sources=_source(archive={"path": ""})),
    _bad("a path with a line end", sources=_source(archive={"path": "a\n"})),
    _bad("the same alias twice", aliases=["a:1", "a:1"]),
    _bad("17 aliases", aliases=[f"a:{n}" for n in range(17)]),
    _bad("an alias that Docker takes for a namespace", aliases=["registry"]),
    _bad("Docker Hub as an alias", aliases=["docker.io"]),
    _bad("Docker Hub's other name as an alias", aliases=["Index.docker.io"]),
    _bad("129 images", images=_images(129)),
    _bad("the same image twice", images=[{"image": "a"}, {"image": "a"}]),
    _bad("an unknown refresh policy", refresh={"policy": "Follow"}),
    _bad("an unknown push policy", pushPolicy="Never"),
    *_at("allowedNamespaces"),
    *_durations("refresh.interval", most="168h", beyond="168.5h"),
    _good("no limits", limits={}),
    _good("every limit", limits={"stall": "5m", "total": "2h", "interval": "30s"}),
    _good("a stall alone that is longer than any default", limits={"stall": "24h"}),
    _bad(
        "a limit of stall that is no shorter than that of total",
        limits={"stall": "1h", "total": "60m"},
    ),
    *_durations("limits.interval", most="168h", beyond="168h1ms"),
    *_durations("limits.stall", most="24h", beyond="24h1ms"),
    *_durations("limits.total", most="168h", beyond="168h1ms"),
)
