"""Certificates and kubeconfigs of one lab, new for every start.

Elliptic keys: nine RSA keys took three seconds of each start.
"""

import base64
import json
from pathlib import Path

from tests.lab import tools
from tests.lab.addresses import Addresses
from tests.lab.shell import run

# The machine's own openssl.cnf would make every certificate a CA.
_CONFIG = "[req]\ndistinguished_name = name\n[name]\n"
_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc")
_DAYS = "365"
_CLIENTS = {  # kubeconfig: the name that Kubernetes' own roles are bound to
    "admin": "/O=system:masters/CN=admin",
    "kube-controller-manager": "/CN=system:kube-controller-manager",
    "kube-scheduler": "/CN=system:kube-scheduler",
    "kube-proxy": "/CN=system:kube-proxy",
    "kubelet": "/O=system:nodes/CN=system:node:node1",
    "coredns": "/CN=system:coredns",
}


def write(directory: Path, addresses: Addresses) -> None:
    """Writes `pki/` and one kubeconfig per client into the directory."""
    pki = directory / "pki"
    pki.mkdir()
    (pki / "openssl.cnf").write_text(_CONFIG)
    _authority(pki)
    key = [tools.ensure("openssl"), "ecparam", "-name", "prime256v1", "-genkey", "-noout"]
    run([*key, "-out", pki / "sa.key"])
    names = ["kubernetes.default.svc", "kubernetes.default", "kubernetes", "localhost"]
    ips = ["127.0.0.1", addresses.api, addresses.node]
    san = ",".join([*(f"DNS:{name}" for name in names), *(f"IP:{ip}" for ip in ips)])
    _pair(pki, "apiserver", "/CN=kube-apiserver", f"subjectAltName={san}")
    san = f"DNS:node1,IP:{addresses.node}"
    _pair(pki, "kubelet", "/CN=node1", f"subjectAltName={san}")
    for name, subject in _CLIENTS.items():
        _pair(pki, f"{name}-client", subject)
        _kubeconfig(
            pki, f"{name}-client", "https://127.0.0.1:6443", directory / f"{name}.kubeconfig"
        )
    _kubeconfig(pki, "admin-client", f"https://{addresses.node}:6443", directory / "kubeconfig")


def _authority(pki: Path) -> None:
    # Python 3.13 verifies strictly: a CA without its key usage is none.
    usage = ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign"]
    _request(pki, "ca", "/CN=cyroid-lab", usage, [])


def _pair(pki: Path, name: str, subject: str, *extensions: str) -> None:
    signer = ["-CA", str(pki / "ca.crt"), "-CAkey", str(pki / "ca.key")]
    usage = ["keyUsage=critical,digitalSignature", "extendedKeyUsage=serverAuth,clientAuth"]
    _request(pki, name, subject, ["basicConstraints=CA:FALSE", *usage, *extensions], signer)


def _request(pki: Path, name: str, subject: str, extensions: list[str], signer: list[str]) -> None:
    files = ["-keyout", str(pki / f"{name}.key"), "-out", str(pki / f"{name}.crt")]
    added = [word for extension in extensions for word in ("-addext", extension)]
    command = [tools.ensure("openssl"), "req", "-x509", "-config", pki / "openssl.cnf", *_NEW_KEY]
    run([*command, "-days", _DAYS, "-subj", subject, *added, *signer, *files])


def _kubeconfig(pki: Path, pair: str, server: str, path: Path) -> None:
    def data(name: str) -> str:
        return base64.b64encode((pki / name).read_bytes()).decode()

    cluster = {"server": server, "certificate-authority-data": data("ca.crt")}
    user = {
        "client-certificate-data": data(f"{pair}.crt"),
        "client-key-data": data(f"{pair}.key"),
    }
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "lab", "cluster": cluster}],
        "users": [{"name": "lab", "user": user}],
        "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": "lab"}}],
        "current-context": "lab",
    }
    path.touch(mode=0o600)
    path.write_text(json.dumps(config, indent=1))
