"""A server as a process of its own that only answers: what any event loop here can do at best."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from tests.parts.apiserver import free_ports, wait_for

_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@contextmanager
def running() -> Iterator[str]:
    """Its URL, while it runs."""
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}/"
    command = ["setpriv", "--pdeathsig", "KILL", sys.executable, "-m", __name__, str(port)]
    with subprocess.Popen(command) as process:
        try:
            wait_for(lambda: _answers(url), "the echo server to answer", 30)
            yield url
        finally:
            process.kill()


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2, trust_env=False).is_success
    except httpx.HTTPError:
        return False


async def _serve(port: int) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readline():
            while await reader.readline() not in (b"\r\n", b""):
                pass
            writer.write(_ANSWER)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
