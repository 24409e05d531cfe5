"""Certificates for engines and their clients, made by openssl: right ones and wrong ones."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from cyroid_images.model.engine import ClientTLS

NAME = "dind"
"""The name on an engine's certificate; engines are dialled by address."""

_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


@dataclass(frozen=True, slots=True)
class ServerPair:
    """What dockerd --tlsverify takes: the CA of its clients, its certificate and key (PEM)."""

    ca: str
    certificate: str
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class EngineAuthority:
    """A CA in a folder; signs engines and clients."""

    folder: Path

    @classmethod
    def make(cls, folder: Path) -> EngineAuthority:
        """A new CA, unrelated to any other."""
        folder.mkdir(parents=True)
        files = ("-keyout", f"{folder}/ca.key", "-out", f"{folder}/ca.pem")
        _openssl("req", "-x509", *_KEY, *files, "-days", "2", "-subj", "/CN=engine-ca")
        return cls(folder)

    @property
    def ca(self) -> str:
        return (self.folder / "ca.pem").read_text()

    def server(self, *, name: str = NAME, days: int = 2) -> ServerPair:
        """For an engine; a negative number of days makes an expired certificate."""
        certificate, key = self._sign(f"server-{name}-{days}", f"subjectAltName=DNS:{name}", days)
        return ServerPair(self.ca, certificate, key)

    def client(self, *, server_name: str = NAME, ca: str | None = None) -> ClientTLS:
        """Our side: a client certificate of this CA, and the CA that the engine must be of."""
        certificate, key = self._sign("client", "extendedKeyUsage=clientAuth", 2)
        return ClientTLS(ca or self.ca, certificate, key, server_name)

    def _sign(self, name: str, extension: str, days: int) -> tuple[str, str]:
        path = self.folder / name
        _openssl("req", *_KEY, "-keyout", f"{path}.key", "-out", f"{path}.csr", "-subj", "/CN=x")
        Path(f"{path}.ext").write_text(f"{extension}\n")
        signed = ("-in", f"{path}.csr", "-out", f"{path}.pem", "-extfile", f"{path}.ext")
        signer = ("-CA", f"{self.folder}/ca.pem", "-CAkey", f"{self.folder}/ca.key")
        _openssl("x509", "-req", *signed, *signer, "-CAcreateserial", "-days", str(days))
        return Path(f"{path}.pem").read_text(), Path(f"{path}.key").read_text()


def _openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=30)
