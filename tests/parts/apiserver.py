"""A real etcd and kube-apiserver, with RBAC, for as long as the tests run.

There is no kubelet and no controller: pods are objects only (`put_pod` makes one look
running), a deleted namespace stays `Terminating`, and aggregated roles stay empty.
The certificates are in `credentials.py`.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.lab import tools
from tests.parts.credentials import Authority, write_kubeconfig
from tests.parts.namespace import OUTER_ADDRESS
from tests.parts.objects import pod_status

CRDS = Path(__file__).parents[2] / "crds"
READY_SECONDS = 120.0
"""A start takes 4 s on an idle machine with two cores; a busy one gets the benefit of doubt."""
CALL_SECONDS = 30.0


class ApiServerPart:
    """The API server as a part that can be talked to, stopped, paused and started again."""

    def __init__(self, folder: Path, *, is_audited: bool = False) -> None:
        """`is_audited`: each request of a service account becomes a line of `audit_log`."""
        self._folder = folder
        self._is_audited = is_audited
        self.audit_log = folder / "audit.log"
        self._etcd: subprocess.Popen[bytes] | None = None
        self._server: subprocess.Popen[bytes] | None = None
        self._authority = Authority.make(folder / "pki")
        self._server_pair = self._authority.server()
        self._port, self._etcd_port, self._peer_port = free_ports(3)
        self.url = f"https://127.0.0.1:{self._port}"
        admin = self._authority.client("admin", group="system:masters")
        self.kubeconfig = write_kubeconfig(
            folder / "admin.kubeconfig", self.url, self._authority, user=admin
        )
        """For an administrator: RBAC does not bind him."""
        tls = ssl.create_default_context(cafile=str(self._authority.certificate))
        tls.load_cert_chain(admin.certificate, admin.key)
        self._http = httpx.Client(
            base_url=self.url, verify=tls, trust_env=False, timeout=CALL_SECONDS
        )

    # -- life -------------------------------------------------------------------------

    def start(self) -> None:
        """Start what does not run and wait until /readyz says so."""
        if self._etcd is None:
            self._etcd = self._spawn("etcd", *self._etcd_flags())
        if self._server is None:
            self._server = self._spawn("kube-apiserver", *self._server_flags())
        wait_for(self.is_ready, "kube-apiserver to be ready", READY_SECONDS, self._complain)

    def stop(self) -> None:
        """Kill the API server, as a crash would; etcd keeps what was written."""
        _end(self._server)
        self._server = None

    def pause(self) -> None:
        """SIGSTOP: connections are taken by the kernel, nobody answers."""
        process = self._running()
        process.send_signal(signal.SIGSTOP)
        # On a busy machine its threads go on for a while: wait for the kernel's word.
        look = os.WSTOPPED | os.WNOHANG
        wait_for(
            lambda: os.waitid(os.P_PID, process.pid, look) is not None,
            "kube-apiserver to stand still",
            CALL_SECONDS,
        )

    def resume(self) -> None:
        """SIGCONT: the end of `pause`."""
        self._running().send_signal(signal.SIGCONT)

    def close(self) -> None:
        """End everything; the part cannot be started again."""
        self.stop()
        _end(self._etcd)
        self._etcd = None
        self._http.close()

    @property
    def is_running(self) -> bool:
        """Is there a process, even a paused one?"""
        return self._server is not None

    def is_ready(self) -> bool:
        """Does /readyz answer ok, now?"""
        with suppress(httpx.HTTPError):
            return self._http.get("/readyz", timeout=2).status_code == 200
        return False

    # -- talk -------------------------------------------------------------------------

    def kubectl(
        self, *arguments: str, stdin: str | None = None, kubeconfig: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run kubectl as the administrator, or as `kubeconfig` says; the caller checks the code."""
        command = [str(tools.ensure("kubectl")), f"--kubeconfig={kubeconfig or self.kubeconfig}"]
        return subprocess.run(
            [*command, *arguments],
            input=stdin,
            text=True,
            capture_output=True,
            timeout=CALL_SECONDS,
            check=False,
            env={"HOME": str(self._folder), "PATH": "/usr/bin:/bin"},
        )

    def apply(self, yaml_text: str) -> None:
        """`kubectl apply -f -`; an AssertionError says what kubectl said."""
        done = self.kubectl("apply", "-f", "-", stdin=yaml_text)
        assert done.returncode == 0, done.stderr

    def request(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """One call as the administrator, faster than kubectl; the caller reads the code."""
        content = None if body is None else json.dumps(body)
        kind = {"content-type": headers.pop("content_type", "application/json"), **headers}
        return self._http.request(method, path, content=content, headers=kind)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> dict[str, Any]:
        """One call that must succeed; the answer as the API gives it."""
        answer = self.request(method, path, body, **headers)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text[:500]}"
        document: dict[str, Any] = answer.json()
        return document

    def versions(self, path: str, seconds: float) -> Generator[dict[str, Any]]:
        """The object as it is, then as it is after each write, for so many seconds.

        One request (a watch) however long it takes: who asks every 10 ms instead keeps a third
        of a core busy, which what is measured then lacks.
        """
        folder, _, name = path.rpartition("/")
        # 0: from what its cache holds now. Without it a busy server fails the watch with
        # ResourceVersionTooLarge, as its cache is some writes behind.
        query = {"watch": "true", "resourceVersion": "0", "timeoutSeconds": str(int(seconds))}
        query["fieldSelector"] = f"metadata.name={name}"
        limit = seconds + CALL_SECONDS
        with self._http.stream("GET", folder, params=query, timeout=limit) as answer:
            assert answer.is_success, f"watch of {path}: {answer.status_code}"
            for line in answer.iter_lines():
                event = json.loads(line)
                assert event["type"] != "ERROR", f"watch of {path}: {event['object']}"
                yield event["object"]

    # -- what tests need there --------------------------------------------------------

    def install_crds(self) -> None:
        """Apply the project's CRDs and wait until both kinds are served; may be repeated."""
        done = self.kubectl("apply", "--server-side", "--force-conflicts", "-f", str(CRDS))
        assert done.returncode == 0, done.stderr
        paths = [f"/apis/cyroid.io/v1alpha1/{plural}" for plural in ("rangeimages", "imagecaches")]
        wait_for(
            lambda: all(self.request("GET", path).is_success for path in paths),
            "both kinds to be served",
            CALL_SECONDS,
        )

    def put_namespace(self, name: str, labels: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Create a namespace, or set the labels of the one that is there."""
        body = {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": name, "labels": dict(labels or {})},
        }
        return self._server_side_apply(f"/api/v1/namespaces/{name}", body)

    def put_pod(
        self,
        name: str,
        namespace: str = "default",
        *,
        labels: Mapping[str, str] | None = None,
        ip: str | None = "127.0.0.1",
        container_id: str | None = "containerd://1",
        restarts: int = 0,
        spec: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Make a pod that looks running (not running yet: `container_id=None`); returns it.

        `labels` are as given, without `cyroid.io/component`; `spec` adds to the pod's spec
        (hostNetwork, readinessGates). A pod that exists keeps its UID and its spec.
        """
        path = f"/api/v1/namespaces/{namespace}/pods"
        container = {"name": "dind", "image": "docker:dind"}
        metadata = {"name": name, "namespace": namespace, "labels": dict(labels or {})}
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": metadata,
            "spec": {"nodeName": "node1", "containers": [container], **(spec or {})},
        }
        if not self.request("GET", f"{path}/{name}").is_success:
            self.call("POST", path, pod)
        status = pod_status(ip, container_id, restarts)
        merge = {"content_type": "application/merge-patch+json"}
        self.call("PATCH", f"{path}/{name}", {"metadata": metadata}, **merge)
        return self.call("PATCH", f"{path}/{name}/status", {"status": status}, **merge)

    def delete_pod(self, name: str, namespace: str = "default") -> None:
        """Delete a pod at once; one that is not there is fine."""
        path = f"/api/v1/namespaces/{namespace}/pods/{name}?gracePeriodSeconds=0"
        answer = self.request("DELETE", path)
        assert answer.is_success or answer.status_code == 404, answer.text

    def kubeconfig_for(self, service_account: str, namespace: str = "default") -> Path:
        """A kubeconfig with a token of this service account, which is made if absent."""
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts"
        made = self.request("POST", path, {"metadata": {"name": service_account}})
        assert made.is_success or made.status_code == 409, made.text
        wanted = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
        answer = self.call("POST", f"{path}/{service_account}/token", wanted)
        return write_kubeconfig(
            self._folder / f"{namespace}.{service_account}.kubeconfig",
            self.url,
            self._authority,
            user=str(answer["status"]["token"]),
        )

    # -- how it runs ------------------------------------------------------------------

    def _server_side_apply(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        query = "?fieldManager=tests&force=true"
        return self.call("PATCH", path + query, body, content_type="application/apply-patch+yaml")

    def _etcd_flags(self) -> list[str]:
        clients, peers = (f"http://127.0.0.1:{at}" for at in (self._etcd_port, self._peer_port))
        return [
            f"--data-dir={self._folder / 'etcd'}",
            f"--listen-client-urls={clients}",
            f"--advertise-client-urls={clients}",
            f"--listen-peer-urls={peers}",
            f"--initial-advertise-peer-urls={peers}",
            f"--initial-cluster=default={peers}",
            "--unsafe-no-fsync",
        ]

    def _server_flags(self) -> list[str]:
        signing = self._authority.folder / "sa.key"
        return [
            f"--etcd-servers=http://127.0.0.1:{self._etcd_port}",
            "--bind-address=127.0.0.1",
            f"--secure-port={self._port}",
            f"--advertise-address={OUTER_ADDRESS}",
            "--endpoint-reconciler-type=none",
            "--service-cluster-ip-range=10.96.0.0/16",
            f"--cert-dir={self._folder / 'generated'}",
            f"--tls-cert-file={self._server_pair.certificate}",
            f"--tls-private-key-file={self._server_pair.key}",
            f"--client-ca-file={self._authority.certificate}",
            f"--service-account-key-file={signing}",
            f"--service-account-signing-key-file={signing}",
            "--service-account-issuer=https://kubernetes.default.svc",
            "--authorization-mode=RBAC",
            "--allow-privileged=true",
            # No controller makes the service account `default` that this plugin asks for.
            "--disable-admission-plugins=ServiceAccount",
            *(self._audit_flags() if self._is_audited else ()),
        ]

    def _audit_flags(self) -> list[str]:
        """The API server's own account of who asked what."""
        who = {"level": "Metadata", "userGroups": ["system:serviceaccounts"]}
        policy = {
            "apiVersion": "audit.k8s.io/v1",
            "kind": "Policy",
            "omitStages": ["RequestReceived"],
            "rules": [who, {"level": "None"}],
        }
        path = self._folder / "audit.json"
        path.write_text(json.dumps(policy))
        return [f"--audit-policy-file={path}", f"--audit-log-path={self.audit_log}"]

    def _spawn(self, tool: str, *flags: str) -> subprocess.Popen[bytes]:
        """A child that cannot outlive this process, with its output in a file."""
        with (self._folder / f"{tool}.log").open("ab") as log:
            return subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", str(tools.ensure(tool)), *flags],
                stdout=log,
                stderr=log,
                cwd=self._folder,
            )

    def _running(self) -> subprocess.Popen[bytes]:
        assert self._server is not None, "the API server does not run"
        return self._server

    def _complain(self) -> str:
        logs = (self._folder / f"{tool}.log" for tool in ("etcd", "kube-apiserver"))
        return "\n".join(log.read_text(errors="replace")[-2000:] for log in logs if log.exists())


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody listens on; all at once, so that they differ."""
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports


def wait_for(
    is_so: Callable[[], bool],
    what: str,
    seconds: float,
    evidence: Callable[[], str] = lambda: "",
) -> None:
    """Ask every 50 ms until it is so; a TimeoutError after `seconds` shows the evidence."""
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:.0f} s for {what}\n{evidence()}")
        time.sleep(0.05)


def _end(process: subprocess.Popen[bytes] | None) -> None:
    if process is not None:
        process.kill()
        process.wait(timeout=30)


@pytest.fixture(scope="session")
def apiserver() -> Iterator[ApiServerPart]:
    """A kube-apiserver that answers; whoever stops or pauses it starts or resumes it again.

    It is shared by the whole run: tests choose names of their own.
    """
    with running_api_server() as part:
        yield part


@contextmanager
def running_api_server() -> Iterator[ApiServerPart]:
    """One more API server, for tests that change what others rely on."""
    with tempfile.TemporaryDirectory(prefix="cyroid-apiserver-") as folder:
        part = ApiServerPart(Path(folder))
        try:
            part.start()
            yield part
        finally:
            part.close()
