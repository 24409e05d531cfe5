"""The client speaks of the API that is served: paths, what is chosen, what is sent and answered."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from cyroid_images.api import command
from cyroid_images.client import calls
from cyroid_images.client.steps import ApiCall, StreamedBody
from cyroid_images.client.surface import Answered, Surface

DOCUMENT = json.loads(command.openapi())
SERVED: dict[tuple[str, str], dict[str, Any]] = {
    (method.upper(), path): operation
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
}
STREAMS = {"registry_stream", "range_stream"}
"""Calls that are no method of their own: `watch_registry` and `watch_ranges` make them."""


def making() -> dict[str, Callable[..., ApiCall[Any]]]:
    """Every function that makes a call."""
    return {
        name: function
        for name, function in inspect.getmembers(calls, inspect.isfunction)
        if function.__module__ == calls.__name__ and not name.startswith("_")
    }


def example(name: str) -> ApiCall[Any]:
    """The call with everything chosen that can be."""
    chosen = {"int": 1, "bool": True, "UploadContent": (b"x",)}
    arguments = {}
    for each in inspect.signature(making()[name]).parameters.values():
        kind = str(each.annotation).partition(" ")[0]
        arguments[each.name] = chosen.get(kind, f"a-{each.name.replace('_', '-')}")
    return making()[name](**arguments)


def served_as(call: ApiCall[Any]) -> tuple[str, str]:
    """Method and path, as the description has them; the most literal path wins."""
    found = [
        (method, path)
        for method, path in SERVED
        if method == call.method and re.fullmatch(re.sub(r"{\w+}", "[^/]+", path), call.path)
    ]
    assert found, f"{call.name} is not served"
    return min(found, key=lambda pair: pair[1].count("{"))


each_call = pytest.mark.parametrize("name", sorted(making()))


@each_call
def test_what_the_client_calls_is_served(name: str) -> None:
    operation = SERVED[served_as(example(name))]
    taken = {each["name"] for each in operation.get("parameters", ()) if each["in"] == "query"}
    assert set(example(name).query) == taken


@each_call
def test_what_the_client_sends_is_taken(name: str) -> None:
    call = example(name)
    if isinstance(call.body, StreamedBody):
        assert call.body.media_type in SERVED[served_as(call)]["requestBody"]["content"]
        return
    described = SERVED[served_as(call)].get("requestBody")
    assert (described is None) == (call.body is None)
    if described is not None:
        schema = resolved(described["content"]["application/json"]["schema"])
        assert isinstance(call.body, dict)
        assert call.body.keys() == schema["properties"].keys()


@each_call
def test_what_the_client_reads_is_what_is_answered(name: str) -> None:
    call = example(name)
    answers = SERVED[served_as(call)]["responses"]
    (content,) = [each["content"] for code, each in answers.items() if code.startswith("2")]
    if name in STREAMS:
        assert set(content) == {"text/event-stream"}
        return
    schema = resolved(content["application/json"]["schema"])
    title = resolved(schema["items"])["title"] if schema.get("type") == "array" else schema["title"]
    assert title in type_names(name)


def test_everything_that_is_served_can_be_called() -> None:
    assert {served_as(example(name)) for name in making()} == set(SERVED)


def test_every_call_is_a_method_of_both_clients() -> None:
    methods = {
        name: each.make for name, each in vars(Surface).items() if isinstance(each, Answered)
    }
    assert methods == {name: make for name, make in making().items() if name not in STREAMS}


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    name = schema.get("$ref", "").rpartition("/")[2]
    found: dict[str, Any] = DOCUMENT["components"]["schemas"][name] if name else schema
    return found


def type_names(name: str) -> set[str]:
    """Names of the answer's type; a page of images comes as its items."""
    told = str(inspect.signature(making()[name]).return_annotation)
    names = set(re.findall(r"[A-Z]\w+", told))
    return names | {"StoredImage"} if "ImagePage" in names else names


def test_the_check_finds_the_more_literal_path() -> None:
    stream = example("range_stream")
    assert served_as(stream) == ("GET", "/api/v1/ranges/events")
