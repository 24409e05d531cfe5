"""What an engine saves counts only as a whole: each lie of a stream has its reason."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

import pytest

from cyroid_images.archive import saved
from cyroid_images.archive.saved import SavedImage, SaveStream
from cyroid_images.archive.tar import Member, members
from cyroid_images.errors import Reason, TransferError
from cyroid_images.model.images.digest import Digest
from tests.parts.archives import (
    PACKED,
    config_of,
    layer,
    links_tar,
    old_members,
    saved_list,
    sha,
)

ONE, TWO = layer("one"), layer("two")
CONFIG = config_of([ONE, TWO])
CONFIG_FILE = f"{sha(CONFIG)}.json"
OLD = old_members("x:1", layers=[ONE, TWO])
FIRST, SECOND = (name for name in OLD if name.endswith("layer.tar"))

Members = Mapping[str, bytes | str]


def blob(content: bytes) -> str:
    return f"blobs/sha256/{sha(content)}"


def listed(layers: Sequence[str], config: str = CONFIG_FILE) -> bytes:
    return saved_list(config, layers, "x:1")


def new_members(layers: Sequence[bytes] = (ONE, TWO), stored: Sequence[bytes] = ()) -> Members:
    """What Docker >= 25 saves; `stored` are the bytes of the layers where it has others."""
    kept, config = stored or layers, config_of(layers)
    made: dict[str, bytes | str] = {blob(content): content for content in (*kept, config)}
    names = [blob(content) for content in kept]
    return made | {"manifest.json": saved_list(blob(config), names, "x:1")}


def pieces(content: bytes, size: int = 700) -> Iterator[bytes]:
    """As bytes come off a socket: never as the members lie."""
    return (content[at : at + size] for at in range(0, len(content), size))


def read(
    made: Members, layers: Sequence[bytes] = (ONE, TWO)
) -> tuple[SavedImage, dict[str, bytes]]:
    """The image of such a tar, and the bytes that passed as each of its layers."""
    stream = SaveStream(members(pieces(links_tar(made))), [Digest.of(each) for each in layers])
    passed = {each.member: b"".join(each.chunks) for each in stream.layers()}
    return stream.image(), passed


def failure(made: Members, layers: Sequence[bytes] = (ONE, TWO)) -> TransferError:
    with pytest.raises(TransferError) as caught:
        read(made, layers)
    return caught.value


@pytest.mark.parametrize("made", [OLD, new_members()], ids=["docker-20", "docker-25"])
def test_layers_come_out_in_the_order_of_the_config(made: Members) -> None:
    """Whatever the order of the members: Docker sends them by name."""
    for each in (made, dict(reversed(list(made.items()))), dict(sorted(made.items()))):
        image, passed = read(each)
        assert [passed[member] for member in image.layers] == [ONE, TWO]
        assert (image.config, image.manifest, image.is_compressed) == (CONFIG, None, False)


def test_a_layer_is_known_before_its_bytes_only_where_its_name_says_it() -> None:
    """The old name is a legacy ID, which tells nothing of the content."""
    for made, known in ((new_members(), {Digest.of(ONE), Digest.of(TWO)}), (OLD, {None})):
        diff_ids = [Digest.of(ONE), Digest.of(TWO)]
        stream = SaveStream(members([links_tar(made)]), diff_ids)
        assert {each.digest for each in stream.layers()} == known


def test_an_unread_layer_is_hashed_all_the_same() -> None:
    """A layer that the registry has is not read by whoever sends."""
    stream = SaveStream(members(pieces(links_tar(OLD))), [Digest.of(ONE), Digest.of(TWO)])
    for _ in stream.layers():
        pass
    assert stream.image().layers == (FIRST, SECOND)


@pytest.mark.parametrize("is_before", [True, False], ids=["before-its-target", "after-it"])
def test_a_layer_that_stands_twice_may_be_a_link(is_before: bool) -> None:
    link: dict[str, bytes | str] = {"0/layer.tar": f"../{FIRST}"}
    config = config_of([ONE, ONE])
    rest: Members = {
        FIRST: ONE,
        f"{sha(config)}.json": config,
        "manifest.json": listed([FIRST, "0/layer.tar"], f"{sha(config)}.json"),
    }
    image, passed = read(link | dict(rest) if is_before else dict(rest) | link, (ONE, ONE))
    assert image.layers == (FIRST, FIRST)
    assert passed == {FIRST: ONE}


@pytest.mark.parametrize("kind", ["gzip", "zstd"])
def test_compressed_layers_keep_their_digest_and_their_manifest(kind: str) -> None:
    """What a containerd store pulled, it saves as it was."""
    stored = [PACKED[kind](ONE), PACKED[kind](TWO)]
    manifest = json.dumps(_manifest(CONFIG, stored)).encode()
    image, passed = read({**new_members(stored=stored), blob(manifest): manifest})
    assert (image.manifest, image.is_compressed) == (manifest, True)
    assert [passed[member] for member in image.layers] == stored


def test_a_manifest_of_other_layers_is_not_taken() -> None:
    """Docker >= 25 makes one up that names plain layers, and whoever builds may leave others."""
    stored = [PACKED["gzip"](ONE), PACKED["gzip"](TWO)]
    others = json.dumps(_manifest(CONFIG, [ONE, TWO])).encode()
    image, _ = read({**new_members(stored=stored), blob(others): others})
    assert image.manifest is None


FLIPPED = bytes([ONE[0] ^ 1]) + ONE[1:]
GZIP = PACKED["gzip"](ONE)
LIES: dict[str, tuple[Members, Reason, str]] = {
    "a-flipped-byte-in-a-layer": ({**OLD, FIRST: FLIPPED}, Reason.DIGEST_MISMATCH, "is sha256:"),
    "a-flipped-byte-under-a-digest": (
        {**new_members(), blob(ONE): FLIPPED}, Reason.DIGEST_MISMATCH, "is sha256:",
    ),
    "a-flipped-byte-in-a-compressed-layer": (
        {**new_members(stored=[GZIP, PACKED["gzip"](TWO)]), blob(GZIP): GZIP[:-1] + b"!"},
        Reason.DIGEST_MISMATCH,
        "is sha256:",
    ),
    "another-config-under-the-name": (
        {**OLD, CONFIG_FILE: CONFIG + b" "}, Reason.DIGEST_MISMATCH, "does not match the digest",
    ),
    "layers-in-another-order": (
        {**OLD, "manifest.json": listed([SECOND, FIRST])}, Reason.DIGEST_MISMATCH, "not sha256:",
    ),
    "another-image": (
        old_members("x:1", layers=[TWO, ONE]), Reason.SOURCE_CHANGED, "a different image",
    ),
    "no-list": (
        {FIRST: ONE, SECOND: TWO, CONFIG_FILE: CONFIG},
        Reason.TRANSFER_INTERRUPTED,
        "without manifest.json",
    ),
    "a-list-that-is-none": (
        {**OLD, "manifest.json": b'{"a": 1}'}, Reason.PROTOCOL_ERROR, "manifest.json is not valid",
    ),
    "a-listed-layer-that-is-missing": (
        {name: content for name, content in OLD.items() if name != SECOND},
        Reason.TRANSFER_INTERRUPTED,
        "does not hold it",
    ),
    "a-listed-config-that-is-missing": (
        {name: content for name, content in OLD.items() if name != CONFIG_FILE},
        Reason.TRANSFER_INTERRUPTED,
        "does not hold it",
    ),
    "a-layer-too-few": (
        {**OLD, "manifest.json": listed([FIRST])}, Reason.TRANSFER_INTERRUPTED, "1 layers are",
    ),
    "a-link-out-of-the-tar": (
        {**OLD, SECOND: "../../etc/shadow"}, Reason.PROTOCOL_ERROR, "points outside the tar",
    ),
    "an-absolute-link": (
        {**OLD, SECOND: "/etc/shadow"}, Reason.PROTOCOL_ERROR, "points outside the tar",
    ),
    "a-link-to-itself": (
        {**OLD, SECOND: "layer.tar"}, Reason.PROTOCOL_ERROR, "a link loop",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("made", "reason", "told"), LIES.values(), ids=LIES)
def test_a_stream_that_is_not_what_it_says_has_a_reason(
    made: Members, reason: Reason, told: str
) -> None:
    failed = failure(made)
    assert failed.reason is reason
    assert told in failed.message


@pytest.mark.parametrize("share", [0.1, 0.4, 0.9, 1.0])
def test_a_stream_that_breaks_off_is_interrupted(share: float) -> None:
    """Even where every byte of every layer has passed: only its end blocks are missing."""
    whole = links_tar(OLD).rstrip(b"\0")
    cut = whole[: int(len(whole) * share)]
    stream = SaveStream(members(pieces(cut)), [Digest.of(ONE), Digest.of(TWO)])
    with pytest.raises(TransferError) as caught:
        _drain(stream)
    assert caught.value.reason is Reason.TRANSFER_INTERRUPTED


def test_memory_is_bounded_by_small_members_however_large_a_layer_is() -> None:
    """An eighth of a GiB passes by in a few MiB."""
    zeros = bytes(1 << 20)
    member = Member(FIRST, 128 * len(zeros), None, is_file=True)
    stream = SaveStream([(member, iter([zeros] * 128))], [])
    tracemalloc.start()
    try:
        for _ in stream.layers():
            pass
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 4 << 20


def test_small_members_without_end_are_not_kept() -> None:
    each = bytes(1 << 20)
    count = saved.MOST_KEPT // len(each) + 1
    odd = [(Member(f"x{n}", len(each), None, is_file=True), iter([each])) for n in range(count)]
    with pytest.raises(TransferError, match="bytes in small members") as caught:
        _drain(SaveStream(odd, []))
    assert caught.value.reason is Reason.PROTOCOL_ERROR


def test_a_large_member_that_is_no_layer_passes_unread() -> None:
    """It is missed at the end only if it is needed."""
    huge = Member("huge", saved.MOST_KEPT + 1, None, is_file=True)
    rest = members([links_tar(OLD)])
    stream = SaveStream(chain([(huge, iter([b""]))], rest), [Digest.of(ONE), Digest.of(TWO)])
    _drain(stream)


def _drain(stream: SaveStream) -> None:
    for _ in stream.layers():
        pass
    stream.image()


def _manifest(config: bytes, layers: Sequence[bytes]) -> Mapping[str, Any]:
    def described(content: bytes) -> dict[str, Any]:
        kind = "application/octet-stream"
        return {"mediaType": kind, "digest": f"sha256:{sha(content)}", "size": len(content)}

    return {
        "schemaVersion": 2,
        "config": described(config),
        "layers": [described(each) for each in layers],
    }
