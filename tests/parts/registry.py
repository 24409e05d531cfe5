"""A real registry (distribution 2.8, or 3) with two listeners over one data root, as deployed.

The push listener wants a password and takes writes and deletes; the pull listener is a
second process, anonymous and read-only. Both listen on every address of the tests' own
network, so 10.99.0.1 reaches them too.
"""

from __future__ import annotations

import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

import bcrypt
import pytest
import yaml

from cyroid_images.errors import TransferError
from cyroid_images.model.images.digest import Digest
from cyroid_images.model.images.manifest import OCI_CONFIG, OCI_MANIFEST
from cyroid_images.model.registry import Credentials, RegistryEndpoint
from cyroid_images.registry.client import FetchedManifest, RegistryClient
from tests.lab import tools
from tests.parts.apiserver import free_ports, wait_for
from tests.parts.credentials import Authority
from tests.parts.images import DEFAULT_FILES, Files, TinyImage, tiny_image
from tests.parts.namespace import OUTER_ADDRESS

READY_SECONDS = 30.0
"""A start takes a tenth of a second; a busy machine gets the benefit of the doubt."""

CREDENTIALS = Credentials("cyroid", "correct horse battery")


class RegistryPart:
    """A registry that can be filled, stopped, paused, started again and broken on disk.

    With `disk_bytes` its data root is a file system of that size; with `authority` both
    listeners speak TLS with a certificate of that CA; with `has_cache` the push listener keeps
    in memory what it knows of blobs, as many configurations say (distribution #3743); with
    `logs_calls` each listener logs every answer, with its size; `program` is what runs
    (`registry3`: distribution 3), and without `deletes` it refuses every deletion. Start
    it from the main thread: its processes end with the thread that started them.
    """

    def __init__(
        self,
        folder: Path,
        *,
        disk_bytes: int | None = None,
        authority: Authority | None = None,
        has_cache: bool = False,
        logs_calls: bool = False,
        program: str = "docker-registry",
        deletes: bool = True,
    ) -> None:
        self._folder = folder
        self.program = program
        self._deletes = deletes
        self._logs_calls = logs_calls
        self._has_cache = has_cache
        self._authority = authority
        self._has_disk = disk_bytes is not None
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._ports = dict(zip(("push", "pull"), free_ports(2), strict=True))
        self.data_root = folder / "data"
        self.data_root.mkdir(parents=True)
        if disk_bytes is not None:
            options = ["-t", "tmpfs", "-o", f"size={disk_bytes}", "tmpfs"]
            subprocess.run(["mount", *options, str(self.data_root)], check=True, timeout=10)
        self._write_settings()

    # -- where it is ------------------------------------------------------------------

    @property
    def push_host(self) -> str:
        return f"127.0.0.1:{self._ports['push']}"

    @property
    def pull_host(self) -> str:
        return f"127.0.0.1:{self._ports['pull']}"

    @property
    def outer_push_host(self) -> str:
        """The push listener by an address that no engine trusts without TLS."""
        return f"{OUTER_ADDRESS}:{self._ports['push']}"

    @property
    def outer_pull_host(self) -> str:
        """The pull listener by an address that no engine trusts without TLS."""
        return f"{OUTER_ADDRESS}:{self._ports['pull']}"

    @property
    def push_endpoint(self) -> RegistryEndpoint:
        """The push listener with the right password."""
        return RegistryEndpoint(f"{self._scheme}://{self.push_host}", CREDENTIALS, self._ca)

    @property
    def pull_endpoint(self) -> RegistryEndpoint:
        """The read-only listener, without credentials."""
        return RegistryEndpoint(f"{self._scheme}://{self.pull_host}", None, self._ca)

    # -- life -------------------------------------------------------------------------

    def start(self) -> None:
        """Start what does not run, on the same ports as before, and wait until it answers."""
        for name in self._ports:
            if name not in self._running:
                self._running[name] = self._spawn(name)
        wait_for(self._is_ready, "the registry to answer", READY_SECONDS, self._log)

    def stop(self) -> None:
        """Kill both listeners, as a crash would; the data root stays."""
        for name in list(self._running):
            process = self._running.pop(name)
            process.kill()
            process.wait(timeout=30)

    def pause(self) -> None:
        """SIGSTOP: connections are taken by the kernel, nobody answers."""
        self._signal(signal.SIGSTOP)
        # On a busy machine its threads go on for a while: wait for the kernel's word.
        wait_for(
            lambda: all(_stands_still(each.pid) for each in self._running.values()),
            "the registry to stand still",
            10,
        )

    def resume(self) -> None:
        """SIGCONT: the end of `pause`."""
        self._signal(signal.SIGCONT)

    def break_storage(self) -> None:
        """/v2/ is answered as ever, and whatever needs the storage with 500."""
        root = self.data_root / "docker"
        if root.is_dir():
            root.rename(self._aside)
        root.touch()

    def mend_storage(self) -> None:
        """The end of `break_storage`."""
        (self.data_root / "docker").unlink()
        if self._aside.exists():
            self._aside.rename(self.data_root / "docker")

    def close(self) -> None:
        """Stop, and give back the disk that was made for it."""
        self.stop()
        if self._has_disk:
            subprocess.run(["umount", str(self.data_root)], check=True, timeout=10)

    # -- content ----------------------------------------------------------------------

    def push_image(
        self,
        repository: str,
        tag: str,
        *,
        layers: Sequence[Files] = DEFAULT_FILES,
        config: Mapping[str, Any] | None = None,
    ) -> FetchedManifest:
        """Make a tiny image of these layers (path to content) and push it; as stored."""
        return self.push(repository, tag, tiny_image(layers, config))

    def push(self, repository: str, tag: str, image: TinyImage) -> FetchedManifest:
        """Push an image that was made by hand; as stored."""
        with RegistryClient(self.push_endpoint) as registry:
            for layer in image.layers:
                registry.upload_blob(repository, layer.descriptor, [layer.blob])
            registry.upload_stream(repository, [image.config], OCI_CONFIG)
            registry.put_manifest(repository, image.digest, image.manifest, OCI_MANIFEST)
            registry.put_manifest(repository, tag, image.manifest, OCI_MANIFEST)
            stored = registry.manifest(repository, image.digest)
        assert stored is not None, f"{repository}:{tag} was pushed, but is not there"
        return stored

    def blob_file(self, digest: Digest) -> Path:
        """The file that holds a blob or a manifest, to be broken by a test."""
        blobs = self.data_root / "docker/registry/v2/blobs" / digest.algorithm
        return blobs / digest.hex[:2] / digest.hex / "data"

    def collect_garbage(self) -> None:
        """Remove blobs that no manifest names, as an admin does; what runs is not told."""
        registry = str(tools.ensure(self.program))
        subprocess.run(
            [registry, "garbage-collect", "push.yml"],
            cwd=self._folder,
            env={"PATH": "/usr/bin:/bin", "OTEL_TRACES_EXPORTER": "none"},
            check=True,
            capture_output=True,
            timeout=30,
        )

    def wipe(self) -> None:
        """Lose the volume: everything that is stored."""
        shutil.rmtree(self.data_root / "docker", ignore_errors=True)

    def open_uploads(self, repository: str) -> list[str]:
        """The uploads that were started and neither finished nor taken back."""
        folder = self.data_root / "docker/registry/v2/repositories" / repository / "_uploads"
        return sorted(entry.name for entry in folder.iterdir()) if folder.exists() else []

    # -- how it runs ------------------------------------------------------------------

    @property
    def _aside(self) -> Path:
        return self.data_root / "aside"

    @property
    def _scheme(self) -> str:
        return "https" if self._authority else "http"

    @property
    def _ca(self) -> str | None:
        return self._authority.certificate.read_text() if self._authority else None

    def _write_settings(self) -> None:
        hashed = bcrypt.hashpw(CREDENTIALS.password.encode(), bcrypt.gensalt(4)).decode()
        passwords = self._folder / "htpasswd"
        passwords.write_text(f"{CREDENTIALS.username}:{hashed}\n")
        listener = {"auth": {"htpasswd": {"realm": "tests", "path": str(passwords)}}}
        cache = {"cache": {"blobdescriptor": "inmemory"}} if self._has_cache else {}
        self._write("push", listener, {"delete": {"enabled": self._deletes}, **cache})
        self._write("pull", {}, {"maintenance": {"readonly": {"enabled": True}}})

    def _write(self, name: str, more: dict[str, Any], storage: dict[str, Any]) -> None:
        listen: dict[str, Any] = {"addr": f":{self._ports[name]}", "secret": secrets.token_hex(16)}
        if self._authority:
            pair = self._authority.server()
            listen["tls"] = {"certificate": str(pair.certificate), "key": str(pair.key)}
        settings = {
            "version": 0.1,
            "log": {"level": "warn", "accesslog": {"disabled": not self._logs_calls}},
            "storage": {"filesystem": {"rootdirectory": str(self.data_root)}, **storage},
            "http": listen,
            **more,
        }
        (self._folder / f"{name}.yml").write_text(yaml.safe_dump(settings))

    def _spawn(self, name: str) -> subprocess.Popen[bytes]:
        """A child that cannot outlive this process, with its output in a file."""
        registry = str(tools.ensure(self.program))
        with (self._folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", registry, "serve", f"{name}.yml"],
                stdout=log,
                stderr=log,
                cwd=self._folder,
                env={"PATH": "/usr/bin:/bin", "OTEL_TRACES_EXPORTER": "none"},
            )

    def _signal(self, number: signal.Signals) -> None:
        assert self._running, "the registry does not run"
        for process in self._running.values():
            process.send_signal(number)

    def _is_ready(self) -> bool:
        """Do both listeners let us in, now?"""
        with suppress(TransferError):
            for endpoint in (self.push_endpoint, self.pull_endpoint):
                RegistryClient(endpoint, answer_seconds=2).ping()
            return True
        return False

    def _log(self) -> str:
        logs = (self._folder / f"{name}.log" for name in self._ports)
        return "\n".join(log.read_text(errors="replace")[-2000:] for log in logs if log.exists())


