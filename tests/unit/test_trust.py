"""B7: whom both leaves trust: CAs as plain openssl makes them, on every Python."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path

import pytest

from cyroid_images import sockets
from cyroid_images.engine.tls import context_of
from cyroid_images.model.engine import ClientTLS

EC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2")


def openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=30)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CA and a server's certificate as recipes make them: no key usage, no key identifiers."""
    here = tmp_path_factory.mktemp("plain")
    bare = ("-config", f"{here}/bare.cnf")
    (here / "bare.cnf").write_text(
        "[req]\ndistinguished_name=dn\nx509_extensions=ca\n[dn]\n[ca]\nbasicConstraints=CA:TRUE\n"
    )
    (here / "server.ext").write_text("subjectAltName=DNS:registry\n")
    ca = ("-keyout", f"{here}/ca.key", "-out", f"{here}/ca.crt", "-subj", "/CN=plain-ca")
    openssl("req", "-x509", *EC, *bare, *ca)
    request = ("-keyout", f"{here}/server.key", "-out", f"{here}/server.csr", "-subj", "/CN=x")
    openssl("req", *EC[:-2], *request)
    signer = ("-CA", f"{here}/ca.crt", "-CAkey", f"{here}/ca.key", "-CAcreateserial", "-days", "2")
    signed = ("-in", f"{here}/server.csr", "-out", f"{here}/server.crt")
    openssl("x509", "-req", *signed, *signer, "-extfile", f"{here}/server.ext")
    return here


def shake_hands(client: ssl.SSLContext, server: ssl.SSLContext, name: str = "registry") -> None:
    """A handshake without a socket; raises what our side refuses."""
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(back, there, server_hostname=name)
    theirs = server.wrap_bio(there, back, server_side=True)
    for _ in range(4):
        for side in (ours, theirs):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    assert ours.version(), "the handshake came to no end"


def server_of(folder: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.crt", folder / "server.key")
    return context


def strict(folder: Path) -> ssl.SSLContext:
    """What `create_default_context` of Python 3.13 is, on whatever Python this is."""
    context = ssl.create_default_context(cadata=(folder / "ca.crt").read_text())
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_STRICT
    return context


def test_b7_the_strictness_of_python_3_13_refuses_a_plain_ca(plain: Path) -> None:
    """Else the next test would prove nothing."""
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(strict(plain), server_of(plain))


def test_b7_a_plain_ca_is_trusted_whatever_python_thinks_of_it(plain: Path) -> None:
    shake_hands(sockets.lenient(strict(plain)), server_of(plain))


def test_b7_a_registrys_ca_is_trusted(plain: Path) -> None:
    shake_hands(sockets.trusting((plain / "ca.crt").read_text()), server_of(plain))


def test_b7_an_engines_ca_is_trusted(plain: Path) -> None:
    """By the same function; the pair of the server stands in for a client's."""
    ca, certificate, key = (
        (plain / name).read_text() for name in ("ca.crt", "server.crt", "server.key")
    )
    tls = ClientTLS(ca=ca, certificate=certificate, key=key, server_name="registry")
    shake_hands(context_of(tls), server_of(plain))


@pytest.mark.parametrize("ca", ["given", "of-the-system"])
def test_b7_no_context_is_strict_and_each_checks_name_and_signature(plain: Path, ca: str) -> None:
    context = sockets.trusting((plain / "ca.crt").read_text() if ca == "given" else None)
    assert not context.verify_flags & ssl.VerifyFlags.VERIFY_X509_STRICT
    assert context.verify_flags & ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


def test_another_name_is_refused_all_the_same(plain: Path) -> None:
    context = sockets.trusting((plain / "ca.crt").read_text())
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(context, server_of(plain), name="elsewhere")


def test_a_ca_of_the_system_vouches_for_no_private_registry(plain: Path) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(sockets.trusting(None), server_of(plain))
