"""Asks a name server one question, to see whether it answers."""

import secrets
import socket

_TIMEOUT = 1.0  # seconds; the server is on this machine
_QUESTION = b"\x00\x01\x00\x01"  # type A, class IN


def answers(server: str, name: str) -> bool:
    """Whether the server knows an address for the name, now."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    number = secrets.token_bytes(2)
    header = number + b"\x01\x00" + b"\x00\x01" + bytes(6)  # recursion desired, one question
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(_TIMEOUT)
        try:
            asking.sendto(header + labels + b"\x00" + _QUESTION, (server, 53))
            answer = asking.recv(512)
        except OSError:
            return False
    no_error = answer[3] & 0x0F == 0
    return answer[:2] == number and no_error and int.from_bytes(answer[6:8]) > 0