class NewRegistry(Protocol):
    """Makes a started registry of its own for one test, which may break it."""

    def __call__(
        self,
        *,
        disk_bytes: int | None = None,
        authority: Authority | None = None,
        has_cache: bool = False,
        program: str = "docker-registry",
        deletes: bool = True,
    ) -> RegistryPart: ...


@pytest.fixture(scope="session")
def registry() -> Iterator[RegistryPart]:
    """A registry for the whole run: tests choose repositories of their own and break nothing.

    Whoever stops or pauses it takes `new_registry`.
    """
    with running_registry() as part:
        yield part


@pytest.fixture
def new_registry() -> Iterator[NewRegistry]:
    """Registries for one test only."""
    with _factory() as make:
        yield make


@contextmanager
def running_registry(program: str = "docker-registry") -> Iterator[RegistryPart]:
    """One for a `with` block."""
    with _factory() as make:
        yield make(program=program)


@contextmanager
def _factory() -> Iterator[NewRegistry]:
    """Makes registries and ends them all."""
    with ExitStack() as stack:

        def make(
            *,
            disk_bytes: int | None = None,
            authority: Authority | None = None,
            has_cache: bool = False,
            program: str = "docker-registry",
            deletes: bool = True,
        ) -> RegistryPart:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="cyroid-registry-"))
            part = RegistryPart(
                Path(folder),
                disk_bytes=disk_bytes,
                authority=authority,
                has_cache=has_cache,
                program=program,
                deletes=deletes,
            )
            stack.callback(part.close)
            part.start()
            return part

        yield make


def _stands_still(pid: int) -> bool:
    """Is every thread of it stopped?"""
    states = [each / "stat" for each in Path(f"/proc/{pid}/task").iterdir()]
    return all(each.read_text().rpartition(")")[2].split()[0] == "T" for each in states)
