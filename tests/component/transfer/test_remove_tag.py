"""An image leaves a real registry, of both generations: never with what something else needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest

from cyroid_images.errors import Cancelled, Reason, TransferError
from cyroid_images.model.actions import Remove
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.manifest import OCI_INDEX, OCI_MANIFEST
from cyroid_images.model.images.reference import Reference
from cyroid_images.model.images.repository import pin_tag
from cyroid_images.model.registry import RegistryEndpoint
from cyroid_images.model.removal import Removed
from cyroid_images.registry import deletion
from cyroid_images.registry.client import RegistryClient
from cyroid_images.scheduling.cancel_scope import CancelScope
from cyroid_images.transfer.remove_tag import HOW_TO_ALLOW, remove_tag
from tests.parts.images import TinyImage, index_of, tiny_image
from tests.parts.registry import NewRegistry, RegistryPart, running_registry
from tests.parts.scripted import ScriptedServer, reply, reply_json

GENERATIONS = ("docker-registry", "registry3")
_numbers = count(1)


@pytest.fixture(scope="module", params=GENERATIONS)
def of_any_kind(request: pytest.FixtureRequest) -> Iterator[RegistryPart]:
    """Distribution 2.8, which removes no tag alone, and 3, which does."""
    with running_registry(program=request.param) as part:
        yield part


@dataclass(slots=True)
class Shelf:
    """One repository of a registry, and what is done with it."""

    part: RegistryPart
    repository: str

    @property
    def client(self) -> RegistryClient:
        return RegistryClient(self.part.push_endpoint)

    def put(self, *tags: str, image: TinyImage | None = None) -> Digest:
        """Push an image as our transfers do: under its tags, pinned."""
        image = image or tiny_image(({"about": tags[0].encode()},))
        for tag in (*tags, pin_tag(image.digest)):
            self.part.push(self.repository, tag, image)
        return image.digest

    def put_index(self, tag: str, **images: TinyImage) -> Digest:
        """Push an index of these (by architecture), as an engine with several platforms does."""
        for image in images.values():
            self.part.push(self.repository, "for-a-moment", image)
        content = index_of({f"linux/{name}": image for name, image in images.items()})
        return self.client.put_manifest(self.repository, tag, content, OCI_INDEX)

    def action(self, tag: str, **more: Any) -> Remove:
        image = Reference.parse(f"shelf.example/x:{tag}")
        endpoint = self.part.push_endpoint
        return Remove(image, endpoint, self.repository, tag, "a test wants it so", **more)

    def remove(self, tag: str, **more: Any) -> Removed:
        return remove_tag(self.action(tag, **more), self.client, CancelScope())

    def tags(self) -> set[str]:
        return set(self.client.tags(self.repository))

    def has(self, digest: Digest) -> bool:
        return self.client.has_manifest(self.repository, digest)


@pytest.fixture
def shelf(of_any_kind: RegistryPart) -> Shelf:
    return Shelf(of_any_kind, f"removing/number-{next(_numbers)}")


def refused(act: Callable[[], object]) -> tuple[Reason, str]:
    with pytest.raises(TransferError) as caught:
        act()
    return caught.value.reason, caught.value.message


def is_of_three(shelf: Shelf) -> bool:
    return shelf.part.program == "registry3"


def test_an_image_goes_with_its_tag_its_pin_and_its_manifest(shelf: Shelf) -> None:
    digest = shelf.put("1")
    assert shelf.remove("1") == Removed((digest,), ("1",))
    assert not shelf.tags()
    assert not shelf.has(digest)


def test_what_is_gone_already_is_a_success_also_in_no_repository(shelf: Shelf) -> None:
    assert shelf.remove("1") == Removed()
    shelf.put("2")
    assert shelf.remove("1") == Removed()
    shelf.remove("2")
    assert shelf.remove("2") == Removed()


def test_other_images_of_the_repository_stay(shelf: Shelf) -> None:
    shelf.put("1")
    other = shelf.put("2")
    shelf.remove("1")
    assert shelf.tags() == {"2", pin_tag(other)}
    assert shelf.has(other)


def test_a_manifest_that_another_tag_names_stays_with_that_tag(shelf: Shelf) -> None:
    """2.8 cannot remove the tag alone, and says so; nothing is lost in either."""
    digest = shelf.put("1", "latest")
    if is_of_three(shelf):
        assert shelf.remove("1") == Removed((), ("1",))
        assert shelf.tags() == {"latest", pin_tag(digest)}
    else:
        reason, message = refused(lambda: shelf.remove("1"))
        assert reason is Reason.MANIFEST_SHARED
        assert f"{shelf.repository}:1 stays: the tag latest needs the same manifest" in message
        assert shelf.tags() == {"1", "latest", pin_tag(digest)}
    assert shelf.has(digest)


def test_two_tags_of_one_manifest_that_both_leave_do_not_keep_one_another(shelf: Shelf) -> None:
    digest = shelf.put("1", "latest")
    removed = shelf.remove("1", leaving=frozenset({"latest"}))
    assert removed == Removed((digest,), ("1", "latest"))
    assert not shelf.tags()
    assert shelf.remove("latest", leaving=frozenset({"1"})) == Removed()


def test_a_manifest_that_a_wanted_image_is_known_by_stays(shelf: Shelf) -> None:
    """A range pulls by digest: no tag may tell of it."""
    digest = shelf.put("1")
    if is_of_three(shelf):
        assert shelf.remove("1", kept=frozenset({digest})) == Removed((), ("1",))
        assert shelf.tags() == {pin_tag(digest)}
    else:
        reason, message = refused(lambda: shelf.remove("1", kept=frozenset({digest})))
        assert reason is Reason.MANIFEST_SHARED
        assert "an image that is wanted needs the same manifest" in message
    assert shelf.has(digest)


def test_an_index_goes_with_the_children_that_nothing_else_needs(shelf: Shelf) -> None:
    amd, arm = tiny_image(architecture="amd64"), tiny_image(architecture="arm64")
    index = shelf.put_index("1", amd64=amd, arm64=arm)
    shelf.put("for-a-moment", image=tiny_image(({"other": b"x"},)))  # the children have no tag
    shelf.part.push(shelf.repository, "arm", arm)
    shelf.remove("1")
    assert not shelf.has(index)
    assert not shelf.has(amd.digest)
    assert shelf.has(arm.digest)
    assert "arm" in shelf.tags()


def test_a_child_of_an_index_that_stays_is_not_removed(shelf: Shelf) -> None:
    amd, arm = tiny_image(architecture="amd64"), tiny_image(architecture="arm64")
    shelf.put_index("all", amd64=amd, arm64=arm)
    shelf.put("amd", image=amd)
    if is_of_three(shelf):
        assert shelf.remove("amd") == Removed((), ("amd",))
    else:
        reason, message = refused(lambda: shelf.remove("amd"))
        assert reason is Reason.MANIFEST_SHARED
        assert "the index of the tag all needs the same manifest" in message
    assert shelf.has(amd.digest)


def test_two_indexes_share_their_children(shelf: Shelf) -> None:
    amd, arm, old = (tiny_image(({"n": each},)) for each in (b"amd", b"arm", b"old"))
    shelf.put_index("1", amd64=amd, arm64=old)
    second = shelf.put_index("2", amd64=amd, arm64=arm)
    shelf.put("for-a-moment", image=tiny_image(({"other": b"x"},)))
    shelf.remove("1")
    assert not shelf.has(old.digest)
    assert all(map(shelf.has, (amd.digest, arm.digest, second)))


def test_a_manifest_that_only_its_pin_names_goes_when_it_is_known(shelf: Shelf) -> None:
    """Another platform of it was pushed under the tag since, or the tag was moved."""
    first = shelf.put("1", image=tiny_image(({"first": b"1"},)))
    second = shelf.put("1", image=tiny_image(({"second": b"2"},)))
    assert shelf.remove("1", known=frozenset({first})) == Removed((second, first), ("1",))
    assert not shelf.tags()


def test_a_tag_that_means_another_image_than_the_digest_named_stays(shelf: Shelf) -> None:
    named = shelf.put("1", image=tiny_image(({"named": b"1"},)))
    other = shelf.put("1", image=tiny_image(({"other": b"2"},)))
    removed = shelf.remove("1", named=frozenset({named}), known=frozenset({named}))
    assert removed == Removed((named,))
    assert shelf.tags() == {"1", pin_tag(other)}


def test_what_cannot_be_read_may_need_anything(shelf: Shelf) -> None:
    """A damaged manifest under another tag: nobody can tell what it names."""
    digest = shelf.put("1")
    shelf.part.blob_file(shelf.put("2")).write_bytes(b"{}")
    reason, message = refused(lambda: shelf.remove("1"))
    assert reason in (Reason.REMOVAL_FAILED, Reason.SERVER_ERROR)
    assert f"{shelf.repository}" in message
    assert shelf.has(digest)


def test_a_registry_that_deletes_nothing_is_told_with_what_helps(
    new_registry: NewRegistry,
) -> None:
    for program in GENERATIONS:
        shelf = Shelf(new_registry(program=program, deletes=False), "removing/refused")
        digest = shelf.put("1")
        reason, message = refused(lambda shelf=shelf: shelf.remove("1"))  # type: ignore[misc]
        assert reason is Reason.DELETION_REFUSED
        assert message.endswith(HOW_TO_ALLOW)
        assert shelf.has(digest)


def test_a_listener_that_only_reads_is_told_as_such(shelf: Shelf) -> None:
    digest = shelf.put("1")
    reader = RegistryClient(shelf.part.pull_endpoint)
    reason, _ = refused(lambda: remove_tag(shelf.action("1"), reader, CancelScope()))
    assert reason is Reason.REGISTRY_READ_ONLY
    assert shelf.has(digest)


class Deaf(RegistryClient):
    """Takes every deletion, and does none: a registry that lies."""

    def delete_manifest(self, *_: object, **__: object) -> None:
        """Says it is done."""


def test_a_registry_that_lies_is_not_believed(shelf: Shelf) -> None:
    digest = shelf.put("1")
    liar = Deaf(shelf.part.push_endpoint)
    reason, message = refused(lambda: remove_tag(shelf.action("1"), liar, CancelScope()))
    assert reason is Reason.REMOVAL_FAILED
    assert message.endswith("as removed, and still has it; will retry")
    assert shelf.has(digest)


class Interrupted(RegistryClient):
    """Somebody comes right after each deletion."""

    def __init__(self, endpoint: RegistryEndpoint, then: Callable[[], object]) -> None:
        super().__init__(endpoint)
        self._then = then

    def delete_manifest(self, *args: Any, **more: Any) -> None:
        super().delete_manifest(*args, **more)
        self._then()


def test_a_tag_that_is_pushed_again_meanwhile_is_no_success(shelf: Shelf) -> None:
    shelf.put("1")
    new = tiny_image(({"new": b"1"},))
    busy = Interrupted(shelf.part.push_endpoint, lambda: shelf.put("1", image=new))
    reason, message = refused(lambda: remove_tag(shelf.action("1"), busy, CancelScope()))
    assert reason is Reason.REMOVAL_FAILED
    assert message == f"somebody pushed {shelf.repository}:1 while it was removed; will retry"
    assert shelf.has(new.digest)


def test_a_removal_that_was_cut_goes_on_where_it_was(shelf: Shelf) -> None:
    first = shelf.put("1", image=tiny_image(({"first": b"1"},)))
    second = shelf.put("1", image=tiny_image(({"second": b"2"},)))
    known, scope = frozenset({first, second}), CancelScope()
    cut = Interrupted(shelf.part.push_endpoint, scope.cancel)
    with suppress(Cancelled):
        remove_tag(shelf.action("1", known=known), cut, scope)
    assert [shelf.has(first), shelf.has(second)] == [True, False]
    assert shelf.remove("1", known=known) == Removed((first,))
    assert not shelf.tags()


def test_more_tags_than_can_be_looked_through_keep_everything(
    scripted: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the registry tells page after page for ever."""
    monkeypatch.setattr(deletion, "MOST_TAGS", 3)
    pages = [
        reply_json(200, {"tags": [f"t{number}"]}, {"Link": '</v2/a/b/tags/list>; rel="next"'})
        for number in range(9)
    ]
    image = tiny_image()
    head = {"Content-Type": OCI_MANIFEST, "Docker-Content-Digest": str(image.digest)}
    scripted.script("HEAD", ".*/manifests/.*", reply(200, b"", head))
    scripted.script("GET", ".*/tags/list", *pages)
    endpoint = RegistryEndpoint(scripted.url)
    action = Remove(Reference.parse("b"), endpoint, "a/b", "1", "a test wants it so")
    reason, message = refused(lambda: remove_tag(action, RegistryClient(endpoint), CancelScope()))
    assert (reason, message) == (
        Reason.REMOVAL_FAILED,
        "a/b has more than 3 tags, too many to look through",
    )
    assert not scripted.seen("DELETE", ".*")


