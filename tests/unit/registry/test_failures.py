"""A broken connection becomes a reason: whether an answer had begun decides most."""

from __future__ import annotations

import ssl
from typing import NoReturn

import httpx
import pytest

from cyroid_images.errors import Cancelled, Reason, TransferError
from cyroid_images.model.cancellation import NEVER
from cyroid_images.registry.failures import failure, translated


@pytest.mark.parametrize(
    ("exc", "answered", "reason"),
    [
        (httpx.ConnectError("[Errno 111] Connection refused"), False, "RegistryUnreachable"),
        (httpx.ConnectError("[Errno -2] Name or service not known"), False, "RegistryUnreachable"),
        (httpx.ConnectTimeout("timed out"), False, "RegistryUnreachable"),
        (httpx.ReadTimeout("timed out"), False, "RegistryUnreachable"),
        (httpx.ReadTimeout("timed out"), True, "Timeout"),
        (httpx.WriteTimeout("timed out"), False, "Timeout"),
        (httpx.ReadError("reset"), False, "RegistryUnreachable"),
        (httpx.ReadError("reset"), True, "TransferInterrupted"),
        (httpx.WriteError("pipe"), False, "TransferInterrupted"),
        (httpx.RemoteProtocolError("Server disconnected"), False, "RegistryUnreachable"),
        (httpx.RemoteProtocolError("peer closed connection"), True, "TransferInterrupted"),
        (httpx.RemoteProtocolError("illegal status line"), False, "ProtocolError"),
        (httpx.UnsupportedProtocol("ftp"), False, "ProtocolError"),
        (UnicodeError("label too long"), False, "RegistryUnreachable"),
    ],
)
def test_a_broken_connection_has_its_reason(exc: Exception, answered: bool, reason: str) -> None:
    """The table of what httpx can raise."""
    assert failure("act", exc, answered=answered).reason == Reason(reason)


def test_a_tls_refusal_names_the_operator_as_the_refusing_party() -> None:
    """httpcore leaves the ssl error as context, not as cause."""
    refused = ssl.SSLCertVerificationError()
    refused.verify_message = "certificate has expired"
    outer = httpx.ConnectError("x")
    outer.__context__ = refused
    found = failure("ping at host", outer, answered=False)
    assert found.reason is Reason.TLS_REJECTED
    told = "ping at host: the operator refuses the registry's certificate: certificate has expired"
    assert found.message == told


def test_a_tls_connection_that_just_ends_was_cut_not_refused() -> None:
    """A restart of the registry must not stall an object until somebody edits it."""
    outer = httpx.ReadError("eof")
    outer.__cause__ = ssl.SSLEOFError(8, "EOF occurred in violation of protocol")
    assert failure("act", outer, answered=True).reason is Reason.TRANSFER_INTERRUPTED


def test_a_header_value_never_stands_in_a_message() -> None:
    """h11 repeats the header that it could not write."""
    exc = httpx.LocalProtocolError("Illegal header value b'Bearer secret'")
    assert "secret" not in failure("act", exc, answered=False).message


class Cut:
    """A cancellation that has happened."""

    def attach(self, cut: object) -> NoReturn:
        raise AssertionError(cut)

    def raise_if_cancelled(self) -> None:
        raise Cancelled("no longer wanted")


def test_our_own_cut_is_no_outage() -> None:
    """The cancellation is asked first."""
    with pytest.raises(Cancelled), translated("act", Cut(), answered=True):
        raise httpx.ReadError("bad file descriptor")


def test_what_is_not_of_httpx_passes() -> None:
    """A defect of ours must not look like an outage."""
    with pytest.raises(KeyError), translated("act", NEVER, answered=True):
        raise KeyError("x")


def test_a_socket_error_is_translated() -> None:
    """No foreign exception leaves the leaf."""
    with pytest.raises(TransferError), translated("act", NEVER, answered=True):
        raise OSError("x")
