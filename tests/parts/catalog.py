"""A catalog like CYROID's: six blueprints by name, VMs and image references; bundles of them.

The names and numbers are facts of the catalog; everything else in the documents is made here.
"""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

LOCAL = "127.0.0.1:5000/cyroid"


@dataclass(frozen=True)
class CatalogBlueprint:
    """One blueprint: a reference and an arch per VM, in order."""

    name: str
    networks: int
    machines: tuple[tuple[str, str | None], ...]

    @property
    def images(self) -> tuple[str, ...]:
        """Each once, in order, as the converter writes them."""
        named = (name if ":" in name.rpartition("/")[2] else f"{name}:latest" for name in self.tags)
        return tuple(dict.fromkeys(named))

    @property
    def tags(self) -> tuple[str, ...]:
        return tuple(tag for tag, _ in self.machines)

    def document(self) -> dict[str, Any]:
        """`blueprint.yaml` of the catalog."""
        nets = [{"name": f"net-{n}", "subnet": f"10.10.{n}.0/24"} for n in range(self.networks)]
        return {"name": self.name, "version": "1.0", "networks": nets, "vms": self.vms()}

    def vms(self) -> list[dict[str, Any]]:
        return [
            {"hostname": f"vm-{number}", "base_image_tag": tag} | ({"arch": arch} if arch else {})
            for number, (tag, arch) in enumerate(self.machines, 1)
        ]

    def exported(self) -> dict[str, Any]:
        """`blueprint.json` of a bundle of version 3 or 4."""
        vms = [{**vm, "base_image_id": f"id-{n}"} for n, vm in enumerate(self.vms())]
        config: dict[str, Any] = {
            "networks": [],
            "vms": vms,
            "router": {},
            "msel": None,
            "content_ids": [],
        }
        return {
            "manifest": {"version": "4.0", "blueprint_name": self.name},
            "blueprint": {"name": self.name, "version": 3, "config": config},
            "dockerfiles": [],
            "content": [],
            "artifacts": [],
        }

    def put(self, root: Path) -> Path:
        """Its folder in the catalog at `root`, beside which the index stands."""
        folder = root / "blueprints" / self.name
        folder.mkdir(parents=True)
        (folder / "blueprint.yaml").write_text(yaml.safe_dump(self.document()))
        names = [tag.rpartition("/")[2] for tag in self.tags if "/" in tag]
        entry = {"id": self.name, "requires_images": names, "requires_base_images": []}
        index = root / "index.json"
        listed = json.loads(index.read_text())["blueprints"] if index.exists() else []
        index.write_text(json.dumps({"blueprints": [*listed, entry]}))
        return folder


def _own(*counted: tuple[str, int]) -> tuple[tuple[str, None], ...]:
    return tuple((f"{LOCAL}/{name}", None) for name, count in counted for _ in range(count))


_V2 = "kali-attack redteam-lab-wordpress redteam-lab-fileserver redteam-lab-workstation samba-dc"
_V3 = "firewall vpn jumpbox ftp jenkins wiki ticketing mysql"
_ICS = (
    "redteam-firewall samba-dc redteam-lab-workstation redteam-lab-wordpress ics-ot-firewall"
    " ics-eng-workstation"
)
_REPEATED = (("kali-attack", 6), ("ics-plc-sim", 6), ("ics-hmi", 3), ("ics-historian", 2))

ICS = CatalogBlueprint(
    "ics-power-grid-defense-lab", 7, _own(*_REPEATED, *((name, 1) for name in _ICS.split()))
)
TRAINING = CatalogBlueprint(
    "red-team-training-lab",
    3,
    (*_own(*((name, 1) for name in _V2.split())), ("alpine:latest", None), ("alpine:latest", None)),
)
TRAINING_V2 = CatalogBlueprint(
    "red-team-training-lab-v2", 3, _own(*((name, 1) for name in _V2.split()))
)
TRAINING_V3 = CatalogBlueprint(
    "red-team-training-lab-v3",
    3,
    _own(*((name, 1) for name in _V2.split()), *((f"redteam-{name}", 1) for name in _V3.split())),
)
WATERING_HOLE = CatalogBlueprint(
    "watering-hole-attack",
    2,
    (
        ("dockurr/windows:latest", None),
        *_own(("wh-weather-server", 1), ("wh-c2-server", 1)),
    ),
)
AMAZING = CatalogBlueprint(
    "watering-hole-attack-amazing",
    3,
    (
        ("dockurr/windows:latest", "x86_64"),
        ("linuxserver/webtop:ubuntu-xfce", None),
        ("cyroid/sliver-weather:latest", "x86_64"),
        ("cyroid/c2-operator:latest", "x86_64"),
    ),
)
CATALOG = (ICS, TRAINING, TRAINING_V2, TRAINING_V3, WATERING_HOLE, AMAZING)
COUNTS = {
    ICS: (23, 10),
    TRAINING: (7, 6),
    TRAINING_V2: (5, 5),
    TRAINING_V3: (13, 13),
    WATERING_HOLE: (3, 3),
    AMAZING: (4, 4),
}
"""VMs and images of each."""


def bundle_members(
    blueprint: Mapping[str, Any] | None,
    tars: Mapping[str, bytes],
    declared: Sequence[str] | None = None,
) -> dict[str, bytes]:
    """The files of a bundle of version 4; `tars` are image tars by image name."""
    names = list(tars) if declared is None else list(declared)
    manifest = {
        "version": "4.0",
        "export_type": "blueprint",
        "docker_images_included": bool(tars),
        "docker_image_count": len(names),
        "docker_images": names,
    }
    members = {"manifest.json": json.dumps(manifest).encode()}
    if blueprint is not None:
        members["blueprint.json"] = json.dumps(blueprint).encode()
    for name, tar in tars.items():
        members[f"images/{name.replace('/', '_').replace(':', '_')}.tar"] = tar
    return members


def zip_bundle(members: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def tar_bundle(members: Mapping[str, bytes]) -> bytes:
    """A tar.gz."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return gzip.compress(out.getvalue(), 1)


FORMS = {"zip": zip_bundle, "tar.gz": tar_bundle}
