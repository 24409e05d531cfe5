"""Debian file systems (trixie, or with packages of forky): for images and to chroot into.

Made with debootstrap from the mirror that this machine uses. The machine's
proxy and CA settings are used while packages are installed and not kept.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.lab import apt, cache, tools
from tests.lab.errors import LabError
from tests.lab.progress import told
from tests.lab.shell import follow, run

_RECIPE = "1"  # another number makes every file system anew
_BUNDLE = "etc/ssl/certs/ca-certificates.crt"
_NO_DOCUMENTS = "".join(
    f"path-exclude=/usr/share/{name}/*\n" for name in ("doc", "info", "locale", "man")
)


def trixie(*packages: str) -> Path:
    """A cached directory with a minimal trixie and these packages.

    Whoever uses it must not write into it: mount an overlay or copy it. The
    first call takes about half a minute, later ones no time.
    """
    _check()
    wanted = sorted(set(packages))
    path = _path("trixie", packages)
    if not wanted:
        return cache.made(path, _bootstrap)
    if path.exists():
        return path
    base = trixie()
    return cache.made(path, lambda unfinished: _extend(base, wanted, unfinished))


def forky(*packages: str) -> Path:
    """A cached directory with the trixie base and these packages of forky, Debian's testing.

    Forky moves: whoever uses it looks which version it got.
    """
    _check()
    path = _path("forky", packages)
    if path.exists():
        return path
    base, wanted = trixie(), sorted(set(packages))
    return cache.made(path, lambda unfinished: _extend(base, wanted, unfinished, suite="forky"))


def is_made(suite: str, *packages: str) -> bool:
    """Whether `trixie` or `forky` would take no time."""
    return _path(suite, packages).exists()


def host_bundle() -> Path | None:
    """The CA bundle that this machine's programs are told to use, if any."""
    for name in ("PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
        path = Path(os.environ.get(name, ""))
        if path.is_file():
            return path
    return None


def _path(suite: str, packages: tuple[str, ...]) -> Path:
    return cache.root() / "rootfs" / f"{suite}-{cache.key(_RECIPE, *sorted(set(packages)))}"


def _check() -> None:
    if os.geteuid() != 0:
        raise LabError("a root file system can only be made by root")


def _bootstrap(directory: Path) -> None:
    options = ["--variant=minbase", "--include=ca-certificates"]
    mirror = apt.mirror()
    where = [str(directory), *([mirror] if mirror else [])]
    with told("making a Debian file system") as work:
        follow([tools.ensure("debootstrap"), *options, "trixie", *where], work.says)
    (directory / "etc/dpkg/dpkg.cfg.d/no-documents").write_text(_NO_DOCUMENTS)
    _tidy(directory)


def _extend(base: Path, packages: list[str], directory: Path, suite: str = "trixie") -> None:
    run(["cp", "-a", "--reflink=auto", base, directory])
    sources = directory / "etc/apt/sources.list"
    sources.write_text(sources.read_text().replace("trixie", suite))
    env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive"}
    proxies = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "no_proxy", "NO_PROXY")
    env |= {name: os.environ[name] for name in proxies if name in os.environ}
    install = ["apt-get", "-qy", "install", "--no-install-recommends", *packages]
    with _host_settings(directory), told(f"adding {', '.join(packages)}") as work:
        # A list of testing is valid for a week only, and mirrors lag; it is signed all the same.
        update = ["apt-get", "-q", "-o", "Acquire::Check-Valid-Until=false", "update"]
        follow(["chroot", directory, *update], work.says, env=env)
        follow(["chroot", directory, *install], work.says, env=env)
    _tidy(directory)


@contextmanager
def _host_settings(directory: Path) -> Iterator[None]:
    """The machine's name servers, CAs and apt settings, for as long as it lasts."""
    etc = directory / "etc"
    lent = {
        etc / "resolv.conf": Path("/etc/resolv.conf").read_bytes(),
        etc / "apt/apt.conf.d/90host": apt.configuration().encode(),
        directory / "usr/sbin/policy-rc.d": b"#!/bin/sh\nexit 101\n",
    }
    bundle = host_bundle()
    kept = (directory / _BUNDLE).read_bytes()
    for path, content in lent.items():
        path.unlink(missing_ok=True)
        path.write_bytes(content)
        path.chmod(0o755 if path.name == "policy-rc.d" else 0o644)
    if bundle:
        (directory / _BUNDLE).write_bytes(bundle.read_bytes())
    try:
        yield
    finally:
        for path in lent:
            path.unlink()
        (directory / _BUNDLE).write_bytes(kept)


def _tidy(directory: Path) -> None:
    """Removes what only the making needed: it would be in every image."""
    for pattern in ("var/cache/apt/archives/*.deb", "var/cache/apt/*.bin", "var/log/*.log"):
        for path in directory.glob(pattern):
            path.unlink()
    lists = directory / "var/lib/apt/lists"
    shutil.rmtree(lists, ignore_errors=True)
    (lists / "partial").mkdir(parents=True)
    for name in ("doc", "info", "locale", "man"):
        for path in (directory / "usr/share" / name).glob("*"):
            cache.remove(path)
    (directory / "etc/resolv.conf").unlink(missing_ok=True)
    (directory / "etc/resolv.conf").touch()  # a chroot or a runtime puts its own there
