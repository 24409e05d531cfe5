"""The five images of blueprint red-team-training-lab-v2, made small for the demo.

Their names are the real ones. kali-attack has 220 MB, since an image of a few kilobytes
would prove nothing about moving images.
"""

from functools import cache

from tests.demo import archive
from tests.demo.archive import File, Image

PREFIX = "127.0.0.1:5000/cyroid/"
REBUILT = "samba-dc"
"""The image that the demo builds again under the same tag."""
_MB = 1_000_000
_SIZES = {  # bytes of the own layer; half of it compresses
    "kali-attack": 220 * _MB,
    "redteam-lab-wordpress": 12 * _MB,
    "redteam-lab-fileserver": 6 * _MB,
    "redteam-lab-workstation": 8 * _MB,
    "samba-dc": 10 * _MB,
}
_BASE = 4 * _MB


def reference(short: str) -> str:
    """The full name of an image, as the blueprint writes it."""
    return f"{PREFIX}{short}:latest"


def all_references() -> list[str]:
    """The images of the lab, in the order of the blueprint."""
    return [reference(short) for short in _SIZES]


def images(busybox: bytes | None) -> list[Image]:
    """The five images; with a static busybox, `docker run` works too."""
    return [image(short, "build 1", busybox) for short in _SIZES]


def image(short: str, build: str, busybox: bytes | None) -> Image:
    """One image; another `build` is other content under the same name."""
    half = _SIZES[short] // 2
    own: tuple[File, ...] = (
        archive.text("etc/motd", f"{short}, {build}\n"),
        archive.words(f"opt/{short}/wordlist.txt", half, f"{short} {build} words"),
        archive.noise(f"opt/{short}/tools.bin", half, f"{short} {build} tools"),
    )
    return Image(reference(short), (_base(busybox), own), ("/bin/busybox", "cat", "/etc/motd"))


@cache  # a layer is known by its File objects, and all images share this one
def _base(busybox: bytes | None) -> tuple[File, ...]:
    files = (
        archive.text("etc/os-release", 'ID=cyroid-demo\nNAME="cyroid demo base"\n'),
        archive.noise("usr/lib/base.bin", _BASE, "base"),
    )
    if busybox is None:
        return files
    program = archive.plain("bin/busybox", busybox)
    return (program, archive.link("bin/sh", "busybox"), *files)
