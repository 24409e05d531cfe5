"""What an API says of an installation with life in it, for the page: names and sizes as in use."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.parts.page_api import PageApi, Query

IMAGES = (
    ("cyroid/kali-attack", "latest", 170_432_118),
    ("cyroid/samba-dc", "latest", 471_859_200),
    ("cyroid/dns-server", "1.4", 18_220_410),
    ("cyroid/web-shop", "2026.1", 212_550_019),
    ("docker.io/library/nginx", "1.27", 72_114_980),
    ("docker.io/library/postgres", "16", 158_004_210),
    ("docker.io/dockurr/windows", "latest", 402_220_100),
    ("ghcr.io/misp/misp-core", "v2.5", 640_118_220),
    ("docker.io/library/alpine", "3.20", 3_628_000),
)
RIGHTS = {"read": True, "push": True, "delete": True, "create_ranges": True}


def moment(**ago: float) -> str:
    return (datetime.now(UTC) - timedelta(**ago)).isoformat()


def digest(number: int) -> str:
    return f"sha256:{number * 0x9E3779B97F4A7C15 % 2**64:016x}" + "0123456789abcdef" * 3


def me(**rights: bool) -> dict[str, Any]:
    user = "system:serviceaccount:cyroid:anna"
    return {"user": user, "groups": [], "rights": {**RIGHTS, **rights}}


def range_row(number: int, **more: Any) -> dict[str, Any]:
    row = {
        "namespace": "spring",
        "name": f"range-{number:02}",
        "event": "spring",
        "cache": "default",
        "ready": True,
        "reason": "Ready",
        "message": "all images are in all engines",
        "since": moment(minutes=42),
        "suspended": False,
        "images_present": 13,
        "images_desired": 13,
        "images_failed": 0,
        "images_via_tar": 0,
        "targets_ready": 1,
        "targets_matched": 1,
        "route": "registry",
        "fallback": False,
        "fallback_reason": None,
        "fallback_message": None,
        "transfers": [],
        "transfers_omitted": 0,
        "created": moment(days=2),
    }
    return {**row, **more}


def transfer(done: int = 212_000_000, **more: Any) -> dict[str, Any]:
    row = {
        "image": "cyroid/samba-dc:latest",
        "pod": "dind-0",
        "route": "Registry",
        "done_bytes": done,
        "total_bytes": 450_000_000,
        "bytes_per_second": 48_000_000,
        "is_waiting": False,
    }
    return {**row, **more}


def event_of_twenty() -> list[dict[str, Any]]:
    """17 of 20 ready: one pulls, one needs somebody, one is not known yet; one came by tar."""
    rows = [range_row(number) for number in range(1, 21)]
    rows[2] |= {
        "ready": False,
        "reason": "Transferring",
        "message": "4 images are on their way",
        "images_present": 9,
        "targets_ready": 0,
        "transfers": [transfer()],
    }
    rows[3] |= {
        "route": "tar",
        "images_via_tar": 13,
        "fallback": True,
        "fallback_reason": "RegistryNotTrusted",
        "fallback_message": "add insecure-registries or the CA to the engine of dind-0",
    }
    rows[4] |= {
        "ready": False,
        "reason": "ImageNotFound",
        "images_present": 12,
        "images_failed": 1,
        "targets_ready": 0,
        "message": "dockurr/windows:latest: no source has it (looked in builder, hub)",
    }
    rows[5] |= {"ready": None, "reason": None, "message": None, "since": None}
    return rows


def tag_row(number: int, name: str, tag: str, size: int) -> dict[str, Any]:
    users = [f"spring/range-{each:02}" for each in range(1, 1 + number * 7 % 21)]
    return {
        "name": name,
        "tag": tag,
        "image": f"{name}:{tag}",
        "digest": digest(number + 3),
        "size_bytes": size,
        "platform": "linux/amd64",
        "used_by": users[:20],
        "used_by_count": len(users),
        "listed": number % 3 == 0,
        "reason": None,
        "message": None,
    }


def unpushed() -> list[dict[str, Any]]:
    rows = (
        ("cyroid/kali-attack:2026.11", 452_000_000, 3),
        ("cyroid/ids-sensor:latest", 88_400_000, 95),
        ("cyroid/mail-relay:0.9", 61_000_000, 4000),
    )
    return [
        {
            "image": name,
            "source": "builder",
            "id": digest(size),
            "size_bytes": size,
            "created": moment(minutes=minutes),
        }
        for name, size, minutes in rows
    ]


def pushing(done: int = 212_000_000, **more: Any) -> dict[str, Any]:
    row = {
        "operation_id": "5d1fa9027e1c6b40",
        "image_tag": "cyroid/samba-dc:2026.11",
        "status": "pushing",
        "progress_percent": 100 * done // 450_000_000,
        "current_layer": None,
        "total_layers": None,
        "error_message": None,
        "reason": None,
        "digest": None,
        "done_bytes": done,
        "total_bytes": 450_000_000,
        "bytes_per_second": 48_000_000,
    }
    return {**row, **more}


def stats(**more: Any) -> dict[str, Any]:
    row = {
        "image_count": 13,
        "tag_count": 15,
        "healthy": True,
        "stored_bytes": 4_210_553_000,
        "since": moment(hours=3),
        "reason": None,
        "message": None,
    }
    return {**row, **more}


def checks() -> list[dict[str, Any]]:
    rows = (
        ("custom resources installed", "ok", "both, of this version", ""),
        ("operator active", "ok", "cyroid-operator-7c9f since 2 h", ""),
        ("registry answers (push, pull)", "ok", "12 ms", ""),
        (
            "range engines trust the registry",
            "no",
            "2 of 20: range-04, range-11: RegistryNotTrusted",
            "mount the ConfigMap cyroid-range-engine into their engines",
        ),
        ("certificates", "ok", "they expire in 83 days", ""),
        ("registry disk", "warn", "92 % of 50 GB", "kubectl cyroid gc --dry-run"),
        (
            "builder reachable",
            "unknown",
            "nobody asked it since the start",
            "look again in a minute",
        ),
    )
    return [dict(zip(("check", "result", "what", "todo"), row, strict=True)) for row in rows]


def alive(api: PageApi, *, ranges: Sequence[dict[str, Any]] = (), tags: int = 0) -> None:
    """Fill it with an event of twenty ranges, or these, and nine tags, or so many."""
    rows = list(ranges) or event_of_twenty()
    all_tags = [tag_row(number, *each) for number, each in enumerate(IMAGES)]
    if tags:
        all_tags = [
            tag_row(n, f"cyroid/image-{n // 4:03}", f"v{n % 4}", 10**6 * (n + 1))
            for n in range(tags)
        ]
    api.answers |= {
        "GET me": me(),
        "GET caches": [
            {
                "name": "default",
                "ready": True,
                "reason": None,
                "message": None,
                "pull_host": "127.0.0.1:5000",
            }
        ],
        "GET registry/stats": stats(),
        "GET registry/unpushed": unpushed(),
        "GET registry/pushes/active": {"pushes": [pushing()]},
        "GET registry/tags": lambda query, _: tag_page(all_tags, query),
        "GET registry/gc": {
            "requested": "run/1",
            "dry_run": False,
            "running": False,
            "started": moment(hours=5),
            "finished": moment(hours=4.9),
            "freed_bytes": 1_800_000_000,
            "blobs": 41,
            "reason": None,
            "message": None,
        },
        "GET registry/events": [],
        "GET ranges/events": [],
        "GET ranges": lambda query, _: range_page(rows, query),
        "GET events": [
            {"event": "spring", "ready": 17, "total": 20},
            {"event": "autumn", "ready": 4, "total": 4},
        ],
        "GET events/spring": {
            "event": "spring",
            "ready": 17,
            "total": 20,
            "images_present": 251,
            "images_desired": 260,
            "by_tar": 1,
            "needs_somebody": 1,
            "ranges": [],
        },
        "GET ranges/spring/range-05": detail(rows[4] if len(rows) > 4 else rows[0]),
        "GET cache/images": [
            {
                "id": each["id"],
                "tags": [each["image"]],
                "size_bytes": each["size_bytes"],
                "size_gb": 0.4,
                "created": each["created"],
                "source": "builder",
                "in_registry": False,
            }
            for each in unpushed()
        ],
        "GET doctor": checks(),
    }


def tag_page(rows: Sequence[dict[str, Any]], query: Query) -> dict[str, Any]:
    found = [row for row in rows if query.get("filter", "") in row["image"]]
    if query.get("unused") == "true":
        found = [row for row in found if not row["used_by_count"]]
    return {"items": _part(found, query), "total": len(found)}


def range_page(rows: Sequence[dict[str, Any]], query: Query) -> dict[str, Any]:
    found = [row for row in rows if query.get("namespace", row["namespace"]) == row["namespace"]]
    found.sort(
        key=lambda row: (row["images_failed"] == 0, row["ready"] is True, not row["fallback"])
    )
    ready = sum(row["ready"] is True for row in found)
    return {"items": _part(found, query), "total": len(found), "ready": ready}


def _part(rows: Sequence[dict[str, Any]], query: Query) -> list[dict[str, Any]]:
    offset = int(query.get("offset", "0"))
    return list(rows[offset : offset + int(query.get("limit", "50"))])


def detail(row: dict[str, Any]) -> dict[str, Any]:
    """The range in full: one image is missing."""
    images = [f"{name}:{tag}" for name, tag, _ in IMAGES]
    gap = {
        "image": "docker.io/dockurr/windows:latest",
        "reason": "ImageNotFound",
        "pods": 1,
        "message": "no source has it (looked in builder, hub); looked for again every 5 min",
        "first_pod": "dind-0",
    }
    engine = {
        "pod": "dind-0",
        "engine": "28.5.2 containerd linux/amd64",
        "present": 12,
        "failed": 1,
        "via_tar": 0,
        "reason": "ImageNotFound",
        "message": "1 of 13 images is missing",
    }
    yaml = f"apiVersion: cyroid.io/v1alpha1\nkind: RangeImages\nmetadata:\n  name: {row['name']}\n"
    return {
        **row,
        "images": images,
        "missing": [gap],
        "missing_omitted": 0,
        "targets": [engine],
        "targets_omitted": 0,
        "yaml": yaml,
    }