@pytest.mark.parametrize("body", ["[]", "{}", '{"tags": 1}', '{"tags": [1]}', "nonsense", ""])
def test_a_list_of_tags_that_is_none_keeps_everything(scripted: ScriptedServer, body: str) -> None:
    image = tiny_image()
    head = {"Content-Type": OCI_MANIFEST, "Docker-Content-Digest": str(image.digest)}
    scripted.script("HEAD", ".*/manifests/.*", reply(200, b"", head))
    scripted.script("GET", ".*/tags/list", reply(200, body, {"Content-Type": "application/json"}))
    endpoint = RegistryEndpoint(scripted.url)
    action = Remove(Reference.parse("b"), endpoint, "a/b", "1", "a test wants it so")
    reason, _ = refused(lambda: remove_tag(action, RegistryClient(endpoint), CancelScope()))
    assert reason is Reason.PROTOCOL_ERROR
    assert not scripted.seen("DELETE", ".*")


def test_a_list_of_tags_is_read_page_by_page(scripted: ScriptedServer) -> None:
    more = {"Link": '</v2/a/b/tags/list?last=b>; rel="next"'}
    scripted.script(
        "GET",
        ".*/tags/list",
        reply_json(200, {"tags": ["a", "b"]}, more),
        reply_json(200, {"tags": ["c"]}),
    )
    assert RegistryClient(RegistryEndpoint(scripted.url)).tags("a/b") == ("a", "b", "c")
    asked = [each.target for each in scripted.requests]
    assert asked == ["/v2/a/b/tags/list?n=1000", "/v2/a/b/tags/list?n=1000&last=b"]
