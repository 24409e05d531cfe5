"""The REST API as a real process, and accounts that call it."""

from __future__ import annotations

import json
import os
import signal
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

from cyroid_images.kube import rights
from cyroid_images.kube.rights import Right
from tests.parts.apiserver import ApiServerPart, free_ports, wait_for
from tests.parts.credentials import Authority
from tests.parts.identity import grant

PROGRAM = Path(__file__).parents[2] / "operator"
READY_SECONDS = 60.0
GROUP = "cyroid.io"
CALL_SECONDS = 30.0


def roles() -> Mapping[str, tuple[Right, ...]]:
    """Rights by role, as the contract maps them."""
    read = tuple(
        Right(verb, GROUP, kind)
        for kind in ("imagecaches", "rangeimages")
        for verb in ("get", "list")
    )
    engineer = (
        *read,
        Right("patch", GROUP, "imagecaches"),
        Right("create", GROUP, "rangeimages"),
        Right("patch", GROUP, "rangeimages"),
    )
    return {
        "evaluator": read,
        "engineer": engineer,
        "admin": (*engineer, Right("delete", GROUP, "imagecaches")),
        "none": (),
    }


def token_in(kubeconfig: Path) -> str:
    """The token of a kubeconfig that `grant` made."""
    document = yaml.safe_load(kubeconfig.read_text())
    return str(document["users"][0]["user"]["token"])


@dataclass(frozen=True, slots=True)
class People:
    """Tokens by role."""

    tokens: Mapping[str, str]

    def __getitem__(self, role: str) -> str:
        return self.tokens[role]


def people(part: ApiServerPart, roles_of: Mapping[str, Iterable[Right]] | None = None) -> People:
    """A service account per role."""
    wanted = roles() if roles_of is None else roles_of
    made = {role: grant(part, f"people-{role}", allowed) for role, allowed in wanted.items()}
    return People({role: token_in(path) for role, path in made.items()})


class PeopleApiPart:
    """`python -m cyroid_images api` with this kubeconfig; one at a time."""

    def __init__(
        self, folder: Path, kubeconfig: Path, *flags: str, authority: Authority | None = None
    ) -> None:
        """With `authority` it serves TLS with a certificate of that CA."""
        (port,) = free_ports(1)
        self._folder = folder
        self._flags = list(flags)
        if authority is not None:
            pair = authority.server()
            self._flags += [f"--tls-cert={pair.certificate}", f"--tls-key={pair.key}"]
        self._address = f"127.0.0.1:{port}"
        self._log = folder / "api.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"{'https' if authority else 'http'}://{self._address}"
        self._http = httpx.Client(
            base_url=self.url,
            verify=_trusting(authority) if authority else False,
            timeout=CALL_SECONDS,
            trust_env=False,
        )
        self.archives = folder / "archives"
        """The archive volume."""
        self.archives.mkdir(exist_ok=True)
        self.settings: dict[str, str] = {}
        """CYROID_* variables of the next start, beside or instead of the usual ones; an empty one
        is left out."""
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "PYTHONPATH": str(PROGRAM),
            "CYROID_KUBECONFIG": str(kubeconfig),
            "CYROID_LOG_FORMAT": "json",
            "CYROID_ARCHIVES": str(self.archives),
        }

    @property
    def pid(self) -> int:
        assert self._process is not None, "the API does not run"
        return self._process.pid

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = [sys.executable, "-m", "cyroid_images", "api", f"--listen={self._address}"]
        merged = self._environment | self.settings
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *command, *self._flags],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._folder,
                env={name: value for name, value in merged.items() if value},
            )
        wait_for(self._is_there, "the API to answer", READY_SECONDS, self.log)

    def kill(self) -> None:
        """SIGKILL, as when memory runs out."""
        self._end(signal.SIGKILL)

    def close(self) -> None:
        """End everything."""
        self.kill()
        self._http.close()

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        return self._end(signal.SIGTERM)

    def log(self) -> str:
        """The last of what it wrote."""
        return self._log.read_text(errors="replace")[-20_000:] if self._log.exists() else ""

    def memory_kib(self) -> int:
        """Resident memory."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))

    def call(
        self, method: str, path: str, token: str | None = None, body: Any = None, **more: Any
    ) -> httpx.Response:
        """One call; the caller reads the code."""
        headers = {"authorization": f"Bearer {token}"} if token else {}
        given = {"json": body} if body is not None else {}
        headers |= more.pop("headers", {})
        return self._http.request(method, path, headers=headers, **given, **more)

    def get(self, path: str, token: str | None = None) -> Any:
        """The JSON of a GET that must succeed."""
        answer = self.call("GET", path, token)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text[:500]}"
        return answer.json()

    def _end(self, number: signal.Signals) -> int:
        process, self._process = self._process, None
        if process is None:
            return 0
        process.send_signal(number)
        return process.wait(30)

    def _is_there(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"the API ended:\n{self.log()}"
        with suppress(httpx.HTTPError):
            answer = self._http.get("/api/v1/system/capabilities", timeout=2)
            return answer.status_code == 200
        return False


def _trusting(authority: Authority) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(authority.certificate))


def api_account(part: ApiServerPart) -> Path:
    """The kubeconfig of an account with exactly the rights that the API says it needs."""
    return grant(part, "people-api", rights.needed_by_api())


@contextmanager
def running_people_api(
    account: Path, *flags: str, authority: Authority | None = None
) -> Iterator[PeopleApiPart]:
    """The API as this account, until the block ends."""
    with tempfile.TemporaryDirectory(prefix="cyroid-api-") as folder:
        api = PeopleApiPart(Path(folder), account, *flags, authority=authority)
        try:
            api.start()
            yield api
        finally:
            api.close()


def problem(answer: httpx.Response, status: int, *words: str) -> str:
    """The detail of an error that has this status and these words."""
    assert answer.status_code == status, f"{answer.status_code} {answer.text[:500]}"
    assert answer.headers["content-type"] == "application/problem+json", answer.text[:200]
    document = json.loads(answer.text)
    assert set(document) == {"type", "title", "status", "detail"}
    assert document["status"] == status
    detail = str(document["detail"])
    for word in words:
        assert word in detail, f"{word!r} is not in {detail!r}"
    return detail


STATUS = {"content_type": "application/merge-patch+json"}


def put_status(part: ApiServerPart, path: str, status: Mapping[str, Any]) -> dict[str, Any]:
    """Write a status, as the operator would."""
    return part.call("PATCH", f"{path}/status", {"status": status}, **STATUS)


def condition(
    kind: str, status: str, reason: str, message: str = "", **more: Any
) -> dict[str, Any]:
    """One condition."""
    return {
        "type": kind,
        "status": status,
        "reason": reason,
        "message": message or "as it is",
        "observedGeneration": more.get("generation", 1),
        "lastTransitionTime": "2026-11-01T10:00:00Z",
    }
