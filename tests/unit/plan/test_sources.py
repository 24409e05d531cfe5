"""Where an image comes from: names, order, platforms, and what could not be seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from cyroid_images.errors import Reason
from cyroid_images.model.archive import ArchiveImage, ArchiveView
from cyroid_images.model.fault import Absence, Fault
from cyroid_images.model.images.image import ImageContent
from cyroid_images.model.images.reference import Reference
from cyroid_images.model.knowledge import HeldByArchive, HeldByEngine, HeldByUpstream
from cyroid_images.model.observed import SourceSeen, UpstreamShown
from cyroid_images.model.upstream import upstream_endpoint
from cyroid_images.plan.sources import Sources, resolve
from tests.unit.plan.examples import (
    AMD64,
    ARM64,
    content,
    digest,
    fault,
    source_seen,
    stored,
    view,
    wish,
)

ALIASES = ("127.0.0.1:5000", "172.30.0.16:5000")
ONE, TWO, ARM = content("one"), content("two"), content("arm", ARM64)
AWAY = fault(Reason.ENGINE_UNREACHABLE, "refused")
PINNED = f"nginx@{digest('index')}"

Shown = Mapping[str, ImageContent]
FOUND: dict[str, tuple[str, Shown, Shown]] = {
    "as-written": ("nginx:1.25", {"nginx:1.25": ONE, "nginx:latest": TWO}, {}),
    "an-alias-as-written": (
        "127.0.0.1:5000/x:1", {"127.0.0.1:5000/x:1": ONE, "172.30.0.16:5000/x:1": TWO}, {},
    ),
    "an-alias-under-the-other": ("127.0.0.1:5000/x:1", {"172.30.0.16:5000/x:1": ONE}, {}),
    "an-alias-by-its-bare-name": ("127.0.0.1:5000/x:1", {"x:1": ONE}, {}),
    "the-other-alias-before-the-bare-name": (
        "127.0.0.1:5000/x:1", {"x:1": TWO, "172.30.0.16:5000/x:1": ONE}, {},
    ),
    "a-digest": (PINNED, {}, {PINNED: ONE}),
    "a-digest-with-a-tag-that-moved": (
        f"nginx:1@{digest('index')}", {"nginx:1": TWO}, {PINNED: ONE},
    ),
    "a-digest-that-is-the-id-of-the-tagged-image": (
        f"nginx:1@{digest('config one')}", {"nginx:1": ONE}, {},
    ),
}  # fmt: skip
NOT_FOUND: dict[str, tuple[str, Shown]] = {
    "another-tag": ("nginx:1.25", {"nginx:1.24": ONE}),
    "a-bare-name-is-no-alias": ("ghcr.io/x:1", {"x:1": ONE}),
    "a-digest-of-other-content": (f"nginx:1@{digest('index')}", {"nginx:1": ONE}),
}


@pytest.mark.parametrize(("image", "tagged", "by_digest"), FOUND.values(), ids=FOUND)
def test_a_source_is_searched_by_every_name_of_an_image(
    image: str, tagged: Shown, by_digest: Shown
) -> None:
    found = resolve(wish(image), Sources([source_seen(view(tagged, by_digest))], ALIASES))
    assert isinstance(found, HeldByEngine)
    assert found.content.is_same(ONE)
    assert found.id in found.content.aliases


@pytest.mark.parametrize(("image", "tagged"), NOT_FOUND.values(), ids=NOT_FOUND)
def test_what_is_not_there_is_not_found(image: str, tagged: Shown) -> None:
    found = resolve(wish(image), Sources([source_seen(view(tagged))], ALIASES))
    assert isinstance(found, Fault)
    assert found.reason is Reason.IMAGE_NOT_FOUND


def test_the_first_reachable_source_that_has_it_wins() -> None:
    sources = [
        source_seen(AWAY, "first"),
        source_seen(view({"other:1": TWO}), "second"),
        source_seen(view({"nginx:1.25": ONE}), "third"),
        source_seen(view({"nginx:1.25": TWO}), "fourth"),
    ]
    found = resolve(wish(), Sources(sources))
    assert isinstance(found, HeldByEngine)
    assert found.source == "third"


def test_a_source_that_cannot_be_seen_is_not_one_that_lacks_it() -> None:
    sources = [source_seen(view(), "first"), source_seen(AWAY, "second")]
    found = resolve(wish(), Sources(sources))
    assert found == fault(Reason.SOURCE_UNREACHABLE, "source second: refused")


def test_sources_that_answer_and_lack_it_are_named() -> None:
    found = resolve(wish(), Sources([source_seen(view(), "a"), source_seen(view(), "b")], ()))
    assert isinstance(found, Fault)
    assert found.message == "no source has nginx:1.25 (looked in a, b); will look again"


def test_a_cache_without_sources_says_so() -> None:
    found = resolve(wish(), Sources([], ()))
    assert isinstance(found, Fault)
    assert "the cache names no source" in found.message


def test_another_platform_is_told_and_never_taken() -> None:
    found = resolve(wish(platform=AMD64), Sources([source_seen(view({"nginx:1.25": ARM}))], ()))
    assert isinstance(found, Fault)
    assert found.reason is Reason.PLATFORM_MISMATCH
    assert "linux/arm64, not for linux/amd64" in found.message


def test_a_later_source_may_have_the_wanted_platform() -> None:
    sources = [
        source_seen(view({"nginx:1.25": ARM}), "arm"),
        source_seen(view({"nginx:1.25": ONE}), "amd"),
    ]
    found = resolve(wish(platform=AMD64), Sources(sources))
    assert isinstance(found, HeldByEngine)
    assert found.source == "amd"


def test_an_image_without_all_of_its_layers_is_told_under_whatever_name_the_source_has_it() -> None:
    half = replace(view(), half=frozenset({Reference.parse("x:1")}))
    found = resolve(wish("127.0.0.1:5000/x:1"), Sources([source_seen(half)], ALIASES))
    assert isinstance(found, Fault)
    assert found.reason is Reason.BLOB_MISSING
    other = resolve(wish("127.0.0.1:5000/y:1"), Sources([source_seen(half)], ALIASES))
    assert isinstance(other, Fault)
    assert other.reason is Reason.IMAGE_NOT_FOUND


def archived(image: str = "nginx:1.25", word: str = "one", **more: object) -> ArchiveImage:
    """One image of an archive."""
    known = content(word, **more)  # type: ignore[arg-type]
    return ArchiveImage("lab.tar", frozenset({Reference.parse(image)}), known, b"{}", ())


UPSTREAM = upstream_endpoint("docker.io", frozenset({"docker.io"}))
HUB = HeldByUpstream("hub", UPSTREAM, stored())
DAMAGED = {"bad.tar": fault(Reason.ARCHIVE_INVALID, "it is truncated")}


def test_an_archive_gives_an_alias_name_that_it_knows_bare() -> None:
    source = SourceSeen("bundles", ArchiveView((archived("cyroid/kali:1"),)))
    found = resolve(wish("127.0.0.1:5000/cyroid/kali:1"), Sources([source], ALIASES))
    assert isinstance(found, HeldByArchive)


def test_p_x4_a_name_that_nobody_asked_for_stays_in_the_archive() -> None:
    source = SourceSeen("bundles", ArchiveView((archived(), archived("other:1", "two"))))
    found = resolve(wish(), Sources([source]))
    assert isinstance(found, HeldByArchive)
    assert found.content.is_same(ONE)


def test_of_several_platforms_in_an_archive_the_wanted_one_is_taken() -> None:
    both = ArchiveView((archived(word="arm", platform=ARM64), archived()))
    source = SourceSeen("bundles", both)
    chosen = [
        resolve(wish(platform=platform), Sources([source], default=AMD64))
        for platform in (None, AMD64, ARM64)
    ]
    assert [getattr(each, "content").platform for each in chosen] == [AMD64, AMD64, ARM64]  # noqa: B009 - of a union


def test_a_missing_platform_in_an_archive_is_a_reason() -> None:
    source = SourceSeen("bundles", ArchiveView((archived(),)))
    found = resolve(wish(platform=ARM64), Sources([source]))
    assert isinstance(found, Fault)
    assert found.reason is Reason.PLATFORM_MISMATCH


DIGEST = digest("config one")
BY_DIGEST = {
    "its-name-and-digest": (f"nginx@{DIGEST}", True),
    "its-other-name-and-digest": (f"ghcr.io/a/nginx@{DIGEST}", True),
    "whatever-the-tag": (f"nginx:moved@{DIGEST}", True),
    "another-name": (f"redis@{DIGEST}", False),
    "another-digest": (f"nginx@{digest('config two')}", False),
}


@pytest.mark.parametrize(("image", "is_there"), BY_DIGEST.values(), ids=BY_DIGEST)
def test_an_archive_gives_by_digest_what_has_that_digest_and_a_name_of_that_repository(
    image: str, is_there: bool
) -> None:
    names = frozenset(map(Reference.parse, ("nginx:1.25", "ghcr.io/a/nginx:1.25")))
    source = SourceSeen("bundles", ArchiveView((replace(archived(), names=names),)))
    assert isinstance(resolve(wish(image), Sources([source])), HeldByArchive) is is_there


def test_an_archive_that_is_whole_and_lacks_an_image_has_answered() -> None:
    found = resolve(wish("other:1"), Sources([SourceSeen("bundles", ArchiveView((archived(),)))]))
    assert isinstance(found, Absence)


def test_what_a_damaged_archive_may_hold_is_not_called_absent() -> None:
    source = SourceSeen("bundles", ArchiveView((archived(),), DAMAGED))
    assert isinstance(resolve(wish(), Sources([source])), HeldByArchive)
    assert resolve(wish("other:1"), Sources([source])) == fault(
        Reason.ARCHIVE_INVALID,
        "source bundles: other:1 is in no readable archive, but may be in bad.tar: it is truncated",
    )


@pytest.mark.parametrize(("names", "told"), [("abc", "a.tar or 2 more"), ("ab", "a.tar or 1 more")])
def test_of_many_damaged_archives_one_is_named_and_the_others_are_counted(
    names: str, told: str
) -> None:
    faults = {f"{name}.tar": fault(Reason.ARCHIVE_INVALID, "it is truncated") for name in names}
    found = resolve(wish(), Sources([SourceSeen("bundles", ArchiveView((), faults))]))
    assert isinstance(found, Fault)
    assert found.message.endswith(f"may be in {told}: it is truncated")


def test_a_damaged_archive_hides_no_image_that_a_later_source_has() -> None:
    source = SourceSeen("bundles", ArchiveView((), DAMAGED))
    found = resolve(wish(), Sources([source, source_seen(view({"nginx:1.25": ONE}))]))
    assert isinstance(found, HeldByEngine)


def test_an_upstream_is_believed_after_the_sources_before_it() -> None:
    hub = SourceSeen("hub", UpstreamShown(frozenset({"docker.io"}), {wish(): HUB}))
    assert resolve(wish(), Sources([source_seen(view()), hub])) is HUB
    here = source_seen(view({"nginx:1.25": TWO}))
    assert isinstance(resolve(wish(), Sources([here, hub])), HeldByEngine)


@pytest.mark.row("H6")
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("169.254.169.254/latest/meta-data:1", Reason.HOST_NOT_ALLOWED),
        ("quay.io/a/b:1", Reason.HOST_NOT_ALLOWED),
        ("docker.io/a/b:1", Reason.IMAGE_NOT_FOUND),
        (f"{ALIASES[0]}/a/b:1", Reason.IMAGE_NOT_FOUND),
    ],
)
def test_a_host_that_no_upstream_names_is_told_as_such(name: str, reason: Reason) -> None:
    hub = SourceSeen("hub", UpstreamShown(frozenset({"docker.io"}), {}))
    found = resolve(wish(name), Sources([source_seen(view()), hub], ALIASES))
    assert isinstance(found, Fault)
    assert found.reason is reason
    alone = resolve(wish(name), Sources([source_seen(view())], ALIASES))
    assert isinstance(alone, Fault)
    assert alone.reason is Reason.IMAGE_NOT_FOUND


def test_a_source_that_may_come_back_is_waited_for_before_a_human_is_asked() -> None:
    denied = fault(Reason.UNAUTHORIZED, "denied")
    hub = SourceSeen("hub", UpstreamShown(frozenset({"docker.io"}), {wish(): denied}))
    assert resolve(wish(), Sources([hub])) == denied
    found = resolve(wish(), Sources([hub, source_seen(AWAY, "builder")]))
    assert isinstance(found, Fault)
    assert found.reason is Reason.SOURCE_UNREACHABLE


def test_archives_that_are_still_being_read_are_progress() -> None:
    reading = fault(Reason.PROGRESSING, "its archives are being read")
    found = resolve(wish(), Sources([SourceSeen("bundles", fault=reading)]))
    assert isinstance(found, Fault)
    assert found.reason is Reason.PROGRESSING
