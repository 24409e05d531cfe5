"""A broken connection becomes a reason: whether an answer had begun decides most."""

from __future__ import annotations

import ssl

import httpx
import pytest

from cyroid_images.errors import Cancelled, Reason, TransferError
from cyroid_images.registry.errors import failure, translated
from cyroid_images.scheduling.cancel_scope import NEVER, CancelScope


@pytest.mark.parametrize(
    ("exc", "answered", "reason"),
    [
        (httpx.ConnectError("[Errno 111] Connection refused"), False, "RegistryUnreachable"),
        (httpx.ConnectError("[Errno -2] Name or service not known"), False, "RegistryUnreachable"),
        (httpx.ConnectTimeout("timed out"), False, "RegistryUnreachable"),
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
    told = "ping at host: registry certificate is not trusted: certificate has expired"
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


def cancelled() -> CancelScope:
    scope = CancelScope()
    scope.cancel()
    return scope


def test_our_own_cut_is_no_outage() -> None:
    """The scope is asked first."""
    with pytest.raises(Cancelled), translated("act", cancelled(), answered=True):
        raise httpx.ReadError("bad file descriptor")


@pytest.mark.parametrize(
    ("exc", "cause"),
    [
        pytest.param(
            ConnectionRefusedError(111, "Connection refused"), "connection refused", id="refused"
        ),
        pytest.param(OSError(-2, "Name or service not known"), "name or service", id="name"),
    ],
)
def test_who_cannot_be_connected_to_is_named_with_the_systems_words(
    exc: OSError, cause: str
) -> None:
    """It may be a token or storage host, not the registry itself."""
    outer = httpx.ConnectError("x", request=httpx.Request("GET", "https://r:5000/v2/"))
    outer.__cause__ = exc
    found = failure("ping the registry at r:5000", outer, answered=False)
    told = f"ping the registry at r:5000: cannot connect to https://r:5000: {cause}"
    assert found.message.startswith(told)


def test_what_is_not_http_is_told_as_that() -> None:
    found = failure("act", httpx.RemoteProtocolError("illegal status line"), answered=False)
    assert found.message == "act: response is not HTTP: illegal status line"


def test_what_is_not_of_httpx_passes() -> None:
    """A defect of ours must not look like an outage."""
    with pytest.raises(KeyError), translated("act", NEVER, answered=True):
        raise KeyError("x")


def test_a_socket_error_is_translated() -> None:
    """No foreign exception leaves the leaf."""
    with pytest.raises(TransferError), translated("act", NEVER, answered=True):
        raise OSError("x")
