"""Keys, certificates and kubeconfigs for a kube-apiserver of the tests, made by openssl.

One CA signs the server's certificate and every client's; elliptic keys, because making
RSA keys would cost a second each.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.parts.namespace import OUTER_ADDRESS

_DAYS = "2"


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key, as PEM files."""

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class Authority:
    """A CA in a folder of its own, which also takes what it signs."""

    folder: Path

    @classmethod
    def make(cls, folder: Path) -> Authority:
        """A new CA, and the key that signs the tokens of service accounts (`sa.key`)."""
        folder.mkdir(parents=True)
        self = cls(folder)
        self._openssl("req", "-x509", *self._new("ca"), "-days", _DAYS, "-subj", "/CN=test-ca")
        self._openssl("genrsa", "-out", str(folder / "sa.key"), "2048")
        return self

    @property
    def certificate(self) -> Path:
        return self.folder / "ca.crt"

    def server(
        self, names: str = f"IP:127.0.0.1,IP:{OUTER_ADDRESS},DNS:localhost", days: str = _DAYS
    ) -> Pair:
        """For a server, as a rule on this machine's loopback addresses; `-1` day: it expired."""
        return self._sign("server", "/CN=kube-apiserver", f"subjectAltName={names}", days)

    def client(self, user: str, *, group: str) -> Pair:
        """For a person or a component that the API server knows by these names."""
        return self._sign(f"client-{user}", f"/O={group}/CN={user}", "extendedKeyUsage=clientAuth")

    def _sign(self, name: str, subject: str, extension: str, days: str = _DAYS) -> Pair:
        request, certificate = self.folder / f"{name}.csr", self.folder / f"{name}.crt"
        new = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        key = self.folder / f"{name}.key"
        self._openssl("req", *new, "-keyout", str(key), "-out", str(request), "-subj", subject)
        extensions = self.folder / f"{name}.ext"
        extensions.write_text(f"{extension}\nauthorityKeyIdentifier=keyid\n")
        self._openssl(
            *("x509", "-req", "-in", str(request), "-out", str(certificate), "-days", days),
            *("-CA", str(self.certificate), "-CAkey", str(self.folder / "ca.key")),
            *("-CAcreateserial", "-extfile", str(extensions)),
        )
        return Pair(certificate, key)

    def _new(self, name: str) -> list[str]:
        curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        files = ["-keyout", str(self.folder / f"{name}.key")]
        return [*curve, *files, "-out", str(self.folder / f"{name}.crt")]

    def _openssl(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=30)


def write_kubeconfig(path: Path, server: str, authority: Authority, *, user: Pair | str) -> Path:
    """A kubeconfig for a client certificate, or for a token (a text); returns its path."""
    identity = (
        {"token": user}
        if isinstance(user, str)
        else {"client-certificate": str(user.certificate), "client-key": str(user.key)}
    )
    cluster = {"server": server, "certificate-authority": str(authority.certificate)}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "test", "cluster": cluster}],
        "users": [{"name": "test", "user": identity}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
        "current-context": "test",
    }
    path.write_text(yaml.safe_dump(document))
    path.chmod(0o600)
    return path
