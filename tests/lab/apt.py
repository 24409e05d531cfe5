"""Debian packages on this machine, and where this machine gets them from."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from tests.lab import cache
from tests.lab.errors import LabError
from tests.lab.progress import told
from tests.lab.shell import follow, run

_POLICY = Path("/usr/sbin/policy-rc.d")


def install(package: str) -> None:
    """Installs the package without starting any service of it."""
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        raise LabError(
            f"the lab needs the Debian package {package}: install it, or run as root on Debian "
            "or Ubuntu, or use a cluster that you have: make demo KUBECONFIG=..."
        )
    command = ["apt-get", "-qy", "-o", "DPkg::Lock::Timeout=300", "install"]
    command += ["--no-install-recommends", package]
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with cache.locked("apt"), _no_services(), told(f"installing {package}") as work:
        try:
            follow(command, work.says, env=env)
        except LabError:  # most often the lists are absent or too old
            follow(["apt-get", "-qy", "update"], work.says, env=env)
            follow(command, work.says, env=env)


def mirror() -> str | None:
    """The Debian mirror that this machine uses; None on other systems."""
    question = ["apt-get", "indextargets", "Created-By: Packages", "Origin: Debian"]
    try:
        lines = run([*question, "--format", "$(REPO_URI)"]).split()
    except LabError:
        return None
    return next((line for line in lines if "security" not in line), None)


def configuration() -> str:
    """How this machine reaches its mirrors: its proxy and TLS settings for apt."""
    try:
        settings = run(["apt-config", "dump", "Acquire::http", "Acquire::https"])
    except LabError:
        return ""
    wanted = ("Proxy", "CaInfo", "Verify", "SslCert", "SslKey")
    return "".join(
        f"{line}\n" for line in settings.splitlines() if any(word in line for word in wanted)
    )


@contextlib.contextmanager
def _no_services() -> Iterator[None]:
    """While it lasts, packages start no service: the lab runs its own."""
    if _POLICY.exists():
        yield
        return
    _POLICY.write_text("#!/bin/sh\nexit 101\n")
    _POLICY.chmod(0o755)
    try:
        yield
    finally:
        _POLICY.unlink()
