"""A blueprint is read as it is written by every version; what is no image is refused by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from cyroid_images.blueprints.architectures import platform_of
from cyroid_images.blueprints.blueprint import Blueprint, UnreadableBlueprint
from cyroid_images.blueprints.opening import open_blueprint
from cyroid_images.blueprints.reading import MOST_ALIASES, blueprint_of, parsed
from tests.parts.archives import old_tar
from tests.parts.catalog import (
    AMAZING,
    CATALOG,
    COUNTS,
    FORMS,
    TRAINING_V2,
    CatalogBlueprint,
    bundle_members,
)


def of_machine(**fields: Any) -> Blueprint:
    """A blueprint of one VM."""
    return blueprint_of({"name": "lab", "vms": [{"hostname": "web", **fields}]}, "lab")


@pytest.mark.parametrize("wanted", CATALOG, ids=lambda each: each.name)
@pytest.mark.parametrize("way", ["folder", "file", "v4 document", "zip", "tar.gz"])
def test_the_catalog_is_read_in_each_form(
    wanted: CatalogBlueprint, way: str, tmp_path: Path
) -> None:
    path = put(wanted, way, tmp_path)
    found = open_blueprint(path).blueprint
    assert found.name == wanted.name
    assert (found.machines, len(found.images)) == COUNTS[wanted]
    assert tuple(each.image for each in found.images) == wanted.images
    assert sum(len(each.machines) for each in found.images) == found.machines
    assert found.refused == ()
    assert found.warnings == ()


def put(wanted: CatalogBlueprint, way: str, root: Path) -> Path:
    if way in ("folder", "file"):
        folder = wanted.put(root)
        return folder if way == "folder" else folder / "blueprint.yaml"
    path = root / "export"
    if way == "v4 document":
        path.write_text(json.dumps(wanted.exported()))
    else:
        tars = {"a:1": old_tar("a:1")}
        path.write_bytes(FORMS[way](bundle_members(wanted.exported(), tars)))
    return path


def test_only_what_says_so_has_a_platform(tmp_path: Path) -> None:
    found = open_blueprint(AMAZING.put(tmp_path)).blueprint
    platforms = [each.platform and str(each.platform) for each in found.images]
    assert platforms == ["linux/amd64", None, "linux/amd64", "linux/amd64"]


@pytest.mark.parametrize(
    ("fields", "image", "warns"),
    [
        ({"base_image_tag": "alpine"}, "alpine:latest", False),
        ({"base_image_tag": "r.example:5000/app"}, "r.example:5000/app:latest", False),
        ({"base_image_tag": " nginx:1 "}, "nginx:1", False),
        ({"base_image_tag": "latest", "base_image_name": "cyroid/a"}, "cyroid/a:latest", True),
        ({"base_image_name": "cyroid/a:2"}, "cyroid/a:2", True),
        ({"base_image_tag": "", "template_name": "cyroid/old:1"}, "cyroid/old:1", True),
        ({"base_image_tag": "a:1", "golden_image_id": None, "snapshot_id": ""}, "a:1", False),
        ({"base_image_tag": f"a:1@sha256:{'a' * 64}"}, f"a:1@sha256:{'a' * 64}", False),
    ],
)
def test_an_image_is_read_as_each_version_writes_it(
    fields: dict[str, Any], image: str, warns: bool
) -> None:
    found = of_machine(**fields)
    assert [each.image for each in found.images] == [image]
    assert bool(found.warnings) is warns


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"base_image_tag": "iso:https://example.org/pfSense.iso"}, "an ISO is a disk"),
        ({"base_image_tag": "ISO:x"}, "an ISO is a disk"),
        ({"base_image_tag": "a:1", "snapshot_id": "0b1c"}, "starts from a snapshot"),
        ({"base_image_tag": "a:1", "golden_image_id": "0b1c"}, "starts from a golden image"),
        ({"base_image_tag": "latest"}, "only `latest`: write the whole name"),
        ({"base_image_id": "0b1c"}, "only by an ID of the installation"),
        ({}, "names no image"),
        ({"base_image_tag": 7}, "names no image"),
        ({"template_name": "Kali Linux"}, "no image reference"),
        ({"base_image_tag": f"a@sha256:{'a' * 64}"}, "a range needs a tag"),
        ({"base_image_tag": "../../etc/passwd"}, "no image reference"),
        ({"base_image_tag": "sha256:" + "a" * 64}, "an image ID is not a reference"),
    ],
)
def test_what_is_no_image_is_refused_with_why(fields: dict[str, Any], why: str) -> None:
    found = of_machine(**fields)
    assert found.images == ()
    (refused,) = found.refused
    assert refused.machine == "web"
    assert why in refused.why


def test_credentials_in_a_name_are_not_repeated() -> None:
    found = of_machine(base_image_tag="user:hunter2@registry.example/app:1")
    assert "hunter2" not in found.refused[0].why


@pytest.mark.parametrize(
    ("arch", "platform"),
    [
        ("x86_64", "linux/amd64"),
        ("amd64", "linux/amd64"),  # P-S6: never arm64
        ("AMD64", "linux/amd64"),
        ("arm64", "linux/arm64"),
        ("aarch64", "linux/arm64"),
        ("armhf", "linux/arm/v7"),
        ("linux/arm64/v8", "linux/arm64"),
        (["arm64"], "linux/arm64"),
        (["x86_64", "arm64"], None),
        (["amd64", "x86_64"], None),
        ([], None),
        ("both", None),
        ("", None),
        (None, None),
    ],
)
def test_arch_in_each_spelling(arch: object, platform: str | None) -> None:
    found, odd = platform_of(arch)
    assert (found and str(found)) == platform
    assert odd is None


@pytest.mark.parametrize("arch", ["vax", ["vax"], 64, {"a": 1}, [1]])
def test_an_arch_that_nobody_knows_is_told_and_means_the_engines_own(arch: object) -> None:
    found, odd = platform_of(arch)
    assert found is None
    assert "not understood" in str(odd)


def test_duplicates_are_one_image_and_keep_the_platform_that_somebody_wrote() -> None:
    machines = [
        {"hostname": "a", "base_image_tag": "alpine"},
        {"hostname": "b", "base_image_tag": "docker.io/library/alpine:latest", "arch": "arm64"},
        {"hostname": "c", "base_image_tag": "alpine:latest", "arch": "x86_64"},
    ]
    found = blueprint_of({"vms": machines}, "lab")
    (image,) = found.images
    assert (image.image, str(image.platform)) == ("alpine:latest", "linux/arm64")
    assert image.machines == ("a", "b", "c")
    (warning,) = found.warnings
    assert "an engine holds a name once" in warning


@pytest.mark.parametrize(
    "place",
    [
        lambda vms: {"vms": vms},
        lambda vms: {"range": {"name": "lab", "vms": vms}},
        lambda vms: {"config": {"vms": vms}},
        lambda vms: {"blueprint": {"name": "lab", "vms": vms}},
        lambda vms: {"blueprint": {"name": "lab", "config": {"vms": vms}}},
        lambda vms: {"vms": {each["hostname"]: each for each in vms}},
    ],
)
def test_the_vms_are_found_where_each_version_nests_them(place: Any) -> None:
    found = blueprint_of(place([{"hostname": "a", "base_image_tag": "a:1"}]), "lab")
    assert found.name == "lab"
    assert [each.image for each in found.images] == ["a:1"]


@pytest.mark.parametrize("tag", ["cyroid/kali:1", "latest", None])
def test_a_project_of_the_catalog_is_one_image(tag: str | None, tmp_path: Path) -> None:
    """`tag` is a full reference in most projects, and only `latest` in the others."""
    folder = tmp_path / "redteam-lab-kali"
    folder.mkdir()
    (folder / "image.yaml").write_text(yaml.safe_dump({"tag": tag, "arch": ["x86_64"]}))
    found = open_blueprint(folder).blueprint
    wanted = "redteam-lab-kali:latest" if tag in ("latest", None) else "cyroid/kali:1"
    if tag is None:
        wanted = "redteam-lab-kali:latest"
    assert [each.image for each in found.images] == [wanted]
    assert bool(found.warnings) is (tag != "cyroid/kali:1")
    assert str(found.images[0].platform) == "linux/amd64"


def test_what_the_index_requires_and_no_vm_uses_is_told(tmp_path: Path) -> None:
    folder = TRAINING_V2.put(tmp_path)
    index = {"requires_images": ["kali-attack", "gone"], "requires_base_images": ["x/y:1"]}
    (folder / "index.json").write_text(json.dumps(index))
    warnings = open_blueprint(folder).blueprint.warnings
    assert ["gone" in warnings[0], "x/y:1" in warnings[1]] == [True, True]
    (folder / "index.json").write_text("{")
    assert open_blueprint(folder).blueprint.warnings == ()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "holds no fields"),
        (b"[1]", "holds no fields"),
        (b"{", "neither JSON nor YAML"),
        (b"a: [", "neither JSON nor YAML"),
        (b"\xff\xfe\xff", "neither JSON nor YAML"),
        (b'{"a": ' + b"[" * 100_000, "neither JSON nor YAML"),
        (b"a: " + b"[" * 10_000, "neither JSON nor YAML"),
        (b"!!python/object/apply:os.system ['id']", "neither JSON nor YAML"),
        (b'{"templates": []}', "lists no VMs"),
        (b'{"vms": []}', "lists no VMs"),
        (b'{"vms": ["a"]}', "holds something else"),
        (b"x" * (1024 * 1024 + 1), "too many"),
    ],
)
def test_what_is_no_blueprint_is_refused_in_words(content: bytes, why: str, tmp_path: Path) -> None:
    path = tmp_path / "blueprint.yaml"
    path.write_bytes(content)
    with pytest.raises(UnreadableBlueprint, match=why):
        open_blueprint(path)


def test_yaml_that_unfolds_takes_no_time() -> None:
    """Some versions of PyYAML join merges without end: then the document is refused."""
    lines = ["a0: &a0 {k: v}"]
    for level in range(1, 30):
        twelve = ", ".join([f"*a{level - 1}"] * 12)
        lines.append(f"a{level}: &a{level} {{<<: [{twelve}], k{level}: v}}")
    with pytest.raises(UnreadableBlueprint, match=r"lists no VMs|more than"):
        blueprint_of(parsed("\n".join(lines).encode(), "x"), "x")


@pytest.mark.parametrize(
    "text",
    [
        b"a: &a 1\nb: [" + b"*a, " * (MOST_ALIASES + 1) + b"1]",
        b"a: {" + b", ".join(b"k%d: 1" % n for n in range(MOST_ALIASES + 1)) + b"}",
    ],
)
def test_yaml_with_more_than_people_write_is_refused(text: bytes) -> None:
    with pytest.raises(UnreadableBlueprint, match=f"more than {MOST_ALIASES}"):
        parsed(text, "x")


def test_anchors_as_people_write_them_are_fine() -> None:
    text = b"d: &d {base_image_tag: 'a:1'}\nvms: [{<<: *d, hostname: x}, {<<: *d, hostname: y}]"
    (image,) = blueprint_of(parsed(text, "x"), "x").images
    assert image.machines == ("x", "y")


@pytest.mark.parametrize(
    "make",
    [
        lambda root: root / "absent",
        lambda root: root,
        lambda root: (root / "dead").symlink_to("nowhere") or root / "dead",
    ],
)
def test_a_path_that_is_none_is_told(make: Any, tmp_path: Path) -> None:
    with pytest.raises(UnreadableBlueprint):
        open_blueprint(make(tmp_path))


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["vms", "arch", "base_image_tag", "config", "blueprint", "name", "x"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=30,
)


@given(JSON_VALUES)
def test_no_document_breaks_the_reader(document: Any) -> None:
    try:
        found = blueprint_of(parsed(json.dumps(document).encode(), "x"), "x")
    except UnreadableBlueprint:
        return
    assert sum(len(each.machines) for each in found.images) + len(found.refused) == found.machines
